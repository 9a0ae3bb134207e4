"""What is written as C3D is read back, by us and by the library alone."""

import ezc3d
import numpy as np
import pytest

from acquire.dataset.c3d import C3dError, C3dEvent, C3dPlate, read_c3d
from acquire.dataset.c3d_gait import force_plates
from acquire.dataset.c3d_writer import write_c3d

N = 40
CORNERS_M = np.array([[0.5, 0.2, 0], [0.1, 0.2, 0], [0.1, 0.8, 0], [0.5, 0.8, 0]])


@pytest.fixture
def written(tmp_path):
    rng = np.random.default_rng(1)
    markers = {name: rng.normal(0, 1, (N, 3)) for name in ("LASI", "RASI", "LTOE")}
    markers["LTOE"][5:9] = np.nan
    loads = rng.normal(0, 300, (10 * N, 6))
    plates = [C3dPlate(2, loads, CORNERS_M, np.array([0, 0, -0.04]))] * 2
    emg = {"TA": (rng.normal(0, 1e-3, 10 * N), "V")}
    events = [
        C3dEvent(0.123, "Left", "Foot Strike"),
        C3dEvent(61.5, "Right", "Foot Off"),
    ]
    path = write_c3d(
        tmp_path / "trial.c3d",
        markers,
        100.0,
        analogs=emg,
        plates=plates,
        events=events,
        processing={"MarkerDiameter": 14.0},
    )
    return path, markers, emg, plates, events


def test_everything_is_read_back(written) -> None:
    path, markers, emg, plates, events = written
    found = read_c3d(path)
    assert (found.rate_hz, found.analog_rate_hz, found.n_frames) == (100, 1000, N)
    assert found.first_frame == 1
    for name, rows in markers.items():
        assert found.markers_m[name] == pytest.approx(rows, abs=1e-6, nan_ok=True)
    assert found.analogs["TA"] == pytest.approx(emg["TA"][0], abs=1e-7)
    assert len(found.plates) == 2
    assert found.plates[1].channels == pytest.approx(plates[1].channels, abs=1e-3)
    assert found.plates[1].corners_m == pytest.approx(CORNERS_M)
    assert [e.time_s for e in found.events] == pytest.approx(
        [e.time_s for e in events], abs=1e-5
    )
    assert [e.context for e in found.events] == ["Left", "Right"]
    assert found.processing["MarkerDiameter"] == 14.0
    assert [p.name for p in path.parent.iterdir()] == ["trial.c3d"]


def test_a_hidden_marker_is_no_valid_point_elsewhere(written) -> None:
    file = ezc3d.c3d(str(written[0]))
    residuals = file["data"]["meta_points"]["residuals"][0, 2]
    assert (residuals[5:9] < 0).all()
    assert (np.delete(residuals, range(5, 9)) >= 0).all()
    kinds = file["parameters"]["FORCE_PLATFORM"]
    assert [kinds[name]["type"] for name in ("USED", "TYPE", "CHANNEL")] == [2, 2, 2]


def test_another_package_reads_the_same(written) -> None:
    c3d = pytest.importorskip("c3d", reason="the package c3d is not installed")
    path, markers, emg, plates, _ = written
    with path.open("rb") as file:
        reader = c3d.Reader(file)
        frames = list(reader.read_frames())
        labels = [label.strip() for label in reader.point_labels]
        channels = [label.strip() for label in reader.analog_labels]
    assert labels == list(markers)
    points = np.stack([points for _, points, _ in frames])
    analogs = np.concatenate([analog for _, _, analog in frames], axis=1)
    lasi = points[:, labels.index("LASI"), :3] / 1000
    assert lasi == pytest.approx(markers["LASI"], abs=1e-6)
    hidden = points[:, labels.index("LTOE"), 3] < 0
    assert np.flatnonzero(hidden).tolist() == [5, 6, 7, 8]
    assert analogs[channels.index("TA")] == pytest.approx(emg["TA"][0], abs=1e-7)
    fz = analogs[channels.index("Fz1")]
    assert fz == pytest.approx(plates[0].channels[:, 2], abs=1e-3)


def plate_of(kind):
    width = 8 if kind == 3 else 6
    rows = np.random.default_rng(kind).normal(0, 300, (10 * N, width))
    matrix = None
    if kind == 4:
        matrix = np.diag([100.0, 100, 200, 50, 50, 25]) + 0.5
        rows /= 100
    return C3dPlate(kind, rows, CORNERS_M, np.array([0.1, 0.2, -0.04]), matrix)


