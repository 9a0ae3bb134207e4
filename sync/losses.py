"""Runs of one clock, apart by samples that vanished unseen: fitted together.

A loss does not change how fast a clock ticks; it moves the count by a whole number of
samples. So the runs share one line and differ by whole numbers, and all of them that
the edges allow, each with its lines, bound the clock.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sync.affine import (
    ROUNDING_S,
    AffineClock,
    AffineFit,
    least_squares,
    peeled,
    unseen_bend_s,
)
from sync.bend import is_bent
from sync.feasible import (
    area,
    centroid,
    clip_polygon,
    convex_hull,
    feasible_lines,
    lower_hull,
)
from sync.matching import MAX_SKEW
from sync.points import Points

Array = NDArray[np.float64]
_MOST = 80  #: ways to count the losses; more of them say nothing
_FREE_S = 10.0  #: a bound that binds nothing


@dataclass(frozen=True, eq=False)
class LossFit:
    """Clocks of the runs, and (least, likeliest, most) samples lost between them."""

    clocks: list[AffineClock]
    n_lost: list[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class _Part:
    """Points of one run about a common origin, and the bounds that hold."""

    u: Array
    v: Array
    h: Array
    low: Array
    high: Array
    corners: Array

    def with_skews(self, low: float, high: float) -> "_Part":
        """Keep the lines with a slope between two."""
        corners = clip_polygon(self.corners, 0.0, 1.0, high)
        return replace(self, corners=clip_polygon(corners, 0.0, -1.0, -low))

    def clip(self, corners: Array, by_s: float) -> Array:
        """Keep of the first run's lines those that serve here, `by_s` s lost."""
        for row in lower_hull(self.u, self.high):
            limit = self.high[row] - by_s
            corners = clip_polygon(corners, 1.0, self.u[row] + by_s, limit)
        for row in lower_hull(self.u, -self.low):
            limit = by_s - self.low[row]
            corners = clip_polygon(corners, -1.0, -self.u[row] - by_s, limit)
        return corners


@dataclass(frozen=True, eq=False)
class _Way:
    """One way to count: samples lost before each run; the first run's lines."""

    lost: tuple[int, ...]
    corners: Array


def fit_losses(
    points: list[Points],
    fits: list[AffineFit],
    rate_hz: float,
    n_false: int = 0,
    skews: tuple[float, float] = (-MAX_SKEW, MAX_SKEW),
) -> LossFit | None:
    """Fit the runs of one clock together; None where losses do not explain the steps.

    `points` are those of each run, in order, `fits` the runs' own. An edge next to a
    loss may have come while samples vanished: the loss then bounds it on one side only.
    `skews` are the least and greatest that the clock may have.
    """
    base, origin = fits[0].clock.a, 0.5 * float(points[0].x[0] + points[-1].x[-1])
    last = len(fits) - 1
    parts = [
        _part(own, fit, (origin, base), n_false, begins=k == 0, ends=k == last)
        for k, (own, fit) in enumerate(zip(points, fits, strict=True))
    ]
    parts = [part.with_skews(*skews) for part in parts]
    ways = [_Way((0,), parts[0].corners)]
    for part in parts[1:]:
        ways = [longer for way in ways for longer in _counts(way, part, rate_hz)]
        if not 0 < len(ways) <= _MOST:
            return None
    best = _likeliest(ways, parts, rate_hz)
    if _bends(ways[best], parts, fits, rate_hz):
        return None
    lines = [_lines_of(ways, k, rate_hz) for k in range(len(parts))]
    residual = [
        part.v - a - b * part.u
        for part, (a, b) in zip(parts, (own.mean for own in lines), strict=True)
    ]
    margin = ROUNDING_S + 2.0 * max(fit.inflated_s for fit in fits)
    margin += unseen_bend_s(
        np.concatenate([part.u for part in parts]), np.concatenate(residual)
    )
    shift = np.array([base, 0.0])
    clocks = [
        AffineClock(
            origin,
            float(own.mean[0]) + base,
            float(own.mean[1]),
            own.corners + shift,
            margin,
        )
        for own in lines
    ]
    counts = np.diff(np.array([way.lost for way in ways]), axis=1)
    n_lost = [(int(n.min()), int(n[best]), int(n.max())) for n in counts.T]
    return LossFit(clocks, n_lost)


