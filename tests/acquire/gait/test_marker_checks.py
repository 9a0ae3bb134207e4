"""Markers that cannot be right are named, before they become angles."""

import numpy as np
import pytest

from acquire.gait.marker_checks import MarkerError, check_markers
from acquire.gait.measures import MeasureError, measures
from acquire.gait.plug_in_gait import kinematics
from acquire.gait.static_calibration import calibrate
from tests.acquire.gait.test_plug_in_gait import body, by_label, calibration
from tests.builders.walkers import walker


@pytest.fixture
def markers():
    walk = walker(1.0, 0.0)
    return by_label(walk.person.markers_m(walk.times(100)[:200]))


def test_good_markers_pass(markers) -> None:
    check_markers(markers, "walk")
    markers["SACR"] = (markers.pop("LPSI") + markers.pop("RPSI")) / 2
    check_markers(markers, "walk")


def test_missing_markers_are_named(markers) -> None:
    del markers["LKNE"]
    markers["RTOE"] = np.full_like(markers["RTOE"], np.nan)
    with pytest.raises(MarkerError, match="walk lacks LKNE and RTOE"):
        check_markers(markers, "walk")
    markers = {k: v for k, v in markers.items() if k != "RPSI"}
    with pytest.raises(MarkerError, match=r"LKNE, RTOE and RPSI \(SACR would serve"):
        check_markers(markers, "walk")


def test_millimetres_are_no_metres(markers) -> None:
    with pytest.raises(MarkerError, match="positions are in mm, not in m"):
        check_markers({k: v * 1000 for k, v in markers.items()}, "walk")
    with pytest.raises(MarkerError, match="are the positions in m"):
        check_markers({k: v / 1000 for k, v in markers.items()}, "walk")


def test_swapped_sides_are_told(markers) -> None:
    flip = {"L": "R", "R": "L"}
    swapped = {flip[k[0]] + k[1:]: v for k, v in markers.items()}
    with pytest.raises(MarkerError, match="swapped at all markers"):
        check_markers(swapped, "walk")


@pytest.mark.parametrize("name", ["THI", "KNE", "TIB", "ANK", "HEE", "TOE"])
def test_one_swapped_pair_is_named(markers, name: str) -> None:
    markers[f"L{name}"], markers[f"R{name}"] = markers[f"R{name}"], markers[f"L{name}"]
    with pytest.raises(MarkerError, match=f"L{name} and R{name}"):
        check_markers(markers, "walk")


def test_a_knee_device_is_refused(markers) -> None:
    for name in ("LKAX", "LKD1", "LKD2"):
        markers[name] = markers["LKNE"]
    with pytest.raises(MarkerError, match="knee alignment device"):
        calibrate(markers, body(walker(1.0, 0.0).config))


def sheet(**changes):
    legs = {
        f"{name}_{side}_mm": value
        for name, value in (
            *(("leg_length", 900.0), ("knee_width", 100.0), ("ankle_width", 70.0)),
        )
        for side in ("left", "right")
    }
    return {**legs, "marker_diameter_mm": 14.0, "mass_kg": 70.0, **changes}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("knee_width_left_mm", 0.0, "knee_width_left_mm is missing"),
        ("marker_diameter_mm", float("nan"), "marker_diameter_mm is missing"),
        ("leg_length_right_mm", 9400.0, "leg_length_right_mm is 9400 mm"),
        ("mass_kg", -1.0, "mass_kg is -1, no body's mass"),
    ],
)
def test_impossible_measures_are_named(name: str, value: float, message: str) -> None:
    with pytest.raises(MeasureError, match=message) as caught:
        measures(sheet(**{name: value}))
    assert caught.value.measure == name


def test_no_mass_is_no_obstacle_to_angles() -> None:
    assert measures(sheet(mass_kg=0.0)).mass_kg is None


def test_a_hidden_marker_hides_what_rests_on_it(markers) -> None:
    markers["LANK"] = markers["LANK"].copy()
    markers["LANK"][30:40] = np.nan
    own = body(walker(1.0, 0.0).config)
    _, found = kinematics(markers, own, calibration())
    assert np.isnan(found["LAnkleAngles"][30:40]).all()
    assert np.isnan(found["LKneeAngles"][30:40]).all()
    assert np.isfinite(found["LHipAngles"]).all()
    assert np.isfinite(found["RAnkleAngles"]).all()
