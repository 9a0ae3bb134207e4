"""Moments are consistent with forces and with the energy of the legs."""

import numpy as np
import pytest

from acquire.gait.feet import FootLoad
from acquire.gait.inverse_dynamics import (
    FILTERED,
    angular_velocity,
    bodies,
    derivative,
    joint_loads,
    motion,
)
from acquire.gait.plug_in_gait import kinematics
from acquire.gait.vectors import cross, out_of
from devices.sim.anatomy import FOOT_MASS, SHANK_MASS, THIGH_MASS, TRUNK_MASS
from tests.acquire.gait.test_plug_in_gait import body, by_label, calibration
from tests.builders.walkers import SLOPES, SPEEDS, walker

SIDES = ("left", "right")
RATE_HZ = 100.0
KNEE, HIP = 1, 2
INNER = slice(15, -15)


class Legs:
    """Loads of both legs from the true forces below the feet."""

    def __init__(self, speed, slope):
        self.walk = walker(speed, slope)
        self.t = np.round(self.walk.times(RATE_HZ), 3)
        person = self.walk.person
        markers = by_label(person.markers_m(self.t))
        self.body = body(self.walk.config)
        self.segments, _ = kinematics(markers, self.body, calibration())
        forces = person.foot_forces_n(self.t)
        spots = np.nan_to_num(person.pressure_m(self.t))
        self.ground = {
            side: FootLoad(
                forces[:, k], cross(spots[:, k], forces[:, k]), np.zeros((1, 3))
            )
            for k, side in enumerate(SIDES)
        }
        self.feet = self.segments.feet(calibration())
        self.loads = loads_of(self.segments, self.ground, self.body.mass_kg)


def loads_of(segments, ground, mass_kg):
    legs = bodies(segments, calibration())
    both = [ground[side] for side in SIDES]
    return joint_loads(
        legs,
        motion(segments.pelvis, legs, RATE_HZ, FILTERED),
        np.stack([load.force_n for load in both], axis=1),
        np.stack([load.moment_nm for load in both], axis=1),
        mass_kg,
    )


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("speed", SPEEDS)
def test_hips_carry_the_trunk(speed: float, slope: float) -> None:
    legs = Legs(speed, slope)
    hips = sum(
        out_of(legs.segments.leg(side).thigh, legs.loads.force[:, k, HIP])
        for k, side in enumerate(SIDES)
    )
    whole = legs.walk.person.com_m(legs.t)
    parts = 0.0
    for k, side in enumerate(SIDES):
        leg, foot = legs.segments.leg(side), calibration().foot(side)
        axes = legs.feet[:, k]
        parts = parts + FOOT_MASS * (leg.ankle_m - axes[..., 2] * foot.length_m / 2)
        parts = parts + SHANK_MASS * (0.567 * leg.knee_m + 0.433 * leg.ankle_m)
        parts = parts + THIGH_MASS * (0.567 * leg.hip_m + 0.433 * leg.knee_m)
    trunk = (whole - parts) / TRUNK_MASS
    pull = derivative(trunk, RATE_HZ, FILTERED, 2) + np.array([0, 0, 9.81])
    error = (-hips - TRUNK_MASS * pull)[INNER]
    assert np.sqrt((error**2).sum(axis=1).mean()) < 0.03 * 9.81


@pytest.mark.parametrize("slope", [-10.0, 0.0])
@pytest.mark.parametrize("speed", [1.0])
def test_what_flows_into_a_leg_is_its_energy(speed: float, slope: float) -> None:
    legs = Legs(speed, slope)
    for side in SIDES:
        flow = inflow(legs, side)[INNER]
        change = derivative(energy(legs, side)[:, None], RATE_HZ, FILTERED)[INNER, 0]
        strikes = legs.walk.strikes(side)
        at = legs.t[INNER]
        stride = (at >= strikes[0]) & (at < strikes[-1])
        assert np.mean((flow - change)[stride]) == pytest.approx(0, abs=0.01)  # W/kg
        assert np.mean(np.abs(flow[stride])) > 0.1  # of ten times that and more


def inflow(legs, side):
    """Power of the ground at the foot, of the trunk at the hip, and of the joints."""
    leg, loads, ground = legs.segments.leg(side), legs.loads, legs.ground[side]
    k = SIDES.index(side)
    foot = legs.feet[:, k]
    dot = lambda a, b: np.einsum("ni,ni->n", a, b)  # noqa: E731

    def speed(points):
        return derivative(points, RATE_HZ, FILTERED)

    at_ankle = ground.moment_nm - cross(leg.ankle_m, ground.force_n)
    below = dot(ground.force_n, speed(leg.ankle_m)) + dot(
        at_ankle, angular_velocity(foot, RATE_HZ, FILTERED)
    )
    above = dot(out_of(leg.thigh, loads.force[:, k, HIP]), speed(leg.hip_m)) + dot(
        out_of(leg.thigh, loads.moment[:, k, HIP]),
        angular_velocity(leg.thigh, RATE_HZ, FILTERED),
    )
    return below / legs.body.mass_kg + above + loads.power[:, k, :HIP].sum(axis=1)


def energy(legs, side):
    """Kinetic and potential energy of a leg per body mass, J/kg."""
    leg, offsets = legs.segments.leg(side), calibration().foot(side)
    foot = legs.feet[:, SIDES.index(side)]
    shin, thigh = leg.knee_m - leg.ankle_m, leg.hip_m - leg.knee_m
    total = 0.0
    for share, centre, axes, length, radius in (
        (0.0145, leg.ankle_m - foot[..., 2] * offsets.length_m / 2, foot, None, 0.690),
        (0.0465, leg.ankle_m + 0.567 * shin, leg.shank, shin, 0.528),
        (0.1, leg.knee_m + 0.567 * thigh, leg.thigh, thigh, 0.540),
    ):
        size = (
            offsets.length_m
            if length is None
            else np.linalg.norm(length, axis=1).mean()
        )
        spin = angular_velocity(axes, RATE_HZ, FILTERED)
        own = np.einsum("nji,nj->ni", axes, spin)
        speed = derivative(centre, RATE_HZ, FILTERED)
        total = total + share * (
            0.5 * (speed**2).sum(axis=1)
            + 0.5 * (radius * size) ** 2 * (own[:, 0] ** 2 + own[:, 1] ** 2)
            + 9.81 * centre[:, 2]
        )
    return total


def test_an_unloaded_hanging_leg_only_carries_its_weight() -> None:
    legs = Legs(1.0, 0.0)
    standing = {
        name: np.repeat(rows[:1], 40, axis=0)
        for name, rows in by_label(legs.walk.person.markers_m(legs.t[:1])).items()
    }
    segments, _ = kinematics(standing, legs.body, calibration())
    none = FootLoad(np.zeros((40, 3)), np.zeros((40, 3)), np.zeros((40, 3)))
    loads = loads_of(segments, {"left": none, "right": none}, legs.body.mass_kg)
    for joint, axes, share in (
        (KNEE, segments.left.shank, 0.061),
        (HIP, segments.left.thigh, 0.161),
    ):
        up = out_of(axes, loads.force[:, 0, joint])
        assert up == pytest.approx(np.tile([0, 0, 9.81 * share], (40, 1)), abs=1e-9)
        assert loads.power[:, 0, joint] == pytest.approx(0, abs=1e-9)


def test_a_short_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="5 frames; derivatives span 9"):
        derivative(np.zeros((5, 3)), RATE_HZ, FILTERED)
