"""A run that is too steep for its clock: where in it samples vanished unseen."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sync.affine import ROUNDING_S, AffineClock, fit_affine
from sync.clock_fit import Run, Step
from sync.feasible import clip_polygon, feasible_lines
from sync.losses import fit_losses
from sync.matching import MAX_SKEW
from sync.points import Points
from sync.runs import blurred_at_begin, blurred_at_end

Array = NDArray[np.float64]


def split_at_loss(run: Run, low: float, high: float) -> tuple[Run, Run, Step] | None:
    """Split a run of a clock with a skew from `low` to `high` at the loss in it.

    Edges that fit either side of the loss are set aside. None where one loss does not
    explain the run.
    """
    x = run.matched_index / run.rate_hz
    rows = np.arange(x.size)
    y = run.clock.offset_s(x) + run.residuals
    points = Points(x, y, run.matched_half_width, rows, rows)
    reach = _n_served(points, low, high)
    back = Points(-x[::-1], y[::-1], points.h[::-1], rows, rows)
    first = x.size - _n_served(back, -high, -low)
    first, last = max(first, 1), min(reach, x.size - 1)
    if first > last:
        return None
    sides = points.select(rows[:first]), points.select(rows[last:])
    fits = [fit_affine(side.x, side.y, side.h) for side in sides]
    lost = fit_losses(list(sides), fits, run.rate_hz, skews=(low, high))
    if lost is None or lost.n_lost[0][0] < 1:
        return None
    least, likeliest, most = lost.n_lost[0]
    step = Step(
        after=float(sides[0].x[-1] * run.rate_hz),
        before=float(sides[1].x[0] * run.rate_hz),
        size_s=0.5 * (least + most) / run.rate_hz,
        half_width_s=0.5 * (most - least) / run.rate_hz,
        n_lost=(least, likeliest, most),
    )
    middle = 0.5 * (step.after + step.before)
    before = _part(run, sides[0], lost.clocks[0])
    after = _part(run, sides[1], lost.clocks[1])
    n_aside = last - first
    before = replace(
        before, end=middle, n_matched=before.n_matched + n_aside, n_missed=run.n_missed
    )
    after = replace(after, begin=middle)
    return blurred_at_end(before, step), blurred_at_begin(after, step), step


def _n_served(points: Points, low: float, high: float) -> int:
    """Return how many of the first points one line serves, its slope within bounds."""
    good, bad = 1, len(points) + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        part = points.select(np.arange(middle))
        u, v = part.x - part.x[0], part.y - part.y[0]
        h = part.h + ROUNDING_S
        corners = feasible_lines(u, v - h, v + h, MAX_SKEW)
        corners = clip_polygon(clip_polygon(corners, 0.0, 1.0, high), 0.0, -1.0, -low)
        good, bad = (middle, bad) if corners.shape[0] else (good, middle)
    return good


def _part(run: Run, points: Points, clock: AffineClock) -> Run:
    return replace(
        run,
        first=float(points.x[0] * run.rate_hz),
        last=float(points.x[-1] * run.rate_hz),
        n_matched=len(points),
        n_missed=0,
        n_extra=0,
        residuals=points.y - clock.offset_s(points.x),
        matched_index=points.x * run.rate_hz,
        matched_half_width=points.h,
        offset_s=float(clock.a - clock.b * clock.origin_s),
        skew_ppm=clock.b * 1e6,
        skew_half_width_ppm=float(np.max(np.abs(clock.corners[:, 1] - clock.b))) * 1e6,
        clock=clock,
    )
