"""The source files: named as published, readable by others, rebuilt alike."""

import shutil

import ezc3d
import numpy as np
import pytest
from scipy.io import loadmat

from acquire.dataset.checks.source import source_findings
from acquire.dataset.placed_trial import even_rows, placed_trial
from acquire.dataset.source_tree import write_source_tree
from acquire.dataset.source_tree.names import (
    elonxi_file,
    noraxon_file,
    static_file,
    vicon_file,
)
from acquire.dataset.source_tree.vicon import _c3d_plate
from acquire.gait.plate_types import on_plate, plate_at
from acquire.gait.plates import Plate
from acquire.storage.manifest import read_manifest, verify_manifest
from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.person_dataset import person_dataset
from tests.builders.walking import Walk, session

FIRST = "SourceData/Vicon/P43/Ideal/P43+Ideal+LG+0+1+1.c3d"
EMG = "SourceData/Noraxon/P43/Ideal-LG-0-1-1.mat"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = person_dataset(tmp_path_factory.mktemp("tree") / "K2", key(1))
    return root, write_source_tree(root, "P43")


@pytest.fixture(scope="module")
def placed(made):
    return placed_trial(key(1).h5(made[0]))


@pytest.mark.parametrize(
    ("changes", "vicon", "elonxi", "noraxon"),
    [
        (
            {},
            "Vicon/P43/Ideal/P43+Ideal+LG+0+1+1.c3d",
            "ELONXI/P43/Ideal/LG_0/US_Ch2_S_1_Trial_1.txt",
            "Noraxon/P43/Ideal-LG-0-1-1.mat",
        ),
        (
            {"mode": "AS_5", "speed": "S_0x5", "trial": 3},
            "Vicon/P43/Ideal/P43+Ideal+AS+5+0.5+3.c3d",
            "ELONXI/P43/Ideal/AS_5/US_Ch2_S_0x5_Trial_3.txt",
            "Noraxon/P43/Ideal-AS-5-0x5-3.mat",
        ),
        (
            {"condition": "ShiftUpward", "mode": "DS_10", "trial": 5},
            "Vicon/P43/Shift/P43+ShiftUpward+DS+10+1+5.c3d",
            "ELONXI/P43/ShiftUpward/DS_10/US_Ch2_S_1_Trial_5.txt",
            "Noraxon/P43/ShiftUpward-DS-10-1-5.mat",
        ),
        (
            {"condition": "InterDay", "speed": "S_1x5"},
            "Vicon/P43/Inter-day/P43+InterDay+LG+0+1.5+1.c3d",
            "ELONXI/P43/Inter-day/LG_0/US_Ch2_S_1x5_Trial_1.txt",
            "Noraxon/P43/InterDay-LG-0-1x5-1.mat",
        ),
    ],
)
def test_names_are_the_published_ones(changes, vicon, elonxi, noraxon) -> None:
    trial = key(**changes)
    assert str(vicon_file(trial)) == f"SourceData/{vicon}"
    assert str(elonxi_file(trial, 2)) == f"SourceData/{elonxi}"
    assert str(noraxon_file(trial)) == f"SourceData/{noraxon}"


def test_every_stream_of_a_trial_has_its_files(made) -> None:
    root, result = made
    probes = [str(elonxi_file(key(1), probe)) for probe in (1, 2, 3, 4)]
    wanted = {FIRST, EMG, *probes, str(static_file("P43", "Ideal", 1))}
    assert set(result.files) == wanted
    assert set(result.files.values()) == {"new"}
    assert wanted <= set(read_manifest(root))
    assert verify_manifest(root) == []
    assert "7 files, 7 new" in result.describe()


