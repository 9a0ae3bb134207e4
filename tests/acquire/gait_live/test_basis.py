"""What the live model rests on is read when it comes, and again when it changes."""

from pathlib import Path

import numpy as np
import pytest

from acquire.gait.baselines import Baseline, BaselineError
from acquire.gait_live.basis import BasisWatcher
from acquire.storage.journal import Journal
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import Person
from tests.acquire.gait.test_plug_in_gait import by_label
from tests.builders.dataset import SESSION, dataset, key
from tests.builders.person_session import listed


class Reader:
    """Reads archives that are only names here, and counts how often."""

    def __init__(self):
        self.read = []

    def markers(self, path: Path):
        self.read.append(path.name)
        person = Person(LabConfig(seed=3), History())
        return by_label(person.markers_m(np.arange(50) / 100))

    def baseline(self, path: Path) -> Baseline:
        if path.stem == "Trial_2_take1":
            raise BaselineError("somebody stands on FP1")
        return Baseline(path.name, {"FP1": np.zeros(6)}, 5.0)


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def watcher(tmp_path, reader):
    root = dataset(tmp_path)
    return BasisWatcher(root, "P43", SESSION, reader.markers, reader.baseline)


def trial(root: Path, mode: str, number: int = 1) -> Path:
    made = key(number, condition="Calibration", mode=mode, speed="")
    path = made.h5(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(mode.encode())
    return path


def test_it_says_what_is_missing_until_it_is_there(watcher, reader, tmp_path) -> None:
    watcher.look()
    assert "leg_length_left_mm is missing" in watcher.basis.model.remarks[0]
    listed(tmp_path)
    watcher.look()
    assert "no static calibration trial" in watcher.basis.model.remarks[0]
    trial(tmp_path, "Static")
    watcher.look()
    assert watcher.basis.model.calibration is not None
    assert watcher.basis.model.remarks == ()
    before = watcher.basis
    watcher.look()  # nothing has changed: nothing is read
    assert watcher.basis is before
    assert len(reader.read) == 1


def test_a_rejected_static_trial_is_none(watcher, tmp_path) -> None:
    listed(tmp_path)
    trial(tmp_path, "Static")
    watcher.look()
    assert watcher.basis.model.calibration is not None
    rejected = key(condition="Calibration", mode="Static", speed="").attributes()
    folder = tmp_path / "raw" / "P43" / SESSION
    with Journal(folder / "journal.jsonl", clock=lambda: 0.0) as journal:
        journal.append("verdict", accepted=False, reason="moved", **rejected)
    watcher.look()
    assert watcher.basis.model.calibration is None


def test_baselines_of_the_session_come_along(watcher, tmp_path) -> None:
    listed(tmp_path)
    trial(tmp_path, "Static")
    trial(tmp_path, "Unloaded")
    trial(tmp_path, "Unloaded", 2)
    watcher.look()
    assert [b.incline_deg for b in watcher.basis.baselines] == [5.0]
