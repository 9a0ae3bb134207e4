"""From matched edges to the runs of a clock."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sync.affine import AffineFit, fit_affine
from sync.clock_fit import Run, Step
from sync.edges import Edges
from sync.matching import Chain
from sync.steps import find_steps

Array = NDArray[np.float64]
_EXTRAS_PER_FALSE = 8  #: of so many extra edges one may sit where a missed one was


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs in order and the steps between them."""

    runs: list[Run]
    steps: list[Step]
    inflated_s: float

    def placed(self, first: float, last: float) -> list[Run]:
        """Give the runs their borders: those of the segment, and the steps."""
        middles = [0.5 * (step.after + step.before) for step in self.steps]
        begins, ends = [first, *middles], [*middles, last]
        placed = []
        for k, run in enumerate(self.runs):
            before = self.steps[k - 1] if k else None
            after = self.steps[k] if k < len(self.steps) else None
            placed.append(
                replace(
                    run,
                    begin=begins[k],
                    end=ends[k],
                    begin_blur=before.before - begins[k] if before else 0.0,
                    end_blur=ends[k] - after.after if after else 0.0,
                    begin_jump_s=abs(before.size_s) + before.half_width_s
                    if before
                    else 0.0,
                    end_jump_s=abs(after.size_s) + after.half_width_s if after else 0.0,
                )
            )
        return placed


@dataclass(eq=False)
class _Points:
    """Matched edges as points: nominal seconds, offset, half-width."""

    x: Array
    y: Array
    h: Array
    device: NDArray[np.intp]
    reference: NDArray[np.intp]
    parts: list[slice] = field(default_factory=list)


def fit_runs(device: Edges, reference: Edges, chain: Chain, rate_hz: float) -> Runs:
    """Split a chain of matched edges at its steps and fit each piece.

    `device.index` is in nominal seconds. Borders are set later (`Runs.placed`).
    """
    points = _points(device, reference, chain)
    n_extra = len(device) - len(chain)
    n_false = min(3, -(-n_extra // _EXTRAS_PER_FALSE))
    bounds, fits = _pieces(points, n_false)
    runs = [
        _run(fit, points, slice(first, last), device, reference, rate_hz)
        for fit, first, last in zip(fits, bounds[:-1], bounds[1:], strict=True)
    ]
    steps = [
        _step(fits[k - 1], fits[k], points, bounds[k], rate_hz)
        for k in range(1, len(fits))
    ]
    return Runs(runs, steps, max(fit.inflated_s for fit in fits))


def _pieces(points: _Points, n_false: int) -> tuple[list[int], list[AffineFit]]:
    """Bounds of the pieces between true steps, and their fits.

    A suspected step stands only where no line serves both sides.
    """
    bounds = [0, *find_steps(points.x, points.y, points.h).tolist(), points.x.size]

    def fit(first: int, last: int) -> AffineFit:
        part = slice(first, last)
        return fit_affine(points.x[part], points.y[part], points.h[part], n_false)

    kept, fits = [0], [fit(bounds[0], bounds[1])]
    for first, last in pairwise(bounds[1:]):
        alone, both = fit(first, last), fit(kept[-1], last)
        if both.inflated_s == 0 and both.n_left_out <= (
            alone.n_left_out + fits[-1].n_left_out
        ):
            fits[-1] = both
        else:
            kept.append(first)
            fits.append(alone)
    return [*kept, points.x.size], fits


def _points(device: Edges, reference: Edges, chain: Chain) -> _Points:
    x, r = device.index[chain.device], reference.index[chain.reference]
    h = device.half_width[chain.device] + reference.half_width[chain.reference]
    low, high = r - x - h, r - x + h
    matched = np.zeros(len(device), dtype=np.bool_)
    matched[chain.device] = True
    for pair, row in enumerate(chain.device):
        for other in (row - 2, row - 1, row + 1, row + 2):
            if not 0 <= other < len(device) or matched[other]:
                continue
            if device.rising[other] != device.rising[row]:
                continue
            width = (
                device.half_width[other] + reference.half_width[chain.reference[pair]]
            )
            offset = r[pair] - device.index[other]
            if abs(device.index[other] - x[pair]) <= h[pair] + width:
                low[pair] = min(low[pair], offset - width)
                high[pair] = max(high[pair], offset + width)
    return _Points(
        x, 0.5 * (low + high), 0.5 * (high - low), chain.device, chain.reference
    )


def _run(
    fit: AffineFit,
    points: _Points,
    part: slice,
    device: Edges,
    reference: Edges,
    rate_hz: float,
) -> Run:
    x = points.x[part][fit.used]
    rows = points.device[part][fit.used]
    refs = points.reference[part][fit.used]
    clock = fit.clock
    residuals = reference.index[refs] - device.index[rows]
    residuals = residuals - clock.offset_s(device.index[rows])
    slopes = clock.corners[:, 1]
    n_seen = int(rows[-1] - rows[0] + 1)
    n_due = int(refs[-1] - refs[0] + 1)
    return Run(
        first=float(x[0] * rate_hz),
        last=float(x[-1] * rate_hz),
        begin=-np.inf,
        end=np.inf,
        n_matched=int(x.size),
        n_missed=n_due - int(x.size),
        n_extra=n_seen - int(x.size),
        residuals=residuals,
        matched_index=device.index[rows] * rate_hz,
        offset_s=float(clock.a - clock.b * clock.origin_s),
        skew_ppm=clock.b * 1e6,
        skew_half_width_ppm=float(np.max(np.abs(slopes - clock.b))) * 1e6,
        clock=clock,
    )


def _step(
    before: AffineFit, after: AffineFit, points: _Points, cut: int, rate_hz: float
) -> Step:
    ends = points.x[cut - 1 : cut + 1]
    middle = np.array([ends.mean()])
    size = after.clock.offset_s(middle) - before.clock.offset_s(middle)
    width = after.clock.half_width_s(middle) + before.clock.half_width_s(middle)
    return Step(
        after=float(ends[0] * rate_hz),
        before=float(ends[1] * rate_hz),
        size_s=float(size[0]),
        half_width_s=float(width[0]),
    )
