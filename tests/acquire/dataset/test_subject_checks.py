"""Each property of a subject file spoiled once, and the code that must say so."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from acquire.dataset.checks.subject import subject_findings
from acquire.dataset.matfile import Cell, MatWriter
from tests.acquire.dataset.test_matfile import CREATED
from tests.builders.spoiling import replaced

FRAMES = 300


def curves(n: int) -> dict[str, Any]:
    return {
        "rsGaitData": np.zeros((200, 3, n)),
        "MeanValues": np.zeros((200, 3)),
        "StdValues": np.zeros((200, 3)),
    }


def structs() -> tuple[dict[str, Any], dict[str, Any]]:
    frame = np.zeros((4, 1000))
    firsts = {"Left_Foot_Strike": 0.5, "Left_Foot_Off": 1.0}
    times = {name: np.array([[t], [t + 1.0]]) for name, t in firsts.items()}
    frames = {name: 100 * at + 1 for name, at in times.items()}
    original = {
        "Markers": {"LASI": np.ones((FRAMES, 3)), "RASI": np.ones((FRAMES, 3))},
        "Forces": {"LGroundReactionForce": np.full((FRAMES, 3), 9.8)},
        "Events": {"EventTime": times, "EventFrame": frames},
        "USData": Cell((frame,) * (FRAMES // 5)),
        "EMGData": np.zeros((20 * FRAMES, 13)),
    }
    row = np.array([[1.0, 111.0]])
    normalized = {
        "Markers": {"LASI": curves(2), "RASI": curves(2)},
        "Forces": {"LGroundReactionForce": curves(2)},
        "Events": {
            "LStartFrame": row,
            "LEndFrame": row + 110,
            "RStartFrame": row,
            "REndFrame": row + 110,
        },
        "USData": Cell((Cell((frame,)), Cell(()))),
        "EMGData": {
            "Right": Cell((np.zeros((2200, 9)), np.zeros((2199, 9)))),
            "Left": Cell((np.zeros((2200, 4)), np.zeros((2199, 4)))),
        },
    }
    return original, normalized


def write(
    path: Path,
    original: dict[str, Any],
    normalized: dict[str, Any],
    place: str = "Ideal/LG_0/S_1/Trial_1",
) -> Path:
    with MatWriter(path, created=CREATED) as mat:
        mat.write(f"P43/OriginalData/{place}", original)
        mat.write(f"P43/NormalizedData/{place}", normalized)
    return path


def codes(path: Path) -> set[str]:
    return {f.code for f in subject_findings(path) if f.severity != "info"}


def test_a_good_file_has_nothing_to_say(tmp_path: Path) -> None:
    assert codes(write(tmp_path / "P43.mat", *structs())) == set()


def twice_off() -> dict[str, Any]:
    """Events with two foot offs between strikes; frames and times agree."""
    firsts = {"Left_Foot_Strike": (0.5, 1.5), "Left_Foot_Off": (0.9, 1.1)}
    times = {name: np.array(at)[:, None] for name, at in firsts.items()}
    frames = {name: 100 * at + 1 for name, at in times.items()}
    return {"EventTime": times, "EventFrame": frames}


DROP = object()
NEWTONS = np.full((FRAMES, 3), 700.0)
FRAME = np.zeros((4, 1000))
TIMES = "original.Events.EventTime.Left_Foot_Off"
CURVE = "normalized.Markers.LASI"
SPOILS: list[tuple[str, str, Any]] = [
    ("subject-emg-shape", "original.EMGData", np.zeros((6000, 12))),
    ("subject-emg-ratio", "original.EMGData", np.zeros((5000, 13))),
    ("subject-emg-missing", "original.EMGData", np.full((6000, 13), np.nan)),
    ("subject-us-cell", "original.USData", FRAME),
    ("subject-us-frame", "original.USData", Cell((FRAME.T,) * 60)),
    ("subject-us-frame", "original.USData", Cell((FRAME.astype("i2"),) * 60)),
    ("subject-us-count", "original.USData", Cell((FRAME,) * 40)),
    ("subject-shape", "original.Markers.LASI", np.ones((FRAMES, 4))),
    ("subject-length", "original.Markers.LASI", np.ones((FRAMES - 9, 3))),
    ("subject-unit", "original.Markers.LASI", np.full((FRAMES, 3), 900.0)),
    (
        "subject-unit",
        "original.Forces.LGroundReactionForce",
        np.full((FRAMES, 3), 700.0),
    ),
    ("subject-event-range", TIMES, np.array([[1.0], [9.9]])),
    ("subject-event-order", TIMES, np.array([[2.0], [1.0]])),
    ("subject-curve-shape", f"{CURVE}.rsGaitData", np.zeros((101, 3, 2))),
    ("subject-curve-shape", f"{CURVE}.StdValues", np.zeros((3, 200))),
    ("subject-curve-fields", f"{CURVE}.MeanValues", DROP),
    ("subject-stride-events", "normalized.Events.REndFrame", DROP),
    ("subject-stride-frames", "normalized.Events.REndFrame", np.array([[0.0, 5.0]])),
    (
        "subject-emg-stride",
        "normalized.EMGData.Left",
        Cell((np.zeros((9, 9)), np.zeros((9, 9)))),
    ),
    ("subject-class", "original.Markers.LASI", np.ones((FRAMES, 3), np.float32)),
    (
        "subject-event-frame",
        "original.Events.EventFrame.Left_Foot_Off",
        np.array([[101.0], [191.0]]),
    ),
    ("subject-event-alternate", "original.Events", twice_off()),
    ("subject-curve-mean", f"{CURVE}.MeanValues", np.ones((200, 3))),
    ("subject-curve-mean", f"{CURVE}.StdValues", np.ones((200, 3))),
    ("subject-stride-count", "normalized.USData", Cell((Cell((FRAME,)),))),
]


@pytest.mark.parametrize(("code", "place", "value"), SPOILS)
def test_each_fault_has_its_code(
    tmp_path: Path, code: str, place: str, value: object
) -> None:
    original, normalized = structs()
    *parents, name = place.split(".")
    part: dict[str, Any] = {"original": original, "normalized": normalized}
    for parent in parents:
        part = part[parent]
    part[name] = value
    if value is DROP:
        del part[name]
    assert codes(write(tmp_path / "P43.mat", original, normalized)) == {code}


def test_fields_in_another_order_are_found(tmp_path: Path) -> None:
    original, normalized = structs()
    original["Markers"] = original.pop("Markers")
    found = codes(write(tmp_path / "P43.mat", original, normalized))
    assert found == {"subject-field-order"}


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("Idle/LG_0/S_1/Trial_1", "subject-name"),
        ("Ideal/UP_5/S_1/Trial_1", "subject-name"),
        ("Ideal/LG_0/1x0/Trial_1", None),
    ],
)
def test_names_must_parse(tmp_path: Path, place: str, code: str | None) -> None:
    if code is None:
        place = place.replace("/1x0/", "/S_1x0/")  # the site's other spelling
    path = write(tmp_path / "P43.mat", *structs(), place=place)
    assert codes(path) == ({code} if code else set())


def test_the_variable_is_named_after_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "P43.mat", *structs())
    assert codes(path.rename(tmp_path / "P44.mat")) == {"subject-variable"}


def test_trees_and_pairs_must_match(tmp_path: Path) -> None:
    original, normalized = structs()
    with MatWriter(tmp_path / "P43.mat", created=CREATED) as mat:
        mat.write("P43/OriginalData/Ideal/LG_0/S_1/Trial_1", original)
    assert codes(tmp_path / "P43.mat") == {"subject-trees"}
    with MatWriter(tmp_path / "P9.mat", created=CREATED) as mat:
        mat.write("P9/OriginalData/Ideal/LG_0/S_1/Trial_1", original)
        mat.write("P9/NormalizedData/Ideal/LG_0/S_1/Trial_2", normalized)
    assert codes(tmp_path / "P9.mat") == {"subject-pair"}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("good") / "P43.mat", *structs())


TRIAL = "P43/OriginalData/Ideal/LG_0/S_1/Trial_1"


def drop_target(file: Any) -> None:
    del file["#refs#"][file[file[f"{TRIAL}/USData"][0, 0]].name.rpartition("/")[2]]


CONTAINER: list[tuple[str, Callable[[Any], None]]] = [
    ("mat-class", lambda f: f[TRIAL].attrs.__delitem__("MATLAB_class")),
    ("mat-class", lambda f: f[TRIAL].attrs.create("MATLAB_class", np.bytes_("struct"))),
    ("mat-fields", lambda f: f[TRIAL].attrs.__delitem__("MATLAB_fields")),
    ("mat-reference", drop_target),
    ("mat-root", lambda f: f.attrs.create("x", 1)),
    ("mat-empty", lambda f: f[f"{TRIAL}/EMGData"].attrs.create("MATLAB_empty", 1)),
    ("mat-dims", replaced(f"{TRIAL}/EMGData", np.zeros(5))),
]


@pytest.mark.parametrize(("code", "spoil"), CONTAINER)
def test_the_container_is_checked(
    good: Path, tmp_path: Path, code: str, spoil: Callable[[Any], None]
) -> None:
    path = Path(shutil.copy(good, tmp_path / "P43.mat"))
    with h5py.File(path, "r+") as file:
        spoil(file)
    assert codes(path) == {code}


@pytest.mark.parametrize(
    ("at", "raw", "code"),
    [
        (0, b"MATLAB 5.0", "mat-header"),
        (124, b"\x01\x00", "mat-header"),
        (512, b"oops", "mat-userblock"),
        (520, b"\x02", "mat-superblock"),
    ],
)
def test_the_first_bytes_are_checked(
    good: Path, tmp_path: Path, at: int, raw: bytes, code: str
) -> None:
    content = bytearray(good.read_bytes())
    content[at : at + len(raw)] = raw
    path = tmp_path / "P43.mat"
    path.write_bytes(content)
    assert codes(path) == {code}


def test_a_file_cut_short_is_no_hdf5(good: Path, tmp_path: Path) -> None:
    (tmp_path / "P43.mat").write_bytes(good.read_bytes()[:3000])
    assert codes(tmp_path / "P43.mat") == {"mat-hdf5"}


def test_absent_data_types_are_told(good: Path, tmp_path: Path) -> None:
    original, normalized = structs()
    del original["Forces"]
    path = write(tmp_path / "P43.mat", original, normalized)
    new = set(subject_findings(path)) - set(subject_findings(good))
    assert {(f.code, f.message) for f in new} == {
        ("subject-absent", "has no Angles, Forces, Moments, Powers")
    }


CODES = {
    *(code for code, *_ in (*SPOILS, *CONTAINER)),
    *("mat-header", "mat-userblock", "mat-superblock", "mat-hdf5", "subject-name"),
    *("subject-field-order", "subject-variable", "subject-trees", "subject-pair"),
    "subject-absent",
}
"""Codes whose corruption is tested here."""


def test_a_stub_is_no_mat_file(tmp_path: Path) -> None:
    (tmp_path / "P43.mat").write_bytes(b"MATLAB 7.3 MAT-file")
    assert codes(tmp_path / "P43.mat") == {"mat-header"}
