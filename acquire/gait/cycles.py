"""Strides: heel strike to next heel strike of the same foot, judged and normalised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acquire.gait.events import GaitEvent, times_of
from acquire.gait.feet import SIDES, Side

Floats = NDArray[np.float64]
POINTS = 200  #: of the published data: both ends are samples


@dataclass(frozen=True, slots=True)
class StrideRules:
    """What makes a stride acceptable; times in s.

    With `crossovers` strides count in which a plate carries both feet: their kinetics
    are not known there.
    """

    min_s: float = 0.6
    max_s: float = 2.5
    deviations: float = 3.0  #: from the median, in scaled median absolute deviations
    least_band: float = 0.05  #: of the median: no narrower band than this
    crossovers: bool = False


@dataclass(frozen=True, slots=True)
class Stride:
    """One stride; accepted when `reasons` is empty. Nothing is deleted."""

    side: Side
    start_s: float
    end_s: float
    off_s: float  #: toe off between them; NaN when there is none
    source: str  #: force | marker: the weaker of its two strikes
    reasons: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons


def find_strides(
    events: list[GaitEvent],
    *,
    steady_s: tuple[float, float] = (-np.inf, np.inf),
    crossed_s: Sequence[tuple[float, float]] = (),
    rules: StrideRules = StrideRules(),
) -> list[Stride]:
    """Return every stride of both feet in order, with reasons against it.

    Strides outside `steady_s`, the time in which belts and deck keep still, those of
    unusual length, and those in which both feet are on one plate (`crossed_s`, from
    and to) are not accepted.
    """
    found: list[Stride] = []
    for side in SIDES:
        own = [e for e in events if e.side == side and e.kind == "strike"]
        offs = times_of(events, side, "off")
        strides = [
            Stride(
                side,
                first.time_s,
                second.time_s,
                _between(offs, first.time_s, second.time_s),
                "marker" if "marker" in (first.source, second.source) else "force",
            )
            for first, second in pairwise(own)
        ]
        shared = [] if rules.crossovers else crossed_s
        found += [
            _judged(stride, strides, steady_s, shared, rules) for stride in strides
        ]
    return sorted(found, key=lambda stride: stride.start_s)


def normalise(
    time_s: Floats, values: Floats, start_s: float, end_s: float, points: int = POINTS
) -> Floats:
    """Return `values` (n, channels) at `points` equal times from start to end.

    Linear in time, both ends included; NaN wherever a neighbour is NaN, and beyond
    the first and last sample. Shape (points, channels).
    """
    at = np.linspace(start_s, end_s, points)
    columns = [
        np.interp(at, time_s, column, left=np.nan, right=np.nan) for column in values.T
    ]
    return np.stack(columns, axis=1)


def _between(times: Floats, start_s: float, end_s: float) -> float:
    inside = times[(times > start_s) & (times < end_s)]
    return float(inside[0]) if inside.size == 1 else float("nan")


def _judged(
    stride: Stride,
    strides: list[Stride],
    steady_s: tuple[float, float],
    crossed_s: Sequence[tuple[float, float]],
    rules: StrideRules,
) -> Stride:
    reasons: list[str] = []
    length = stride.end_s - stride.start_s
    if not rules.min_s <= length <= rules.max_s:
        reasons.append(f"lasts {length:.2f} s, not {rules.min_s} to {rules.max_s} s")
    lengths = np.array([s.end_s - s.start_s for s in strides])
    middle = float(np.median(lengths))
    spread = 1.4826 * float(np.median(np.abs(lengths - middle)))
    band = max(rules.deviations * spread, rules.least_band * middle)
    if len(strides) >= 5 and abs(length - middle) > band:
        reasons.append(f"lasts {length:.2f} s beside a median of {middle:.2f} s")
    if np.isnan(stride.off_s):
        reasons.append("has no single foot off")
    if stride.start_s < steady_s[0] or stride.end_s > steady_s[1]:
        reasons.append("is not in steady walking")
    if any(a < stride.end_s and b > stride.start_s for a, b in crossed_s):
        reasons.append("has both feet on one plate")
    return replace(stride, reasons=tuple(reasons))
