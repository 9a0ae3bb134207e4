"""From archives and verdicts to a checked subject file."""

import gc
import json
import shutil
import warnings
import weakref
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import acquire.dataset.build as build_module
from acquire.dataset.build import BuildError, build
from acquire.dataset.build_result import BuildResult
from acquire.dataset.check import check_path
from acquire.dataset.mat_reader import variables
from acquire.dataset.selection import select
from acquire.dataset.trial_source import up_to_date
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import read_derived
from acquire.storage.errors import MixedDatasetError, VerificationError
from acquire.storage.layout import claim_dataset
from acquire.storage.manifest import read_manifest, verify_manifest
from tests.builders.dataset import archive, dataset, key, small, verdict

with warnings.catch_warnings():  # its pandas import warns of pandas itself
    warnings.simplefilter("ignore")
    import matio


Made = tuple[Path, BuildResult, list[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = dataset(tmp_path_factory.mktemp("made") / "K2")
    recorded = small()
    for trial in (key(2), key(1), key(1, 2), key(1, mode="AS_5")):
        archive(root, trial, recorded)
        verdict(root, trial, accepted=True)
    verdict(root, key(1), accepted=False)  # second thoughts: the last one counts
    told: list[str] = []
    result = build(root, "P43", told.append)
    return root, result, told


def test_trials_are_in_order_and_takes_the_accepted_ones(made: Made) -> None:
    root, result, told = made
    assert [(k.mode, k.trial, k.take) for k in result.trials] == [
        *(("LG_0", 1, 2), ("LG_0", 2, 1), ("AS_5", 1, 1))
    ]
    assert result.left_out == {key(1): "rejected: repeat"}
    assert [text for text in told if not text.startswith("clocks of")] == [
        "Ideal LG_0 S_1 Trial_1_take2 (1 of 3)",
        "Ideal LG_0 S_1 Trial_2_take1 (2 of 3)",
        "Ideal AS_5 S_1 Trial_1_take1 (3 of 3)",
        "reading P43.mat back",
    ]
    assert result.path == root / "ProcessedData" / "P43.mat"
    assert "3 simulated trials" in result.describe()
    assert "left out: Ideal LG_0 S_1 Trial_1_take1: rejected" in result.describe()
    assert json.loads(json.dumps(result.to_json()))["trials"][2]["mode"] == "AS_5"


def test_mat_io_loads_what_was_recorded(made: Made) -> None:
    subject = matio.load_from_mat(str(made[1].path))["P43"][0, 0]
    assert subject.dtype.names == ("OriginalData", "NormalizedData")
    first = subject["OriginalData"][0, 0]["Ideal"][0, 0]
    assert first.dtype.names == ("LG_0", "AS_5")
    level = first["LG_0"][0, 0]["S_1"][0, 0]
    assert level.dtype.names == ("Trial_1", "Trial_2")
    trial = level["Trial_1"][0, 0]
    names = ("Markers", "Forces", "Events", "USData", "EMGData")
    assert trial.dtype.names == names
    assert trial["EMGData"].shape == (20 * trial["Markers"][0, 0]["LASI"].shape[0], 13)
    assert trial["USData"][4, 0].shape == (4, 1000)
    second = subject["NormalizedData"][0, 0]["Ideal"][0, 0]["LG_0"][0, 0]["S_1"][0, 0]
    cycles = second["Trial_2"][0, 0]["Markers"][0, 0]["LTOE"][0, 0]["rsGaitData"]
    assert cycles.shape[:2] == (200, 3)
    assert np.isfinite(cycles).all()


def test_the_file_has_no_findings_but_what_is_absent(made: Made) -> None:
    assert {finding.code for finding in made[1].findings} == {"subject-absent"}


def test_the_sidecar_tells_where_it_comes_from(made: Made) -> None:
    root, result, _ = made
    text = result.sidecar.read_text()
    told = json.loads(text)
    assert told["simulated"] is True
    assert "2026-11-22" not in text  # no session dates in what is published
    assert told["profile"]["groups_absent"] == ["Angles", "Moments", "Powers"]
    trial = told["trials"]["Ideal/LG_0/S_1/Trial_1_take2"]
    assert trial["clock_status"] == "ok"
    assert trial["strides_left"] >= 4
    assert told["left_out"] == {"Ideal/LG_0/S_1/Trial_1_take1": "rejected: repeat"}
    assert set(read_manifest(root)) >= {
        "ProcessedData/P43.mat",
        "ProcessedData/P43.json",
    }
    assert verify_manifest(root) == []


def test_a_rebuild_gives_the_same_bytes(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "copy")
    for derived in (tmp_path / "copy").rglob("*.derived.h5"):
        derived.unlink()
    again = build(tmp_path / "copy", "P43")
    assert again.path.read_bytes() == made[1].path.read_bytes()


def test_only_one_trial_is_in_memory_at_a_time(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[weakref.ref[object]] = []
    most = 0
    plain = build_module.load

    def counting(*given: Any) -> object:
        nonlocal most
        gc.collect()
        most = max(most, sum(ref() is not None for ref in alive))
        trial, facts = plain(*given)
        alive.append(weakref.ref(trial))
        return trial, facts

    monkeypatch.setattr(build_module, "load", counting)
    build(made[0], "P43")
    assert len(alive) == 3
    assert most == 0  # as the next one is loaded


@pytest.fixture
def one(made: Made, tmp_path: Path) -> Path:
    root = tmp_path / "one"
    shutil.copytree(made[0], root)
    return root


def test_what_reads_back_differently_never_gets_the_name(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (one / "ProcessedData" / "P43.mat").read_bytes()
    plain = build_module.trees

    def spoiled(*given: Any) -> dict[str, Any]:
        made: dict[str, Any] = plain(*given)
        struct = made["OriginalData"]
        struct["EMGData"] = struct["EMGData"] + 1.0
        return made

    monkeypatch.setattr(build_module, "trees", spoiled)
    with pytest.raises(VerificationError, match="read back as"):
        build(one, "P43")
    assert (one / "ProcessedData" / "P43.mat").read_bytes() == before
    assert not list((one / "ProcessedData").glob(".*.tmp"))


def test_virtual_and_real_are_never_mixed(one: Path) -> None:
    (one / "dataset.json").unlink()
    real = archive(one, key(3), small(simulated=False))
    verdict(one, key(3), accepted=True)
    assert real.is_file()
    with pytest.raises(MixedDatasetError, match="mixes virtual and real"):
        build(one, "P43")
    claim_dataset(one / "new", simulated=False)


def test_nothing_accepted_is_said_with_reasons(tmp_path: Path) -> None:
    root = dataset(tmp_path / "empty")
    with pytest.raises(BuildError, match="no trial at all"):
        build(root, "P43")
    path = key(1).xdf(root)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"XDF:")
    with pytest.raises(BuildError, match="no verdict"):
        build(root, "P43")
    verdict(root, key(1), accepted=True)
    with pytest.raises(BuildError, match="never archived"):
        build(root, "P43")


def test_forces_need_a_body_mass(one: Path) -> None:
    table = one / "participants.tsv"
    table.write_text(table.read_text().replace("72.0", "n/a"))
    with pytest.raises(BuildError, match="no mass_kg"):
        build(one, "P43")
    table.unlink()
    with pytest.raises(BuildError, match="no participant P43"):
        build(one, "P43")


def test_our_own_conditions_are_left_out_unless_asked(tmp_path: Path) -> None:
    root = dataset(tmp_path / "own")
    tired = key(1, condition="SustainedFatigue")
    path = tired.h5(root)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    verdict(root, tired, accepted=True)
    assert list(select(root, "P43").archives) == []
    assert "not one of the published" in select(root, "P43").left_out[tired]
    assert list(select(root, "P43", own_conditions=True).archives) == [tired]


def test_clocks_rest_on_the_trials_of_the_session(made: Made) -> None:
    root = made[0]
    derived = read_derived(key(2).derived(root))
    others = [key(1), key(1, 2), key(1, mode="AS_5")]
    names = {other.h5(root).relative_to(root).as_posix() for other in others}
    assert {name for name in derived.inputs if name.startswith("raw/")} == names
    assert check_path(key(2).derived(root)) == []
    again: list[str] = []
    up_to_date(key(2).h5(root), SessionClocks(again.append))
    assert not again  # nothing to work out


def test_variables_of_the_file_are_named_after_it(made: Made) -> None:
    with h5py.File(made[1].path) as file:
        assert [node.path for node in variables(file)] == ["P43"]


def test_flat_files_follow_the_verdicts(one: Path) -> None:
    flat = one / "ProcessedData" / "P43"
    names = ["AS_5/S_1/Trial_1.h5", "LG_0/S_1/Trial_1.h5", "LG_0/S_1/Trial_2.h5"]

    def there() -> list[str]:
        folder = flat / "Ideal"
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.h5"))

    assert there() == names
    verdict(one, key(2), accepted=False)
    result = build(one, "P43")
    assert there() == names[:2]
    assert result.removed == (flat / "Ideal" / names[2],)
    listed = [name for name in read_manifest(one) if name.endswith("Trial_2.h5")]
    assert not listed
    assert not [f for f in verify_manifest(one) if "ProcessedData" in f.where]
