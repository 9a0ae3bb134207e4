"""Several participants at once: the same files either way, failures apart."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from acquire.dataset.build import build
from acquire.dataset.build_many import (
    SchedulerError,
    build_many,
    chosen_participants,
)
from acquire.dataset.participants import participant, write_participant
from acquire.storage.manifest import read_manifest, verify_manifest
from tests.builders.dataset import archive, dataset, key, small, verdict


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three participants: P43 and P44 with a trial, P45 without a body mass."""
    made = dataset(tmp_path_factory.mktemp("many") / "dataset")
    recorded = small()
    for name in ("P43", "P44", "P45"):
        trial = key(participant=name)
        archive(made, trial, recorded)
        verdict(made, trial, accepted=True)
        mass_kg = float("nan") if name == "P45" else 70.0
        person = participant(made, "P43")
        write_participant(made, replace(person, participant_id=name, mass_kg=mass_kg))
    return made


def copied(root: Path, out: Path) -> Path:
    shutil.copytree(root, out)
    return out


def products(root: Path) -> dict[str, bytes]:
    folder = root / "ProcessedData"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def one_by_one(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copied(root, tmp_path_factory.mktemp("one") / "dataset")
    for name in ("P43", "P44"):
        build(made, name)
    return made


def test_processes_make_the_same_files_as_one_by_one(
    root: Path, one_by_one: Path, tmp_path: Path
) -> None:
    together = copied(root, tmp_path / "dataset")
    heard: list[str] = []
    made = build_many(together, ["P43", "P44"], workers=2, progress=heard.append)
    assert sorted(made.built) == ["P43", "P44"]
    assert not made.failed
    assert products(together) == products(one_by_one)
    assert "ProcessedData/P44/Ideal/LG_0/S_1/Trial_1.h5" in read_manifest(together)
    assert not verify_manifest(together)
    assert heard[-1].endswith("(2 of 2)")


def test_a_dask_cluster_makes_the_same_files(
    root: Path, one_by_one: Path, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    together = copied(root, tmp_path / "dataset")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster:
        made = build_many(together, ["P43", "P44"], scheduler=cluster.scheduler_address)
    assert sorted(made.built) == ["P43", "P44"]
    assert products(together) == products(one_by_one)


def test_one_that_fails_does_not_stop_the_others(root: Path, tmp_path: Path) -> None:
    together = copied(root, tmp_path / "dataset")
    made = build_many(together, ["P45", "P43"], workers=1)
    assert list(made.built) == ["P43"]
    assert "P45 has no mass_kg" in made.failed["P45"]


def test_a_scheduler_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(SchedulerError, match=r"127\.0\.0\.1:1\b|needs Dask"):
        build_many(root, ["P43"], scheduler="tcp://127.0.0.1:1", wait_s=0.5)


def test_participants_are_chosen_by_name_or_all(root: Path) -> None:
    assert chosen_participants(root, "all") == ["P43", "P44", "P45"]
    assert chosen_participants(root, "P45, P43") == ["P45", "P43"]
    with pytest.raises(ValueError, match=r"no recordings of P99; there are P43, P44"):
        chosen_participants(root, "P43,P99")
