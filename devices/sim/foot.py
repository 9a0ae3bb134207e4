"""A foot that rolls over its belt: pitch through the cycle, rockers, lift, swing."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.sim.anatomy import Sole

Array = NDArray[np.float64]

#: heel rise begins at this share of stance
RISE = 0.50
#: the foot is flat from this share of the cycle on
FLAT = 0.095
#: toes are highest at this share of swing
TOES_UP = 0.93
#: the foot is still a little toes down here, in shares of swing
LEVEL = 0.64
#: between these shares of swing the foot comes to turn about its heel
PASS = (0.30, 0.92)


def smooth(u: Array) -> Array:
    """Return the quintic from 0 to 1 with no speed or acceleration at either end."""
    u = np.clip(u, 0.0, 1.0)
    risen: Array = u * u * u * (10 + u * (6 * u - 15))
    return risen


def hermite(
    w: Array, start: tuple[Array, Array], end: tuple[Array, Array], width: Array
) -> Array:
    """Return the quintic between two (value, slope), with no curvature at its ends.

    `w` runs from 0 to 1 over `width`, the unit of the slopes.
    """
    w2 = w * w
    w3 = w2 * w
    rise = w3 * (10 + w * (6 * w - 15))
    leave = w + w3 * (-6 + w * (8 - 3 * w))
    arrive = w3 * (-4 + w * (7 - 3 * w))
    value: Array = (
        start[0] * (1 - rise)
        + end[0] * rise
        + width * (start[1] * leave + end[1] * arrive)
    )
    return value


def pitch_rad(cycle: Array, duty: Array, strike: Array, off: Array) -> Array:
    """Return the foot's angle to the deck, toes up positive.

    `cycle` counts from strike, 0 to 1; `strike` and `off` are the angles (radians,
    both positive) at the ends of stance. C2, also from one cycle to the next.
    """
    none = np.zeros_like(cycle)
    rise = RISE * duty
    swing = 1 - duty
    up = duty + TOES_UP * swing
    strike_slope = -strike / FLAT * 1.2
    off_slope = -off / (duty - rise) * 2.2
    toes_up = (strike * 1.08, none)
    level = duty + LEVEL * swing
    low = -0.10 * off
    level_slope = 1.4 * (toes_up[0] - low) / (up - level)
    knots = (
        (none, (strike, strike_slope)),
        (none + FLAT, (none, none)),
        (rise, (none, none)),
        (duty, (-off, off_slope)),
        (level, (low, level_slope)),
        (up, toes_up),
        (none + 1.0, (strike, strike_slope)),
    )
    total = none
    for (begin, start), (finish, end) in pairwise(knots):
        inside = (cycle >= begin) & (cycle < finish)
        if inside.any():
            width = finish - begin
            curve = hermite((cycle - begin) / width, start, end, width)
            total = np.where(inside, curve, total)
    return total


def carry(u: Array) -> Array:
    """Return how far a swinging foot has gone, 0 to 1, for swing progress `u`.

    The speed is a trapezium with rounded corners: no acceleration at either end.
    """
    edge_0, edge_1 = 0.36, 0.42
    peak = 1 / (1 - (edge_0 + edge_1) / 2)
    a = np.clip(u / edge_0, 0.0, 1.0)
    b = np.clip((1 - u) / edge_1, 0.0, 1.0)
    grown_a = edge_0 * (a**3 - a**4 / 2)
    left_b = edge_1 * (b**3 - b**4 / 2)
    middle = np.clip(u, edge_0, 1 - edge_1) - edge_0
    gone: Array = peak * (grown_a + middle + (edge_1 / 2 - left_b))
    return gone


def lift(u: Array) -> Array:
    """Return the shape of the extra height in swing: C2, 0 at both ends, peak 1."""
    v = 1 - u
    early = (u * v) ** 3 * v * 145.0
    even = (u * v) ** 3 * 64.0
    height: Array = 0.5 * early + 0.5 * even
    return height


class Rolled(NamedTuple):
    """Where rolling puts the ankle, from the anchor (below a flat foot's ankle)."""

    ahead_m: Array
    height_m: Array
    heel_contact_m: Array
    ball_contact_m: Array


def roll(sole: Sole, ankle_height_m: float, pitch: Array, swing: Array) -> Rolled:
    """Roll the sole without slipping to a pitch (radians, toes up positive).

    On the ground it rolls on the heel's arc or the forefoot's; in the air (`swing`, its
    progress, above 0) the point it turns about moves from the one to the other.
    """
    up, down = np.maximum(pitch, 0.0), np.maximum(-pitch, 0.0)
    c, s = np.cos(pitch), np.sin(pitch)
    height = ankle_height_m
    heel = _about(sole.heel_m, sole.heel_radius_m, height, c, s)
    ball = _about(sole.ball_m, sole.ball_radius_m, height, c, s)
    passed = smooth((swing - PASS[0]) / (PASS[1] - PASS[0]))
    on_heel = np.where(swing > 0, passed, pitch >= 0)
    on_ball = 1 - on_heel
    heel_x = sole.heel_m - sole.heel_radius_m * pitch + heel[0]
    ball_x = sole.ball_m - sole.ball_radius_m * pitch + ball[0]
    return Rolled(
        on_heel * heel_x + on_ball * ball_x,
        on_heel * heel[1] + on_ball * ball[1],
        sole.heel_m - sole.heel_radius_m * up,
        sole.ball_m + sole.ball_radius_m * down,
    )


def _about(
    x: float, radius: float, ankle_height_m: float, c: Array, s: Array
) -> tuple[Array, Array]:
    """Return the ankle from the contact below an arc's centre."""
    along, above = -x, ankle_height_m - radius
    return along * c - above * s, radius + along * s + above * c