@pytest.mark.parametrize("kinds", [(1,), (3,), (4,), (2, 3, 1, 4)])
def test_plates_of_every_type_are_read_back(tmp_path, kinds) -> None:
    plates = [plate_of(kind) for kind in kinds]
    still = {"LASI": np.ones((N, 3))}
    path = write_c3d(tmp_path / "plates.c3d", still, 100.0, plates=plates)
    found = read_c3d(path).plates
    assert [plate.kind for plate in found] == list(kinds)
    for got, want in zip(found, plates, strict=True):
        assert got.channels == pytest.approx(want.channels, abs=1e-3)
        assert got.corners_m == pytest.approx(want.corners_m, abs=1e-6)
        assert got.origin_m == pytest.approx(want.origin_m, abs=1e-6)
        if want.matrix is not None:
            assert got.matrix == pytest.approx(want.matrix, rel=1e-5)


@pytest.mark.parametrize("kind", [2, 4])
def test_a_written_plate_means_the_same_to_another_reader(tmp_path, kind) -> None:
    still = {"LASI": np.ones((N, 3))}
    plates = [plate_of(1), plate_of(kind)]  # the matrix is the second plate's
    path = write_c3d(tmp_path / "plates.c3d", still, 100.0, plates=plates)
    try:
        file = ezc3d.c3d(str(path), extract_forceplat_data=True)
    except RuntimeError:  # type 1 is not known to that reader
        path = write_c3d(path, still, 100.0, plates=plates[1:])
        file = ezc3d.c3d(str(path), extract_forceplat_data=True)
    theirs = file["data"]["platform"][-1]["force"]
    placed, loads = force_plates(read_c3d(path))
    ours = loads[-1][:, :3] @ placed[-1].rotation.T
    assert np.abs(theirs) == pytest.approx(np.abs(ours.T), abs=0.02)


def test_outputs_of_a_model_are_written_as_nexus_does(tmp_path) -> None:
    rng = np.random.default_rng(2)
    angles, moment = rng.normal(0, 30, (N, 3)), rng.normal(0, 1, (N, 3))
    moment[3] = np.nan
    path = write_c3d(
        tmp_path / "model.c3d",
        {"LASI": np.ones((N, 3))},
        100.0,
        outputs={"ANGLES": {"LHipAngles": angles}, "MOMENTS": {"LHipMoment": moment}},
        events=[C3dEvent(0.25, "Left", "Foot Strike")],
        first_frame=124,
    )
    found = read_c3d(path)
    assert found.first_frame == 124
    assert [event.time_s for event in found.events] == pytest.approx([0.25], abs=1e-5)
    assert found.model_labels == {"LHipAngles", "LHipMoment"}
    assert list(found.markers_m) == ["LASI"]
    assert found.points["LHipAngles"] == pytest.approx(angles, abs=1e-4)
    want = moment * 1000
    assert found.points["LHipMoment"] == pytest.approx(want, abs=1e-3, nan_ok=True)
    own = ezc3d.c3d(str(path))["parameters"]
    assert own["POINT"]["MOMENT_UNITS"]["value"] == ["Nmm"]
    minutes, seconds = own["EVENT"]["TIMES"]["value"]
    assert minutes[0] * 60 + seconds[0] == pytest.approx(1.48)  # of the capture


def test_what_others_cannot_read_is_refused(tmp_path) -> None:
    out = tmp_path / "x.c3d"
    with pytest.raises(C3dError, match="write it in parts"):
        write_c3d(out, {"A": np.zeros((40_000, 3))}, 100.0)
    many = {f"c{k}": (np.zeros(10), "V") for k in range(256)}
    with pytest.raises(C3dError, match="256 analog channels"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, analogs=many)
    wrong = C3dPlate(2, np.zeros((10, 8)), CORNERS_M, np.zeros(3))
    with pytest.raises(C3dError, match="plate 1 is of type 2 with channels of shape"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, plates=[wrong])
    unlike = C3dPlate(4, np.zeros((10, 6)), CORNERS_M, np.zeros(3))
    with pytest.raises(C3dError, match="without its matrix"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, plates=[unlike])
    with pytest.raises(C3dError, match="channel a has 9 samples"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, analogs={"a": (np.ones(9), "V")})
    assert not out.exists()