def _part(
    points: Points,
    fit: AffineFit,
    about: tuple[float, float],
    n_false: int,
    *,
    begins: bool,
    ends: bool,
) -> _Part:
    own = points.select(fit.used)
    u, v = own.x - about[0], own.y - about[1]
    h = own.h + ROUNDING_S + fit.inflated_s
    low, high = v - h, v + h
    if len(own) > 1 and not ends:
        low[-1] -= _FREE_S
    if len(own) > 2 - ends and not begins:
        high[0] += _FREE_S
    corners = feasible_lines(u, low, high, MAX_SKEW)
    if n_false:
        left, corners = peeled(u, low, high, corners, n_false)
        low, high = low - _FREE_S * ~left, high + _FREE_S * ~left
    return _Part(u, v, h, low, high, corners)


def _counts(way: _Way, part: _Part, rate_hz: float) -> list[_Way]:
    """Return the ways to go on behind one more loss."""
    if part.corners.shape[0] == 0:
        return []
    u = np.array([part.u.min(), part.u.max()])
    here = part.corners[:, :1] + part.corners[:, 1:] * u
    first = way.corners[:, :1] + way.corners[:, 1:] * u
    least = int(np.floor((here.min(0) - first.max(0)).max() * rate_hz)) - 1
    most = int(np.ceil((here.max(0) - first.min(0)).min() * rate_hz)) + 1
    if most - least > 4 * _MOST:
        return []
    found = []
    for n in range(max(least, way.lost[-1] + 1), most + 1):
        corners = part.clip(way.corners, n / rate_hz)
        if corners.shape[0]:
            found.append(_Way((*way.lost, n), corners))
    return found


def _merged(
    way: _Way, parts: list[_Part], rate_hz: float
) -> tuple[Array, Array, Array]:
    """Return the points of all runs as if nothing had been lost."""
    by = [n / rate_hz for n in way.lost]
    u = np.concatenate([p.u + s for p, s in zip(parts, by, strict=True)])
    v = np.concatenate([p.v - s for p, s in zip(parts, by, strict=True)])
    return u, v, np.concatenate([part.h for part in parts])


def _bends(
    way: _Way, parts: list[_Part], fits: list[AffineFit], rate_hz: float
) -> bool:
    """Whether the runs together show a rate that wanders: then no line is theirs."""
    u, v, h = _merged(way, parts, rate_hz)
    used = np.ones(u.size, dtype=np.bool_)
    widened = max(fit.inflated_s for fit in fits)
    return is_bent(AffineFit(fits[0].clock, used, widened), u, v, h)


def _likeliest(ways: list[_Way], parts: list[_Part], rate_hz: float) -> int:
    """Return the way whose line of least squares leaves the least."""
    left = []
    for way in ways:
        u, v, h = _merged(way, parts, rate_hz)
        line = least_squares(u, v, h, way.corners)[0]
        left.append(float(np.sum(np.square((v - line[0] - line[1] * u) / h))))
    return int(np.argmin(left))


@dataclass(frozen=True, eq=False)
class _Lines:
    """The mean line of one run, shape (2,), and the corners around all, (n, 2)."""

    mean: Array
    corners: Array


def _lines_of(ways: list[_Way], run: int, rate_hz: float) -> _Lines:
    """Return the lines of one run, every way weighed by the room it has."""
    weights = np.array([max(area(way.corners), 1e-30) for way in ways])
    centres = np.array([centroid(way.corners) for way in ways])
    by_s = np.array([[way.lost[run] / rate_hz] for way in ways])
    offsets = _behind(centres, by_s)[:, 0]
    mean = np.array([weights @ offsets, weights @ centres[:, 1]]) / weights.sum()
    corners = [_behind(way.corners, by) for way, by in zip(ways, by_s, strict=True)]
    return _Lines(mean, convex_hull(np.concatenate(corners)))


def _behind(lines: Array, by_s: Array) -> Array:
    """Lines, shape (n, 2), for a count that lacks `by_s` s, shape (n, 1) or (1,)."""
    offsets = lines[:, :1] + by_s * (1.0 + lines[:, 1:])
    return np.concatenate((offsets, lines[:, 1:]), axis=1)
