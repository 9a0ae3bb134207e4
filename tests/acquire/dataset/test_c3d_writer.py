"""What is written as C3D is read back, by us and by the library alone."""

import ezc3d
import numpy as np
import pytest

from acquire.dataset.c3d import C3dError, C3dEvent, C3dPlate, read_c3d
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


def test_what_others_cannot_read_is_refused(tmp_path) -> None:
    out = tmp_path / "x.c3d"
    with pytest.raises(C3dError, match="write it in parts"):
        write_c3d(out, {"A": np.zeros((40_000, 3))}, 100.0)
    many = {f"c{k}": (np.zeros(10), "V") for k in range(256)}
    with pytest.raises(C3dError, match="256 analog channels"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, analogs=many)
    with pytest.raises(C3dError, match="channel a has 9 samples"):
        write_c3d(out, {"A": np.ones((1, 3))}, 100.0, analogs={"a": (np.ones(9), "V")})
    assert not out.exists()
