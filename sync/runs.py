"""From matched edges to the runs of a clock."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sync.affine import AffineClock, AffineFit, fit_affine
from sync.bend import fit_bent, is_bent
from sync.clock_fit import Clock, Run, Step
from sync.edges import Edges
from sync.losses import LossFit, fit_losses
from sync.matching import Chain
from sync.pieces import Piece, cut_complete, cut_spoiled
from sync.points import Points, matched_points
from sync.slopes import share_slope, step_bounds

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
            here = replace(run, begin=begins[k], end=ends[k])
            if k:
                here = blurred_at_begin(here, self.steps[k - 1])
            if k < len(self.steps):
                here = blurred_at_end(here, self.steps[k])
            placed.append(here)
        return placed


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One piece with its clock; `line` is the clock itself unless that is bent."""

    piece: Piece
    fit: AffineFit
    bent: Clock | None

    @property
    def line(self) -> AffineClock:
        return self.fit.clock

    @property
    def clock(self) -> Clock:
        return self.bent if self.bent is not None else self.fit.clock


def fit_runs(
    device: Edges, reference: Edges, chain: Chain, rate_hz: float, *, complete: bool
) -> Runs:
    """Split a chain of matched edges at its steps and fit each piece.

    `device.index` is in nominal seconds. `complete` says that every edge has its
    partner, so that none may be set aside as false while a step explains it. Borders
    are set later (`Runs.placed`).
    """
    points = matched_points(device, reference, chain)
    n_extra = len(device) - len(chain)
    n_false = min(3, -(-n_extra // _EXTRAS_PER_FALSE))
    pieces = cut_complete(points) if complete else cut_spoiled(points)
    pieces = _without_lone(pieces, points)
    fitted = [_fit(piece, points, n_false) for piece in pieces]
    lost: LossFit | None = None
    if len(fitted) > 1 and not any(part.bent for part in fitted):
        own = [points.select(part.piece.rows) for part in fitted]
        lost = fit_losses(own, [part.fit for part in fitted], rate_hz, n_false)
        lines = lost.clocks if lost else share_slope([p.line for p in fitted])
        fitted = [
            replace(part, fit=replace(part.fit, clock=line))
            for part, line in zip(fitted, lines, strict=True)
        ]
    runs = [_run(part, points, device, reference, rate_hz) for part in fitted]
    steps = [
        _step(before, after, points, rate_hz) for before, after in pairwise(fitted)
    ]
    if lost:
        steps = [
            _loss(step, counts, rate_hz)
            for step, counts in zip(steps, lost.n_lost, strict=True)
        ]
    return Runs(runs, steps, max(part.fit.inflated_s for part in fitted))


def _without_lone(pieces: list[Piece], points: Points) -> list[Piece]:
    """Set aside lone edges amid a rise of the offset: they came during a loss."""
    kept: list[Piece] = pieces[:1]
    for piece, following in pairwise(pieces[1:]):
        row, (before, after) = piece.rows[0], (kept[-1].rows[-1], following.rows[0])
        rises = points.y[before] < points.y[row] < points.y[after]
        if piece.rows.size == 1 and rises:
            n_aside = kept[-1].n_set_aside + piece.n_set_aside + 1
            kept[-1] = replace(kept[-1], n_set_aside=n_aside)
        else:
            kept.append(piece)
    return [*kept, *pieces[1:][-1:]]


def _fit(piece: Piece, points: Points, n_false: int) -> _Fitted:
    own = points.select(piece.rows)
    fit = fit_affine(own.x, own.y, own.h, n_false)
    if is_bent(fit, own.x, own.y, own.h):
        bent = fit_bent(own.x, own.y, own.h)
        if bent is not None:
            return _Fitted(piece, bent[1], bent[0])
    return _Fitted(piece, fit, None)


def _run(
    part: _Fitted, points: Points, device: Edges, reference: Edges, rate_hz: float
) -> Run:
    own = points.select(part.piece.rows).select(part.fit.used)
    residuals = reference.index[own.reference] - device.index[own.device]
    residuals = residuals - part.clock.offset_s(device.index[own.device])
    line = part.line
    n_matched = len(own) + part.piece.n_set_aside
    first, last = own.device[[0, -1]]
    n_due = int(own.reference[-1] - own.reference[0] + 1)
    return Run(
        first=float(own.x[0] * rate_hz),
        last=float(own.x[-1] * rate_hz),
        begin=-np.inf,
        end=np.inf,
        n_matched=n_matched,
        n_missed=max(0, n_due - n_matched),
        n_extra=max(0, int(last - first + 1) - n_matched),
        residuals=residuals,
        matched_index=device.index[own.device] * rate_hz,
        offset_s=float(line.a - line.b * line.origin_s),
        skew_ppm=line.b * 1e6,
        skew_half_width_ppm=float(np.max(np.abs(line.corners[:, 1] - line.b))) * 1e6,
        clock=part.clock,
        rate_hz=rate_hz,
        matched_half_width=own.h,
    )


def _step(before: _Fitted, after: _Fitted, points: Points, rate_hz: float) -> Step:
    ends = points.x[[before.piece.rows[-1], after.piece.rows[0]]]
    middle = float(ends.mean())
    low, high = step_bounds(before.line, after.line, middle)
    return Step(
        after=float(ends[0] * rate_hz),
        before=float(ends[1] * rate_hz),
        size_s=0.5 * (low + high),
        half_width_s=0.5 * (high - low),
    )


def _loss(step: Step, n_lost: tuple[int, int, int], rate_hz: float) -> Step:
    """Return the step as the loss it is, of a whole number of samples."""
    least, _, most = n_lost
    return replace(
        step,
        size_s=0.5 * (least + most) / rate_hz,
        half_width_s=0.5 * (most - least) / rate_hz,
        n_lost=n_lost,
    )


def step_size_s(before: Run, after: Run, index: float) -> tuple[float, float]:
    """Return the least and greatest step from one run to the next at an index, in s.

    One clock with one rate, as after samples lost unseen.
    """
    rate_hz = before.rate_hz
    at = index / rate_hz
    if isinstance(before.clock, AffineClock) and isinstance(after.clock, AffineClock):
        return step_bounds(before.clock, after.clock, at)
    step = step_between(before, after, np.array([at, at]), rate_hz)
    return step.size_s - step.half_width_s, step.size_s + step.half_width_s


def step_between(before: Run, after: Run, ends_s: Array, rate_hz: float) -> Step:
    """Return the step from one run to the next, between two nominal instants."""
    middle = np.array([ends_s.mean()])
    size = after.clock.offset_s(middle) - before.clock.offset_s(middle)
    width = after.clock.half_width_s(middle) + before.clock.half_width_s(middle)
    return Step(
        after=float(ends_s[0] * rate_hz),
        before=float(ends_s[1] * rate_hz),
        size_s=float(size[0]),
        half_width_s=float(width[0]),
    )


def blurred_at_begin(run: Run, step: Step) -> Run:
    """Return the run with an interval that takes in where the step may be."""
    blur, jump = step.before - run.begin, abs(step.size_s) + step.half_width_s
    return replace(run, begin_blur=blur, begin_jump_s=jump)


def blurred_at_end(run: Run, step: Step) -> Run:
    """Return the run with an interval that takes in where the step may be."""
    blur, jump = run.end - step.after, abs(step.size_s) + step.half_width_s
    return replace(run, end_blur=blur, end_jump_s=jump)