def test_the_c3d_holds_points_plates_line_and_events(made, placed) -> None:
    file = ezc3d.c3d(str(made[0] / FIRST), extract_forceplat_data=True)
    labels = file["parameters"]["POINT"]["LABELS"]["value"]
    points = file["data"]["points"]
    assert points.shape[2] == placed.n_frames
    heel = placed.markers_m()["LHEE"]
    written = points[:3, labels.index("LHEE")].T
    assert written == pytest.approx(heel * 1e3, abs=1e-3)
    analogs = file["parameters"]["ANALOG"]["LABELS"]["value"]
    line = file["data"]["analogs"][0, analogs.index("Sync")]
    assert line[0] > 2.5  # frame 1 is the rise
    assert line.size == 10 * placed.n_frames
    events = file["parameters"]["EVENT"]
    strikes = [
        60 * minutes + seconds
        for context, label, minutes, seconds in zip(
            events["CONTEXTS"]["value"],
            events["LABELS"]["value"],
            *events["TIMES"]["value"],
            strict=True,
        )
        if (context, label) == ("Left", "Foot Strike")
    ]
    last_s = placed.duration_s - 0.01
    true = [
        e.time_s
        for e in placed.gait.events
        if (e.side, e.kind) == ("left", "strike") and 0 <= e.time_s <= last_s
    ]
    assert strikes == pytest.approx(true, abs=1e-5)
    assert file["parameters"]["PROCESSING"]["Bodymass"]["value"][0] > 40
    # another implementation of plates: together they carry the person, upward
    force = sum(p["force"] for p in file["data"]["platform"])
    weight = file["parameters"]["PROCESSING"]["Bodymass"]["value"][0] * 9.81
    assert np.nanmean(force[2]) == pytest.approx(weight, rel=0.05)
    pressed = file["data"]["platform"][0]
    loaded = pressed["force"][2] > 100
    spot = pressed["center_of_pressure"][:, loaded] / 1e3
    corners = pressed["corners"] / 1e3
    for axis in (0, 1):
        assert spot[axis].min() > corners[axis].min() - 0.02
        assert spot[axis].max() < corners[axis].max() + 0.02


def test_the_c3d_holds_what_the_gait_model_made_by_group(made, placed) -> None:
    file = ezc3d.c3d(str(made[0] / FIRST))
    parameters, points = file["parameters"]["POINT"], file["data"]["points"]
    labels = parameters["LABELS"]["value"]
    hidden = file["data"]["meta_points"]["residuals"][0] < 0
    model = placed.model()
    for group, name, factor, unit in (
        ("ANGLE", "LKneeAngles", 1.0, "deg"),
        ("MOMENT", "RAnkleMoment", 1e3, "Nmm"),
        ("POWER", "LHipPower", 1.0, "W"),
    ):
        assert name in parameters[f"{group}S"]["value"]
        assert parameters[f"{group}_UNITS"]["value"] == [unit]
        k = labels.index(name)
        known = np.isfinite(model[name]).all(axis=1)
        assert known.sum() > 100
        assert np.array_equal(hidden[k], ~known)
        written = points[:3, k, known].T
        assert written == pytest.approx(model[name][known] * factor, rel=1e-5, abs=1e-3)
    up = points[2, labels.index("RGroundReactionForce")]
    assert "RGroundReactionForce" in parameters["FORCES"]["value"]
    assert 8 < np.nanmax(up) < 16  # N/kg


def test_the_mat_file_holds_each_channel_as_recorded(made, placed) -> None:
    content = loadmat(made[0] / EMG, squeeze_me=True, struct_as_record=False)
    record = content["record_Ideal_LG_0_1_1"]
    signals = record.movements.sources.signals
    names = [getattr(signals, f"signal_{k}").name for k in range(1, 15)]
    assert names[:2] == ["R_TA", "R_MG"]
    assert names[13] == "Sync"
    first = signals.signal_1
    assert (first.units, first.frequency) == ("uV", 2000)
    stream = placed.recording["semg"]
    at = placed.time_s("semg")
    inside = (at >= 0) & (at < placed.duration_s)
    assert first.data == pytest.approx(stream.column("R_TA")[inside], abs=0)
    assert record.info.first_sample_s == at[inside][0]
    head = (made[0] / EMG).read_bytes()[:116]
    assert head.rstrip() == b"MATLAB 5.0 MAT-file, written by Kinemuse"


def test_the_text_holds_each_frame_as_a_line(made, placed) -> None:
    text = np.loadtxt(made[0] / str(elonxi_file(key(1), 3)))
    stream = placed.recording["amode"]
    at = placed.time_s("amode")
    inside = (at >= 0) & (at < placed.duration_s)
    first = stream.labels.index("CH3_0000")
    assert np.array_equal(text, stream.data[inside, first : first + 1000])


