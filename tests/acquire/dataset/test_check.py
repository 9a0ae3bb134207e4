"""`check_path` on each kind of thing, whole and spoiled."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.build import build
from acquire.dataset.check import check_path
from acquire.storage.layout import claim_dataset
from tests.builders.dataset import archive, dataset, key, small, verdict


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = dataset(tmp_path_factory.mktemp("check") / "K2")
    archive(root, key(), small(lost_us=slice(60, 62)))
    verdict(root, key(), accepted=True)
    build(root, "P43")
    return root


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "K2"
    shutil.copytree(good, copy)
    return copy


def codes(path: Path) -> list[str]:
    return [f.code for f in check_path(path) if f.severity != "info"]


def test_a_good_dataset_is_good(good: Path) -> None:
    assert codes(good) == []
    assert codes(good / "ProcessedData" / "P43.mat") == []


def test_an_archive_tells_its_losses(good: Path) -> None:
    found = check_path(key().h5(good))
    assert [(f.code, f.where) for f in found] == [
        ("stream-gap", "Trial_1_take1.h5:amode")
    ]
    assert "2 samples are missing (counted)" in found[0].message


def test_what_is_not_there_or_no_recording(root: Path) -> None:
    assert codes(root / "nothing.h5") == ["path-missing"]
    (root / "x.txt").write_text("hello")
    assert codes(root / "x.txt") == ["recording-format"]


def test_a_changed_file_does_not_match_the_manifest(root: Path) -> None:
    sidecar = root / "ProcessedData" / "P43.json"
    sidecar.write_text(sidecar.read_text() + " ")
    assert codes(root) == ["manifest-digest"]
    sidecar.write_text("{}")
    assert codes(root / "ProcessedData" / "P43.mat") == ["subject-sidecar"]


def test_a_derived_file_of_another_archive_is_stale(root: Path) -> None:
    derived = key().derived(root)
    assert codes(derived) == []
    source = key().h5(root)
    source.write_bytes(source.read_bytes() + b"x")
    assert codes(derived) == ["derived-stale"]
    source.unlink()
    assert codes(derived) == ["derived-orphan"]


def test_strange_names_and_forgotten_recordings_are_told(root: Path) -> None:
    folder = key().folder(root)
    (folder / "Trial_one.xdf").write_bytes(b"XDF:")
    (folder / "Trial_9_take1.xdf").write_bytes(b"XDF:")
    assert codes(root) == ["dataset-name", "dataset-unarchived"]


def test_a_real_trial_in_a_virtual_dataset_is_told(root: Path) -> None:
    archive(root, key(2), small(simulated=False))
    assert "dataset-mixed" in codes(root)


def test_a_recording_without_a_trigger_is_told(tmp_path: Path) -> None:
    root = dataset(tmp_path / "K2")
    path = archive(root, key(), small(trigger=False))
    found = {f.code for f in check_path(path)}
    assert "clock-reference" in found
    assert "clock-status" in found
    (root / "dataset.json").unlink()
    shutil.rmtree(root / "raw" / "P43" / "2026-11-22_1" / "Ideal")
    claim_dataset(root, simulated=True)
    assert np.all([code != "dataset-mixed" for code in codes(root)])
