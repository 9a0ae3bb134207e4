"""One straight piece of a clock, with its guaranteed interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sync.feasible import binding, centroid, feasible_lines
from sync.matching import MAX_SKEW
from sync.robust import robust_line, weighted_line

Array = NDArray[np.float64]
ROUNDING_S = 1e-6  #: epoch seconds in float64 are good to 0.24 us
_WANDER_PER_S = 10e-6 / 1200.0  #: 10 ppm in 20 min
_WANDER_MOST = 10e-6
_SHARP = 0.35  #: residuals this small against their bounds are better averaged


@dataclass(frozen=True, eq=False)
class AffineClock:
    """offset(x) = a + b·(x - origin): reference less nominal seconds of the device.

    `corners`, shape (n, 2), are the extreme (a, b) that the edges allow.
    """

    origin_s: float
    a: float
    b: float
    corners: Array
    margin_s: float = ROUNDING_S

    def offset_s(self, x: Array) -> Array:
        return self.a + self.b * (x - self.origin_s)

    def half_width_s(self, x: Array) -> Array:
        width = np.zeros(np.shape(x))
        for a, b in self.corners:
            apart = (a - self.a) + (b - self.b) * (x - self.origin_s)
            np.maximum(width, np.abs(apart), out=width)
        return width + self.margin_s


@dataclass(frozen=True, eq=False)
class AffineFit:
    """A clock piece, which points it stands on, and how far bounds had to give."""

    clock: AffineClock
    used: NDArray[np.bool_]
    inflated_s: float

    @property
    def n_left_out(self) -> int:
        return int(self.used.size - np.count_nonzero(self.used))


def fit_affine(x: Array, y: Array, half_width: Array, n_false: int = 0) -> AffineFit:
    """Fit offsets `y` at device seconds `x`, each true to ± `half_width`; all (n,).

    Points that no line near the others can reach are left out. The interval stays true
    when up to `n_false` of the points used are false. Where too many would have to go,
    the bounds are widened for all instead, and `inflated_s` says by how much.
    """
    origin = float(x[0] + 0.5 * (x[-1] - x[0]))
    u, h = x - origin, half_width + ROUNDING_S
    start = float(np.median(y))
    v = y - start
    line = robust_line(u, v, h, MAX_SKEW)
    excess = np.abs(v - line[0] - line[1] * u) - h
    order = np.argsort(excess, kind="stable")
    n_most = max(1, int(0.12 * u.size)) if u.size > 3 else 0
    inflated = 0.0
    used, corners = _largest_feasible(u, v, h, order, n_most)
    if corners.shape[0] == 0:
        scatter = 1.4826 * float(np.median(np.abs(excess + h)))
        near = excess + h <= np.maximum(4.0 * scatter, h)
        used = near if near.sum() >= 2 else np.ones(u.size, dtype=np.bool_)
        inflated, corners = _inflate(u[used], v[used], h[used])
        h = h + inflated
    centre = _centre(u[used], v[used], h[used], corners)
    low, high = (v - h)[used], (v + h)[used]
    corners = peeled(u[used], low, high, corners, n_false)[1]
    margin = (
        ROUNDING_S
        + unseen_bend_s(u[used], v[used] - centre[0] - centre[1] * u[used])
        + 2.0 * inflated
    )
    clock = AffineClock(
        origin, centre[0] + start, centre[1], corners + np.array([start, 0.0]), margin
    )
    return AffineFit(clock, used, inflated)


def unseen_bend_s(u: Array, residual: Array, span_s: float | None = None) -> float:
    """How far a clock may bow off its line without the edges showing it.

    A quartz wanders with temperature, by `_WANDER_PER_S` and `_WANDER_MOST`; a larger
    bow than the scatter of the edges hides would have been fitted. `span_s` is the
    length of one straight piece, the whole by default.
    """
    span = float(np.ptp(u)) if span_s is None else span_s
    bow = min(_WANDER_PER_S * span * span, _WANDER_MOST * span) / 8.0
    n = u.size * span / max(float(np.ptp(u)), 1e-9)
    if n < 40:
        return bow
    noise = float(np.std(residual))
    hidden = 4.5 * noise / (0.0745 * np.sqrt(n)) / 8.0
    return float(min(bow, hidden))


def _largest_feasible(
    u: Array, v: Array, h: Array, order: NDArray[np.intp], n_most: int
) -> tuple[NDArray[np.bool_], Array]:
    """Drop the fewest of the worst points, at most `n_most`, that leave a line."""

    def attempt(n_drop: int) -> tuple[NDArray[np.bool_], Array]:
        used = np.ones(u.size, dtype=np.bool_)
        used[order[u.size - n_drop :]] = False
        return used, feasible_lines(u[used], (v - h)[used], (v + h)[used], MAX_SKEW)

    fewest, enough = 0, n_most
    best = attempt(0)
    if best[1].shape[0]:
        return best
    best = attempt(n_most)
    while best[1].shape[0] and enough - fewest > 1:
        middle = (fewest + enough) // 2
        trial = attempt(middle)
        if trial[1].shape[0]:
            best, enough = trial, middle
        else:
            fewest = middle
    return best


def _inflate(u: Array, v: Array, h: Array) -> tuple[float, Array]:
    """Smallest common widening of the bounds that lets a line through, and a tenth."""
    small, large = 0.0, float(np.ptp(v)) + float(h.max())
    for _ in range(40):
        middle = 0.5 * (small + large)
        if feasible_lines(u, v - h - middle, v + h + middle, MAX_SKEW).shape[0]:
            large = middle
        else:
            small = middle
        if large - small < 0.02 * large:
            break
    large *= 1.1
    return large, feasible_lines(u, v - h - large, v + h + large, MAX_SKEW)


def _centre(u: Array, v: Array, h: Array, corners: Array) -> Array:
    """Choose a line: the centroid, or least squares where edges are sharp."""
    middle = centroid(corners)
    line, scatter = least_squares(u, v, h, corners)
    return middle if u.size < 4 or scatter > _SHARP else line


def least_squares(u: Array, v: Array, h: Array, corners: Array) -> tuple[Array, float]:
    """Return the line (a, b) of least squares, and its root mean square of v / h.

    Moved towards the centroid of the feasible `corners` until it is one of them.
    """
    line = np.array(weighted_line(u, v, 1.0 / np.square(h), MAX_SKEW))
    residual = v - line[0] - line[1] * u
    scatter = float(np.sqrt(np.mean(np.square(residual / h))))
    middle = centroid(corners)
    for _ in range(20):
        if np.all(np.abs(v - line[0] - line[1] * u) <= h):
            return line, scatter
        line = 0.5 * (line + middle)
    return middle, scatter


def peeled(
    u: Array, low: Array, high: Array, corners: Array, n_false: int
) -> tuple[NDArray[np.bool_], Array]:
    """Leave out the points that hold the polygon, `n_false` times over.

    Returns which points are left and the polygon without the others.
    """
    left = np.ones(u.size, dtype=np.bool_)
    for _ in range(n_false):
        holding = binding(corners, u[left], low[left], high[left])
        if left.sum() < 8 or left.sum() - holding.sum() < 4:
            break
        left[left] = ~holding
        corners = feasible_lines(u[left], low[left], high[left], MAX_SKEW)
    return left, corners
