"""What is known of a clock's skew from elsewhere, put to work on its runs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sync.affine import AffineClock
from sync.clock_fit import Run
from sync.feasible import centroid
from sync.slopes import restricted, share_slope


def with_shared_skew(runs: Sequence[Run], losses: Sequence[float]) -> list[Run]:
    """Return the runs, those on either side of a loss (an index) with one skew."""
    groups: list[list[Run]] = []
    for run in runs:
        joined = groups and any(
            abs(at - run.begin) < 1e-6 and abs(at - groups[-1][-1].end) < 1e-6
            for at in losses
        )
        straight = isinstance(run.clock, AffineClock)
        if joined and straight and isinstance(groups[-1][-1].clock, AffineClock):
            groups[-1].append(run)
        else:
            groups.append([run])
    return [run for group in groups for run in _of_one_skew(group)]


def _of_one_skew(runs: list[Run]) -> list[Run]:
    clocks = [run.clock for run in runs if isinstance(run.clock, AffineClock)]
    if len(runs) < 2 or len(clocks) < len(runs):
        return runs
    return [
        with_clock(run, clock)
        for run, clock in zip(runs, share_slope(clocks), strict=True)
    ]


def with_clock(run: Run, clock: AffineClock) -> Run:
    """Return the run served by another straight clock."""
    at = run.matched_index / run.rate_hz
    moved = clock.offset_s(at) - run.clock.offset_s(at)
    return replace(
        run,
        residuals=run.residuals - moved,
        offset_s=float(clock.a - clock.b * clock.origin_s),
        skew_ppm=clock.b * 1e6,
        skew_half_width_ppm=float(np.max(np.abs(clock.corners[:, 1] - clock.b))) * 1e6,
        clock=clock,
    )


def skew_range(run: Run) -> tuple[float, float] | None:
    """Return the least and greatest skew (no unit) the edges of a run allow.

    None where they are those of no straight clock.
    """
    if not isinstance(run.clock, AffineClock):
        return None
    slopes = run.clock.corners[:, 1]
    return float(slopes.min()), float(slopes.max())


def with_skew_within(run: Run, low: float, high: float) -> Run:
    """Return the run with those of its lines that have a skew within the bounds."""
    own = skew_range(run)
    if own is None or not isinstance(run.clock, AffineClock):
        return run
    low, high = max(low, own[0]), min(high, own[1])
    if low >= high or (low, high) == own:
        return run
    clock = restricted(run.clock, low, high)
    if high - low < 0.5 * (own[1] - own[0]):  # what chose the line is outweighed
        shift = np.array([run.clock.a, 0.0])
        a, b = centroid(clock.corners - shift) + shift
        clock = replace(clock, a=float(a), b=float(b))
    return with_clock(run, clock)
