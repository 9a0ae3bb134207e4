"""The pelvis: it rises over each stance leg, sways, turns and tilts."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim import anatomy as shape
from devices.sim import pattern
from devices.sim.anatomy import Anatomy
from devices.sim.feet import Feet
from devices.sim.foot import Rolled, pitch_rad, roll
from devices.sim.noise import wander
from devices.sim.vectors import from_yxz, stacked, tilted, turn
from devices.sim.walk import Rows

Array = NDArray[np.float64]

MID_STANCE = 0.265
COM_TOP = 0.30
HARDEST = 0.30
#: when the leading and the trailing leg are nearly straight, in their own cycles
LEADING, TRAILING = 0.0, 0.46
#: the pelvis is furthest back before the person's centre at this phase, and again
FORE_PHASE = 0.055
#: nobody's leg gets straighter than this
STRAIGHTEST_DEG = 4.0
#: legs trail the pelvis by this much of the body's centre of mass
LEGS_BEHIND_M = -0.01
_SOFTNESS_M = 0.003
_FULL = 2 * math.pi
_SWAY_CHANNELS = (31, 32)


@dataclass(frozen=True, slots=True)
class Pelvis:
    """The pelvis at n instants, metres, world axes."""

    centre: Array  #: (n, 3) midway between the hips
    axes: Array  #: (n, 3, 3) columns x forward, y left, z up
    hips: Array  #: (n, 2, 3)
    goal: Array  #: (n, 3) where the person keeps the whole body's centre of mass


class PelvisMotion:
    """How the pelvis moves with the walk."""

    def __init__(self, anatomy: Anatomy, pivot: Array, seed: int) -> None:
        self._anatomy, self._pivot, self._seed = anatomy, pivot, seed
        leg = anatomy.person.leg_length_mm / 1000
        self._leg_m = leg
        self._legs_below_m = 2 * (
            shape.THIGH_MASS * (1 - shape.THIGH_COM) * anatomy.thigh_m
            + shape.SHANK_MASS
            * (anatomy.thigh_m + (1 - shape.SHANK_COM) * anatomy.shank_m)
            + shape.FOOT_MASS * (anatomy.thigh_m + anatomy.shank_m)
        )
        self._furthest_m = anatomy.reach_m(STRAIGHTEST_DEG)

    def pose(self, rows: Rows, feet: Feet) -> Pelvis:
        """Return the pelvis over feet that are where they are."""
        axes = self._axes(rows)
        offsets = np.stack([turn(axes, hip) for hip in self._anatomy.hips], axis=1)
        flat = np.zeros_like(rows.t_s)
        ground = np.concatenate([rows.centre_m, flat[:, None]], axis=-1)
        ground = tilted(ground, self._pivot, rows.incline_rad)
        fore, side = self._sway(rows)
        c, s = np.cos(rows.heading_rad), np.sin(rows.heading_rad)
        x = ground[:, 0] + c * fore - s * side
        y = ground[:, 1] + s * fore + c * side
        level = stacked(x, y, flat)
        highest = self._highest(level[:, None] + offsets, feet.ankle)
        height, body_height = self._heights(rows)
        wanted = ground[:, 2] + height
        centre = stacked(x, y, _softest(wanted, highest))
        lean = np.radians(2.0 + 0.4 * rows.slope_deg)
        ahead = shape.TRUNK_MASS * np.sin(lean) * self._anatomy.trunk_com_m
        ahead = ahead + LEGS_BEHIND_M * pattern.vigour(rows.speed_mps, 0.4)
        above = shape.TRUNK_MASS * np.cos(lean) * self._anatomy.trunk_com_m
        above = above - self._legs_below_m
        goal = stacked(x + c * ahead, y + s * ahead, ground[:, 2] + body_height + above)
        return Pelvis(centre, axes, centre[:, None] + offsets, goal)

    def _axes(self, rows: Rows) -> Array:
        """Return the pelvis' axes: turned forward with the leg that steps."""
        angle = _FULL * rows.phase
        drive = rows.gait * pattern.vigour(rows.speed_mps, 0.6)
        turned = -np.radians(5.0) * drive * np.cos(angle)
        hitched = np.radians(4.5) * drive * np.cos(angle - _FULL * 0.15)
        forward = np.radians(
            10.0
            + 0.25 * rows.slope_deg
            + 1.2 * drive * np.cos(2 * (angle - _FULL * 0.05))
        )
        return from_heading(rows.heading_rad + turned, forward, hitched)

    def _sway(self, rows: Rows) -> tuple[Array, Array]:
        """Return how far forward and left the pelvis is of the person's centre."""
        angle = _FULL * rows.phase
        fore = (
            self._fore(rows.speed_mps)
            * rows.gait
            * np.sin(2 * (angle - _FULL * FORE_PHASE))
        )
        wide = 0.036 - 0.012 * np.minimum(np.abs(rows.speed_mps), 2.0)
        side = wide * rows.gait * np.cos(angle - _FULL * 0.31)
        still = 0.004 * (1 - 0.7 * rows.gait)
        fore = fore + still * wander(self._seed, _SWAY_CHANNELS[0], rows.t_s, 0.9)
        side = side + still * wander(self._seed, _SWAY_CHANNELS[1], rows.t_s, 1.1)
        return fore, side

    @staticmethod
    def _fore(speed_mps: Array) -> Array:
        depth: Array = 0.014 * pattern.vigour(speed_mps, 0.5)
        return depth

    def _heights(self, rows: Rows) -> tuple[Array, Array]:
        """Return how high over the deck the pelvis is, and the body's centre keeps.

        The pelvis gives the knees their intended bend. The centre of mass rises and
        falls with it, a little later and never harder than `HARDEST` of gravity.
        """
        speed, slope = rows.speed_mps, rows.slope_deg
        rate = pattern.stride_hz(speed, slope, self._leg_m)
        duty = pattern.duty(speed)
        ahead = pattern.step_ahead_m(speed, slope)
        landing = ahead + 0.5 * np.maximum(speed, 0.0) * duty / rate
        forward = np.maximum(speed, 0.0)
        incline = np.radians(slope)
        fore = self._fore(speed)
        strike_pitch = np.radians(pattern.strike_pitch_deg(speed, slope))
        off_pitch = np.radians(pattern.off_pitch_deg(speed, slope))
        trailing = TRAILING + 0.006 * np.maximum(slope, 0.0)
        trail_pitch = pitch_rad(trailing, duty, strike_pitch, off_pitch)

        def over(cycle: Array, pitch: Array, knee_deg: Array) -> Array:
            rolled = self._roll(pitch)
            ahead = landing - forward * cycle / rate + rolled.ahead_m
            hip = fore * np.sin(2 * _FULL * (cycle - FORE_PHASE))
            return self._over(ahead, rolled.height_m, incline, hip, knee_deg)

        strike = over(
            0 * speed + LEADING, strike_pitch, pattern.strike_knee_deg(speed, slope)
        )
        trail = over(trailing, trail_pitch, pattern.trail_knee_deg(speed, slope))
        low = _softest(strike, trail[:, None])
        middle = MID_STANCE + 0.006 * np.maximum(slope, 0.0)
        high = over(middle, 0 * speed, pattern.mid_knee_deg(speed, slope))
        span = 1 - np.cos(2 * _FULL * middle)
        rise = np.clip((high - low) / span, -0.005, 0.035) * rows.gait
        swing = np.cos(2 * _FULL * (rows.phase - middle))
        most = HARDEST * 9.81 / (2 * _FULL * rate) ** 2
        eased = rise / np.sqrt(1 + (rise / most) ** 4) ** 0.5
        later = np.cos(2 * _FULL * (rows.phase - COM_TOP))
        return high - rise + rise * swing, high - rise + eased * later

    def _roll(self, pitch: Array) -> Rolled:
        """Return the roll of a foot on the ground."""
        anatomy = self._anatomy
        return roll(anatomy.sole, anatomy.ankle_height_m, pitch, np.zeros_like(pitch))

    def _over(
        self, ahead: Array, height: Array, slope: Array, hip: Array, knee_deg: Array
    ) -> Array:
        """Return the hip's height when an ankle is `ahead` along the deck."""
        c, s = np.cos(slope), np.sin(slope)
        x = ahead * c - height * s - hip
        a, b = self._anatomy.thigh_m, self._anatomy.shank_m
        reach2 = a * a + b * b + 2 * a * b * np.cos(np.radians(knee_deg))
        over: Array = ahead * s + height * c + np.sqrt(np.maximum(reach2 - x * x, 0.01))
        return over

    def _highest(self, hips: Array, ankles: Array) -> Array:
        """Return the greatest height (n, 2) at which each leg still reaches."""
        across = ankles - hips
        free = self._furthest_m**2 - across[..., 0] ** 2 - across[..., 1] ** 2
        highest: Array = across[..., 2] + np.sqrt(np.maximum(free, 0.04))
        return highest


def from_heading(yaw: Array, forward: Array, hitched: Array) -> Array:
    """Return frames (n, 3, 3) yawed, tilted forward, and raised on the left."""
    level = from_yxz(forward, hitched, np.zeros_like(yaw))
    c, s = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x, y = level[:, 0], level[:, 1]
    return np.stack([c * x - s * y, s * x + c * y, level[:, 2]], axis=1)


def _softest(wanted: Array, highest: Array) -> Array:
    """Return a smooth minimum over the wanted height and each leg's highest."""
    options = np.concatenate([wanted[:, None], highest], axis=-1)
    least = options.min(axis=-1)
    depth = np.exp((least[:, None] - options) / _SOFTNESS_M).sum(axis=-1)
    soft: Array = least - _SOFTNESS_M * np.log(depth)
    return soft
