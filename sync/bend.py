"""A clock whose rate wanders: a chain of straight pieces with common knots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from sync.affine import ROUNDING_S, AffineClock, AffineFit, unseen_bend_s
from sync.matching import MAX_SKEW
from sync.robust import weighted_line

Array = NDArray[np.float64]
KNOT_SPACING_S = 60.0
_KNOTS = (3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129)
_MIN_EDGES_PER_KNOT = 8
_CLEAR_Z = 4.5  #: a quadratic term this many standard errors from zero is a bend
_BIC_GAIN = 10.0
_PER_SECTION = 40  #: tightest points of each section that bound it


@dataclass(frozen=True, eq=False)
class BentClock:
    """Offset as straight pieces between knots, with bounds at the knots."""

    knots_s: Array
    values: Array
    low: Array
    high: Array
    margin_s: float = ROUNDING_S

    def offset_s(self, x: Array) -> Array:
        return _lines(x, self.knots_s, self.values)

    def half_width_s(self, x: Array) -> Array:
        centre = self.offset_s(x)
        over = _lines(x, self.knots_s, self.high) - centre
        under = centre - _lines(x, self.knots_s, self.low)
        outside = np.maximum(self.knots_s[0] - x, x - self.knots_s[-1])
        growth = np.maximum(outside, 0.0) * self.end_slope_width
        width = np.maximum(np.maximum(over, under), 0.0)
        return np.asarray(width + growth + self.margin_s)

    @property
    def slopes(self) -> Array:
        """Slope of every piece."""
        return np.asarray(np.diff(self.values) / np.diff(self.knots_s))

    @property
    def end_slope_width(self) -> float:
        """How fast the bounds may part beyond the ends: as fast as they may within."""
        width = float(np.max(self.high - self.low))
        change = float(np.ptp(self.slopes))
        return width / float(np.min(np.diff(self.knots_s))) + change


def is_bent(fit: AffineFit, x: Array, y: Array, half_width: Array) -> bool:
    """Whether matched edges show more than a straight line."""
    if x.size < 40 or np.ptp(x) < 2.0 * KNOT_SPACING_S:
        return False
    if fit.inflated_s > 0 or fit.n_left_out > 0.03 * x.size:
        return True
    used = fit.used
    u = (x[used] - x[used].mean()) / np.ptp(x[used])
    basis = np.column_stack((np.ones(u.size), u, u * u))
    weight = 1.0 / (half_width[used] + ROUNDING_S)
    solved, _, _, _ = np.linalg.lstsq(
        basis * weight[:, None], (y[used] - y[used].mean()) * weight, rcond=None
    )
    left = ((y[used] - y[used].mean()) - basis @ solved) * weight
    noise = float(left @ left) / max(1, u.size - 3)
    inverse = np.linalg.inv((basis * weight[:, None]).T @ (basis * weight[:, None]))
    return bool(abs(solved[2]) > _CLEAR_Z * np.sqrt(noise * inverse[2, 2]))


def fit_bent(
    x: Array, y: Array, half_width: Array
) -> tuple[BentClock, AffineFit] | None:
    """Return a bent clock and which points it uses, or None if a line does as well.

    As many knots as the Bayesian information criterion asks for, at most one a minute.
    """
    h = half_width + ROUNDING_S
    base = float(np.median(y))
    v = y - base
    used = np.ones(x.size, dtype=np.bool_)
    best_bic, best = np.inf, None
    most = min(x.size // _MIN_EDGES_PER_KNOT, int(np.ptp(x) / KNOT_SPACING_S) + 1)
    for n_knots in (2, *(n for n in _KNOTS if n <= most)):
        knots = np.linspace(x[0], x[-1], n_knots)
        values, used = _robust(x, v, h, knots)
        scaled = np.minimum(np.abs(v - _lines(x, knots, values)) / h, 3.0)
        variance = max(float(np.mean(np.square(scaled))), 1e-12)
        bic = x.size * np.log(variance) + n_knots * np.log(x.size)
        if bic < best_bic - (_BIC_GAIN if best is not None else 0.0):
            best_bic, best = bic, (knots, values, used)
    if best is None or best[0].size == 2:
        return None
    knots, values, used = best
    residual = np.abs(v - _lines(x, knots, values)) - h
    inflated = max(0.0, float(np.max(residual[used])) * 1.1)
    low, high = _bounds(x[used], v[used], h[used] + inflated, knots, values)
    spacing = float(np.ptp(knots)) / (knots.size - 1)
    left = (v - _lines(x, knots, values))[used]
    margin = ROUNDING_S + unseen_bend_s(x[used], left, spacing) + inflated
    clock = BentClock(knots, values + base, low + base, high + base, margin)
    a, slope = weighted_line(x[used], y[used] - base, 1.0 / np.square(h[used]), 1.0)
    return clock, AffineFit(_as_line(a + base, slope, clock), used, inflated)


def _as_line(a: float, slope: float, clock: BentClock) -> AffineClock:
    spread = float(np.max(np.abs(clock.slopes - slope)))
    spread += float(np.max(clock.high - clock.low)) / float(np.ptp(clock.knots_s))
    corners = np.array([[a, slope - spread], [a, slope + spread]])
    return AffineClock(0.0, a, slope, corners)


def _lines(x: Array, knots: Array, values: Array) -> Array:
    """Straight pieces through the knots, the outer ones prolonged."""
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, knots.size - 2)
    share = (x - knots[piece]) / (knots[piece + 1] - knots[piece])
    return np.asarray(values[piece] + share * (values[piece + 1] - values[piece]))


def _basis(x: Array, knots: Array) -> csr_array:
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, knots.size - 2)
    share = (x - knots[piece]) / (knots[piece + 1] - knots[piece])
    rows = np.tile(np.arange(x.size), 2)
    columns = np.concatenate((piece, piece + 1))
    return csr_array(
        (np.concatenate((1.0 - share, share)), (rows, columns)),
        shape=(x.size, knots.size),
    )


def _robust(
    x: Array, v: Array, h: Array, knots: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Values at the knots by Huber weights, and which points lie within bounds."""
    basis = _basis(x, knots)
    weight = np.ones(x.size)
    values = np.zeros(knots.size)
    for _ in range(10):
        scale = np.sqrt(weight) / h
        scaled = basis.multiply(scale[:, None]).toarray()
        values = np.linalg.lstsq(scaled, v * scale, rcond=None)[0]
        residual = np.abs(v - basis @ values)
        spread = max(1.4826 * float(np.median(residual / h)), 1e-6)
        weight = np.minimum(1.0, 1.5 * spread / np.maximum(residual / h, 1e-12))
    return values, residual <= 1.25 * h


