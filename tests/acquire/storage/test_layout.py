"""Names of the dataset folder, there and back."""

import datetime as dt
import json
from pathlib import Path

import pytest

from acquire.storage import labels
from acquire.storage.errors import LayoutError, MixedDatasetError
from acquire.storage.layout import (
    TrialKey,
    claim_dataset,
    dataset_kind,
    dataset_root,
    find_archives,
    find_trials,
    next_session,
    next_take,
    parse_path,
)

KEY = TrialKey("P43", "2026-11-22_1", "Ideal", "AS_5", "S_0x5", 3, 2)
STATIC = TrialKey("P43", "2026-11-22_1", "Calibration", "Static", "", 1, 1)


@pytest.mark.parametrize(
    ("speed_mps", "label"),
    [(0.5, "S_0x5"), (1.0, "S_1"), (1.5, "S_1x5"), (1.25, "S_1x25"), (0.0, "S_0")],
)
def test_speeds(speed_mps: float, label: str) -> None:
    assert labels.speed_label(speed_mps) == label
    assert labels.speed_mps(label) == speed_mps


@pytest.mark.parametrize(
    ("slope_deg", "label"), [(0, "LG_0"), (5, "AS_5"), (-10, "DS_10"), (2.5, "AS_2x5")]
)
def test_modes(slope_deg: float, label: str) -> None:
    assert labels.mode_label(slope_deg) == label
    assert labels.slope_deg(label) == slope_deg


def test_spellings_of_others_are_read() -> None:
    assert labels.speed_mps("S_1x0") == 1.0
    assert labels.slope_deg("DS-5") == -5.0
    assert labels.condition_label("Inter-day") == "InterDay"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (labels.speed_mps, "1x0"),
        (labels.speed_mps, "S_1.0"),
        (labels.slope_deg, "LG_5"),
        (labels.slope_deg, "AS_0"),
        (labels.slope_deg, "UP_5"),
        (labels.condition_label, "ideal"),
        (labels.participant_label, "43"),
        (labels.speed_label, -1.0),
    ],
)
def test_other_names_are_refused(read: object, text: object) -> None:
    with pytest.raises(LayoutError):
        read(text)  # type: ignore[operator]


def test_paths_of_the_contract(tmp_path: Path) -> None:
    folder = tmp_path / "raw/P43/2026-11-22_1/Ideal/AS_5/S_0x5"
    assert KEY.xdf(tmp_path) == folder / "Trial_3_take2.xdf"
    assert KEY.h5(tmp_path) == folder / "Trial_3_take2.h5"
    assert KEY.derived(tmp_path) == folder / "Trial_3_take2.derived.h5"
    assert STATIC.h5(tmp_path) == (
        tmp_path / "raw/P43/2026-11-22_1/Calibration/Static/Trial_1_take1.h5"
    )


@pytest.mark.parametrize("key", [KEY, STATIC])
def test_keys_come_back_from_paths(key: TrialKey) -> None:
    dataset = Path("/data/raw/set")  # a folder raw above the dataset's own
    journal = key.xdf(dataset).with_name(key.stem + ".xdf.journal")
    for path in (key.xdf(dataset), key.h5(dataset), key.derived(dataset), journal):
        assert parse_path(path) == key


def test_old_spellings_in_paths() -> None:
    path = Path("set/raw/P43/2026-11-22_1/Inter-day/LG_0/S_1x0/Trial_1_take1.h5")
    key = parse_path(path)
    assert (key.condition, key.speed) == ("InterDay", "S_1")


@pytest.mark.parametrize(
    "path",
    [
        "set/raw/P43/2026-11-22_1/Ideal/AS_5/S_0x5/Trial_3.h5",
        "set/raw/P43/2026-11-22_1/Ideal/AS_5/S_0x5/Trial_3_take1.csv",
        "set/raw/P43/2026-11-22_1/Ideal/AS_5/Trial_3_take1.h5",
        "set/raw/P43/today/Ideal/AS_5/S_1/Trial_3_take1.h5",
        "set/raw/P43/2026-11-22_1/Calibration/Dance/Trial_3_take1.h5",
        "set/P43/2026-11-22_1/Ideal/AS_5/S_1/Trial_3_take1.h5",
        "set/raw/P43/2026-11-22_1/Ideal/AS_5/S_1/Trial_0_take1.h5",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(LayoutError):
        parse_path(Path(path))


def test_takes_count_on(tmp_path: Path) -> None:
    assert next_take(tmp_path, KEY).take == 1
    KEY.folder(tmp_path).mkdir(parents=True)
    for name in ("Trial_3_take1.xdf", "Trial_3_take9.h5.tmp", "Trial_31_take99.h5"):
        (KEY.folder(tmp_path) / name).touch()
    assert next_take(tmp_path, KEY).take == 10


def test_sessions_count_on_within_a_day(tmp_path: Path) -> None:
    day = dt.date(2026, 11, 22)
    assert next_session(tmp_path, "P43", day) == "2026-11-22_1"
    for name in ("2026-11-22_1", "2026-11-22_10", "2026-11-21_30", "2026-11-22_x"):
        (tmp_path / "raw" / "P43" / name).mkdir(parents=True)
    assert next_session(tmp_path, "P43", day) == "2026-11-22_11"


def test_trials_are_found(tmp_path: Path) -> None:
    for key in (KEY, STATIC):
        key.folder(tmp_path).mkdir(parents=True)
    for path in (KEY.xdf(tmp_path), STATIC.h5(tmp_path), STATIC.derived(tmp_path)):
        path.touch()
    (KEY.folder(tmp_path) / "Trial_x.xdf").touch()
    assert find_trials(tmp_path) == [STATIC, KEY]
    assert find_trials(tmp_path, "P44") == []
    assert find_archives(tmp_path, "P43") == {STATIC: STATIC.h5(tmp_path)}


class TestKind:
    def test_a_dataset_is_one_or_the_other(self, tmp_path: Path) -> None:
        dataset = tmp_path / "set"
        assert dataset_kind(dataset) is None
        claim_dataset(dataset, simulated=True)
        claim_dataset(dataset, simulated=True)
        assert dataset_kind(dataset) == "virtual"
        with pytest.raises(MixedDatasetError, match="holds virtual recordings"):
            claim_dataset(dataset, simulated=False)

    def test_sessions_tell_without_the_mark(self, tmp_path: Path) -> None:
        session = tmp_path / "raw" / "P43" / "2026-11-22_1"
        session.mkdir(parents=True)
        (session / "session.json").write_text(json.dumps({"simulated": False}))
        assert dataset_kind(tmp_path) == "real"
        with pytest.raises(MixedDatasetError):
            claim_dataset(tmp_path, simulated=True)

    def test_the_root_is_found_from_inside(self, tmp_path: Path) -> None:
        assert dataset_root(KEY.h5(tmp_path)) == tmp_path
        claim_dataset(tmp_path, simulated=True)
        assert dataset_root(tmp_path) == tmp_path
        assert dataset_root(KEY.h5(tmp_path)) == tmp_path
