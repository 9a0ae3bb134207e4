"""What is known of a clock's skew from elsewhere, put to work on its runs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sync.affine import AffineClock
from sync.clock_fit import ClockFit, Run, worst
from sync.feasible import centroid
from sync.slopes import restricted, share_slope
from sync.unseen import split_at_loss


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


def with_skews_within(fit: ClockFit, low: float, high: float) -> ClockFit:
    """Return the fit of a clock whose skew is known to lie between two (no unit).

    A run keeps those of its lines that have such a skew. One that has none is steeper
    for samples that vanished unseen: it is split there, and the loss counted. What
    neither explains stays as it is, and is a reason to doubt.
    """
    runs: list[Run] = []
    for run in fit.runs:
        own = skew_range(run)
        if own is None or run.n_matched == 0:
            runs.append(run)
        elif max(low, own[0]) < min(high, own[1]):
            runs.append(_restricted(run, max(low, own[0]), min(high, own[1])))
        else:
            lost = None
            if own[0] >= high and not fit.steps and len(fit.runs) == 1:
                lost = split_at_loss(run, low, high)
            if lost is not None:
                before, after, step = lost
                reason = (
                    f"the skew is known to be at most {high * 1e6:+.1f} ppm: samples "
                    f"vanished between {step.after:.0f} and {step.before:.0f}"
                )
                return replace(
                    fit,
                    runs=(before, after),
                    steps=(step,),
                    status=worst(fit.status, "degraded"),
                    reasons=(*fit.reasons, reason),
                )
            runs.append(run)
            reason = (
                f"the edges allow a skew of {own[0] * 1e6:+.1f} to {own[1] * 1e6:+.1f} "
                f"ppm, other trials one of {low * 1e6:+.1f} to {high * 1e6:+.1f} ppm"
            )
            fit = replace(
                fit,
                status=worst(fit.status, "degraded"),
                reasons=(*fit.reasons, reason),
            )
    return replace(fit, runs=tuple(runs))


def _restricted(run: Run, low: float, high: float) -> Run:
    own = skew_range(run)
    if own is None or (low, high) == own or not isinstance(run.clock, AffineClock):
        return run
    clock = restricted(run.clock, low, high)
    if high - low < 0.5 * (own[1] - own[0]):  # what chose the line is outweighed
        shift = np.array([run.clock.a, 0.0])
        a, b = centroid(clock.corners - shift) + shift
        clock = replace(clock, a=float(a), b=float(b))
    return with_clock(run, clock)
