"""Cut a chain of matched edges into stretches that one clock can serve."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sync.affine import ROUNDING_S, AffineFit, fit_affine
from sync.feasible import feasible_lines
from sync.matching import MAX_SKEW
from sync.points import Points
from sync.slopes import step_bounds
from sync.steps import find_steps

Array = NDArray[np.float64]
_NEAR = 32  #: points on either side of a suspected step that decide
_MOST_PIECES = 12  #: more than that is no clock that steps


@dataclass(frozen=True, eq=False)
class Piece:
    """Points (rows) that one clock serves; `n_set_aside` more fit either side."""

    rows: NDArray[np.intp]
    n_set_aside: int = 0


def cut_spoiled(points: Points) -> list[Piece]:
    """Cut where steps are suspected and confirmed."""
    suspects = find_steps(points.x, points.y, points.h).tolist()
    kept = [0]
    for cut, end in pairwise([*suspects, len(points)]):
        first, last = max(kept[-1], cut - _NEAR), min(end, cut + _NEAR)
        if _steps_at(points, first, cut, last):
            kept.append(cut)
    return [Piece(np.arange(*bound)) for bound in pairwise([*kept, len(points)])]


def _steps_at(points: Points, first: int, cut: int, last: int) -> bool:
    """Whether no line serves the neighbourhood of a cut, outliers apart.

    Near by, even a bent clock is straight.
    """

    def fit(start: int, stop: int) -> AffineFit:
        part = slice(start, stop)
        return fit_affine(points.x[part], points.y[part], points.h[part])

    before, after, both = fit(first, cut), fit(cut, last), fit(first, last)
    at = 0.5 * float(points.x[cut - 1] + points.x[cut])
    low, high = step_bounds(before.clock, after.clock, at)
    n_left_out = before.n_left_out + after.n_left_out
    served = both.inflated_s == 0 and both.n_left_out <= n_left_out
    return not served and not low <= 0.0 <= high


def cut_complete(points: Points) -> list[Piece]:
    """Cut trains of which every edge has its partner into the fewest stretches.

    What no line can serve is a step there, except for one or two edges amid others
    that agree: those are false. Points that fit either side of a step are set aside.
    """
    rows = np.arange(len(points))
    bounds = _fewest(points)
    while len(bounds) > 2 and len(bounds) - 1 <= _MOST_PIECES:
        false = _false_piece(points.select(rows), bounds)
        if false is None:
            break
        rows = np.delete(rows, np.arange(*false))
        bounds = _fewest(points.select(rows))
    kept = points.select(rows)
    if len(bounds) - 1 > _MOST_PIECES or not _all_certain(kept, bounds):
        return [Piece(np.arange(len(points)))]  # a bend, or bounds that are too tight
    starts = _earliest(kept, bounds)
    return [
        Piece(rows[first:until], n_set_aside=last - until)
        for (first, last), until in zip(
            pairwise(bounds), [*starts[1:-1], bounds[-1]], strict=True
        )
    ]


def _fewest(points: Points) -> list[int]:
    bounds = [0]
    while bounds[-1] < len(points):
        bounds.append(_longest(points, bounds[-1]))
        if len(bounds) > _MOST_PIECES + 2:
            return [*bounds[:-1], len(points)]
    return bounds


def _longest(points: Points, first: int) -> int:
    """End of the longest stretch from `first` on that one line serves."""
    n = len(points)
    good, step = first + 1, 2
    while good < n and _serves(points, first, min(good + step, n)):
        good = min(good + step, n)
        step *= 2
    bad = min(good + step, n + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        if middle <= n and _serves(points, first, middle):
            good = middle
        else:
            bad = middle
    return good


def _serves(points: Points, first: int, last: int) -> bool:
    return _one_line(points.select(np.arange(first, last)))


def _one_line(points: Points) -> bool:
    u, v = points.x - points.x[0], points.y - points.y[0]
    h = points.h + ROUNDING_S
    return bool(feasible_lines(u, v - h, v + h, MAX_SKEW).shape[0])


def _false_piece(points: Points, bounds: list[int]) -> tuple[int, int] | None:
    """Find an inner stretch of one or two points whose neighbours agree without it."""
    for k in range(1, len(bounds) - 2):
        first, last = bounds[k], bounds[k + 1]
        if last - first > 2:
            continue
        rest = np.concatenate(
            (np.arange(bounds[k - 1], first), np.arange(last, bounds[k + 2]))
        )
        if _one_line(points.select(rest)):
            return first, last
    return None


def _all_certain(points: Points, bounds: list[int]) -> bool:
    """Whether the sides of every cut are apart, so that steps explain them."""
    fits = [
        fit_affine(points.x[a:b], points.y[a:b], points.h[a:b])
        for a, b in pairwise(bounds)
    ]
    for k, (before, after) in enumerate(pairwise(fits), start=1):
        at = 0.5 * float(points.x[bounds[k] - 1] + points.x[bounds[k]])
        low, high = step_bounds(before.clock, after.clock, at)
        if low <= 0.0 <= high:
            return False
    return True


def _earliest(points: Points, bounds: list[int]) -> list[int]:
    """Bounds as far to the left as the later stretches reach; they may not cross."""
    mirrored = Points(
        -points.x[::-1],
        points.y[::-1],
        points.h[::-1],
        points.device[::-1],
        points.reference[::-1],
    )
    back = _fewest(mirrored)
    starts = [len(points) - bound for bound in back[::-1]]
    if len(starts) != len(bounds):
        return bounds
    return [
        start if before < start <= bound else bound
        for start, bound, before in zip(starts, bounds, [-1, *bounds[:-1]], strict=True)
    ]
