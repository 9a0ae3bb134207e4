"""Pieces of one clock share one slope: what that says about each of them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sync.affine import AffineClock
from sync.feasible import centroid, clip_polygon

Array = NDArray[np.float64]


def share_slope(clocks: list[AffineClock]) -> list[AffineClock]:
    """Keep of each clock's lines those with slopes that all of them allow.

    A step moves a clock, it does not make it tick faster. Where no slope suits all,
    the clocks stay as they are.
    """
    low = max(float(clock.corners[:, 1].min()) for clock in clocks)
    high = min(float(clock.corners[:, 1].max()) for clock in clocks)
    if len(clocks) < 2 or low >= high:
        return clocks
    return [restricted(clock, low, high) for clock in clocks]


def restricted(clock: AffineClock, low: float, high: float) -> AffineClock:
    """Keep of a clock's lines those with slopes from `low` to `high`."""
    corners = clip_polygon(clock.corners, 0.0, 1.0, high)
    corners = clip_polygon(corners, 0.0, -1.0, -low)
    if corners.shape[0] == 0:
        return clock
    if low <= clock.b <= high:
        return replace(clock, corners=corners)
    a, b = centroid(corners)
    return replace(clock, a=float(a), b=float(b), corners=corners)


def step_bounds(
    before: AffineClock, after: AffineClock, at_s: float
) -> tuple[float, float]:
    """Return (low, high) of the step from one clock to the next at device `at_s`.

    Both clocks have the same slope, whichever it is.
    """
    slopes = np.unique(np.concatenate((before.corners[:, 1], after.corners[:, 1])))
    low = max(float(before.corners[:, 1].min()), float(after.corners[:, 1].min()))
    high = min(float(before.corners[:, 1].max()), float(after.corners[:, 1].max()))
    slopes = slopes[(slopes >= low) & (slopes <= high)]
    if slopes.size == 0:
        apart = after.offset_s(np.array([at_s])) - before.offset_s(np.array([at_s]))
        width = after.half_width_s(np.array([at_s]))
        width = width + before.half_width_s(np.array([at_s]))
        return float((apart - width)[0]), float((apart + width)[0])
    sizes = []
    for slope in slopes.tolist():
        a0, a1 = _offsets_at(before.corners, slope)
        b0, b1 = _offsets_at(after.corners, slope)
        tilt = slope * ((at_s - after.origin_s) - (at_s - before.origin_s))
        sizes += [b0 - a1 + tilt, b1 - a0 + tilt]
    return min(sizes), max(sizes)


def _offsets_at(corners: Array, slope: float) -> tuple[float, float]:
    """Range of offsets a polygon allows at one slope."""
    a, b = corners[:, 0], corners[:, 1]
    a_next, b_next = np.roll(a, -1), np.roll(b, -1)
    crosses = (np.minimum(b, b_next) <= slope) & (slope <= np.maximum(b, b_next))
    run = np.where(b_next != b, b_next - b, 1.0)
    share = np.where(b_next != b, (slope - b) / run, 0.0)
    found = (a + share * (a_next - a))[crosses]
    found = np.concatenate((found, a[b == slope]))
    if found.size == 0:
        return float(a.min()), float(a.max())
    return float(found.min()), float(found.max())
