"""Plates that cannot be right are turned, left out, or told against by physics."""

import dataclasses

import numpy as np
import pytest

from acquire.gait.plate_checks import analyse_checked
from acquire.gait.plates import Deck
from tests.builders.gait_inputs import gait_input
from tests.builders.walking import PIVOT_M, Walk

WALK = Walk(duration_s=7.0)


def test_good_plates_have_no_remarks() -> None:
    found = analyse_checked(
        gait_input(Walk(duration_s=7.0, incline_deg=10.0, belt_kg=60))
    )
    assert found.remarks == ()
    assert found.checks["strides_accepted"] >= 8


def test_a_plate_with_reversed_signs_is_turned_and_named() -> None:
    good = gait_input(WALK)
    first, second = good.loads
    found = analyse_checked(dataclasses.replace(good, loads=[first, -second]))
    assert found.remarks == (
        "plate FP2 pulls at the person: its signs are reversed here",
    )
    want = WALK.force("right", found.force_time_s)
    assert np.abs(found.forces_n["right"] - want).max() < 6.0


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda a, b: [b, a], "plates are out of order"),
        (lambda a, b: [a[:, [2, 1, 0, 3, 4, 5]], b], "channels are out of order"),
        (lambda a, b: [a * [1, 1, 1, 1000, 1000, 1000], b], "off its surface"),
    ],
    ids=["plates swapped", "channels mixed", "moments in N mm"],
)
def test_plates_that_cannot_be_are_left_out_and_named(spoil, why: str) -> None:
    good = gait_input(WALK)
    found = analyse_checked(dataclasses.replace(good, loads=spoil(*good.loads)))
    (remark,) = [r for r in found.remarks if r.startswith("no forces: ")]
    assert why in remark
    assert found.forces_n == {}
    assert {event.source for event in found.events} == {"marker"}
    assert any("too few to tell this person's delay" in r for r in found.remarks)
    assert not any(name.startswith("marker_strike") for name in found.checks)


def test_a_wrong_angle_or_mass_is_said() -> None:
    walk = Walk(duration_s=7.0, incline_deg=10.0)
    level = gait_input(walk, deck=Deck(np.zeros(7000), PIVOT_M), mass_kg=60.0)
    remarks = analyse_checked(level).remarks
    assert any("pushes 10.0° off the vertical" in remark for remark in remarks)
    assert any("carries 1.18 of the body weight" in remark for remark in remarks)