@pytest.fixture
def copy(made, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(made[0], root)
    return root


def test_the_same_archive_gives_the_same_bytes(made, copy) -> None:
    shutil.rmtree(copy / "SourceData")
    again = write_source_tree(copy, "P43")
    assert set(again.files.values()) == {"new"}
    for name in again.files:
        assert (copy / name).read_bytes() == (made[0] / name).read_bytes(), name
    assert set(write_source_tree(copy, "P43").files.values()) == {"unchanged"}


def test_what_others_changed_stays_and_is_told(copy) -> None:
    corrected = b"events put right by hand"
    (copy / FIRST).write_bytes(corrected)
    result = write_source_tree(copy, "P43")
    assert result.files[FIRST] == "kept"
    assert (copy / FIRST).read_bytes() == corrected
    (finding,) = result.findings
    assert (finding.code, finding.where) == ("source-foreign", FIRST)
    assert "it stays" in result.describe()


def test_an_output_that_does_not_follow_from_the_archive_is_found(copy, placed):
    derived, recording = placed.derived, placed.recording
    assert not list(source_findings(copy, key(1), recording, derived))
    file = ezc3d.c3d(str(copy / FIRST))
    labels = file["parameters"]["POINT"]["LABELS"]["value"]
    file["data"]["points"][0, labels.index("RAnkleMoment")] += 5.0  # N mm / kg
    file.write(str(copy / FIRST))
    (finding,) = source_findings(copy, key(1), recording, derived)
    assert (finding.code, finding.where) == ("source-c3d-differs", FIRST)
    assert "RAnkleMoment" in finding.message


def test_our_own_earlier_file_is_replaced(copy, monkeypatch) -> None:
    monkeypatch.setattr("acquire.dataset.source_tree.noraxon.HEADER", b"MATLAB other")
    result = write_source_tree(copy, "P43")
    assert result.files[EMG] == "rebuilt"
    assert (copy / EMG).read_bytes().startswith(b"MATLAB other")
    assert verify_manifest(copy) == []


def test_files_of_a_trial_no_longer_accepted_are_removed(copy) -> None:
    verdict(copy, key(1), accepted=False)
    (copy / EMG).write_bytes(b"mine")
    result = write_source_tree(copy, "P43")
    assert not (copy / FIRST).exists()
    assert FIRST in result.removed
    assert FIRST not in read_manifest(copy)
    assert (copy / EMG).read_bytes() == b"mine"
    assert [f.where for f in result.findings] == [EMG]


def test_losses_keep_their_room(tmp_path) -> None:
    recorded = session(
        Walk(duration_s=6.0), lost_emg=slice(9000, 9040), lost_us=slice(60, 62)
    )
    root = dataset(tmp_path / "K2")
    archive(root, key(1), recorded)
    verdict(root, key(1), accepted=True)
    write_source_tree(root, "P43")
    content = loadmat(root / EMG, squeeze_me=True, struct_as_record=False)
    data = content["record_Ideal_LG_0_1_1"].movements.sources.signals.signal_1.data
    assert np.isnan(data).sum() == 40
    text = np.loadtxt(root / str(elonxi_file(key(1), 1)))
    assert np.isnan(text).all(axis=1).sum() == 2
    assert len(text) == 80


def test_a_fast_clock_loses_and_doubles_nothing() -> None:
    index = np.arange(200_000.0)
    row, times = even_rows(-0.5 + index / 2000 * (1 + 80e-6), 2000.0, 90.0)
    assert np.array_equal(np.diff(row), np.ones(row.size - 1))
    assert 0 <= times[0] < 1 / 2000
    assert times[-1] < 90.0


@pytest.mark.parametrize("up", [False, True])
def test_a_plate_comes_back_where_it_was(up) -> None:
    axes = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    axes = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]) if up else axes
    corners = np.array([[0.9, 0.1, 0], [0.9, 0.5, 0], [-0.9, 0.5, 0], [-0.9, 0.1, 0]])
    plate = Plate("FP1", axes, np.array([0.0, 0.3, -0.03]), corners)
    world = np.array([[20.0, -10, -700], [5, 3, -300]])
    spot = np.array([[0.2, 0.25, 0.0], [-0.3, 0.4, 0.0]])
    moment = np.cross(spot - plate.origin_m, world)
    written = _c3d_plate(plate, np.hstack([world @ axes, moment @ axes]))
    again = plate_at("1", 2, written.corners_m, written.origin_m)
    loads = on_plate(again, written.channels)
    assert loads[:, :3] @ again.rotation.T == pytest.approx(world)
    turned = np.cross(spot - again.origin_m, world) @ again.rotation
    assert loads[:, 3:] == pytest.approx(turned)
    assert written.channels[0, 2] < 0  # the reaction, z down


def test_uphill_plates_lean_with_the_deck(tmp_path) -> None:
    root = dataset(tmp_path / "K2")
    uphill = session(Walk(duration_s=6.0, incline_deg=5.0))
    trial = placed_trial(archive(root, key(1, mode="AS_5"), uphill))
    ((plate, _), _) = trial.plates()
    assert trial.incline_deg() == pytest.approx(5.0)
    lean = np.degrees(np.arctan2(*np.ptp(plate.corners_m, axis=0)[[2, 0]]))
    assert lean == pytest.approx(5.0)