def _bounds(
    x: Array, v: Array, h: Array, knots: Array, values: Array
) -> tuple[Array, Array]:
    """Least and greatest value each knot may have with all points in bounds."""
    rows = _tightest(x, v - _lines(x, knots, values), h, knots)
    basis = _basis(x[rows], knots).toarray()
    stacked = np.concatenate((basis, -basis))
    limit = np.concatenate((v[rows] + h[rows], h[rows] - v[rows]))
    reach = MAX_SKEW * float(np.max(np.diff(knots))) + float(h.max())
    box = [(value - reach, value + reach) for value in values.tolist()]
    low, high = values.copy(), values.copy()
    for knot in range(knots.size):
        for sign, out in ((1.0, low), (-1.0, high)):
            cost = np.zeros(knots.size)
            cost[knot] = sign
            solved = linprog(cost, stacked, limit, bounds=box, method="highs")
            found = solved.x if solved.success else None
            out[knot] = box[knot][int(sign < 0)] if found is None else found[knot]
    return np.minimum(low, values), np.maximum(high, values)


def _tightest(x: Array, residual: Array, h: Array, knots: Array) -> NDArray[np.intp]:
    """Points near either bound, some of each section: fewer can only widen bounds."""
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, knots.size - 2)
    chosen: list[NDArray[np.intp]] = []
    for section in range(knots.size - 1):
        rows = np.flatnonzero(piece == section)
        over, under = h[rows] - residual[rows], h[rows] + residual[rows]
        chosen.append(rows[np.argsort(over)[:_PER_SECTION]])
        chosen.append(rows[np.argsort(under)[:_PER_SECTION]])
    return np.unique(np.concatenate(chosen))
