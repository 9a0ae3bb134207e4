"""Angles and moments of the simulated walker: what went in comes out."""

from functools import cache

import numpy as np
import pytest

from acquire.gait.angles import joint_angles, progression
from acquire.gait.measures import measures
from acquire.gait.plug_in_gait import kinematics
from acquire.gait.segments import build_segments
from acquire.gait.static_calibration import calibrate
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import MARKERS, Person
from tests.builders.walkers import downhill_walker, walker


def by_label(markers):
    return {name: markers[:, k] for k, name in enumerate(MARKERS)}


def body(config):
    person = config.person
    names = ("leg_length", "knee_width", "ankle_width")
    legs = {
        f"{name}_{side}_mm": getattr(person, f"{name}_mm")
        for name in names
        for side in ("left", "right")
    }
    return measures(
        {
            **legs,
            "marker_diameter_mm": person.marker_diameter_mm,
            "mass_kg": person.mass_kg,
        }
    )


@cache
def calibration():
    """From the markers of the person standing, as a static trial has them."""
    config = LabConfig(seed=3)
    standing = Person(config, History())
    markers = standing.markers_m(np.arange(100) / 100)
    return calibrate(by_label(markers), body(config))


def test_static_offsets_are_the_persons() -> None:
    person = Person(LabConfig(seed=3), History())
    for k, side in enumerate(("left", "right")):
        foot, want = calibration().foot(side), person.static_offsets
        flexion = np.degrees(want.plantar_flexion[k])
        assert foot.plantar_flexion_deg == pytest.approx(flexion, abs=0.005)
        rotation = np.degrees(want.rotation[k])
        assert foot.rotation_deg == pytest.approx(rotation, abs=0.005)


def check_angles(walk):
    t = np.round(walk.times(100), 3)
    markers = by_label(walk.person.markers_m(t))
    _, found = kinematics(markers, body(walk.config), calibration())
    for name, want in walk.person.angles_deg(t).items():
        assert np.abs(found[name] - want).max() <= 0.01, name
    tilt = found["LPelvisAngles"]
    assert np.abs(tilt).max() < 45  # seen along the walk, not against it
    assert np.abs(found["LFootProgressAngles"][:, 2]).max() < 45


@pytest.mark.parametrize("slope", [-10.0, 10.0])
def test_angles_that_went_in_come_out_facing_ahead(slope: float) -> None:
    check_angles(walker(1.0, slope))


@pytest.mark.parametrize("slope", [-5.0, -10.0])
def test_walking_down_facing_backwards(slope: float) -> None:
    walk = downhill_walker(1.0, slope)
    t = walk.times(100)
    found = build_segments(
        by_label(walk.person.markers_m(t)),
        body(walk.config),
        calibration().inter_asis_m,
    )
    assert progression(found)[0, 0] == -1
    check_angles(walk)


def test_one_frame_at_a_time_gives_the_same() -> None:
    walk = walker(1.0, 0.0)
    t = walk.times(100)[:20]
    markers, own = walk.person.markers_m(t), body(walk.config)
    whole, angles = kinematics(by_label(markers), own, calibration())
    way = progression(whole)
    for k in (0, 7, 19):
        one = build_segments(
            by_label(markers[k : k + 1]), own, calibration().inter_asis_m
        )
        for name, rows in joint_angles(one, calibration(), way).items():
            assert rows[0] == pytest.approx(angles[name][k], abs=1e-9)
