"""All straight lines that pass through every interval: the guaranteed clock.

With true half-widths, the true clock is one of them. They form a convex polygon in
the plane of (offset, slope); its corners give the exact bounds at every instant.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_NONE: Array = np.empty((0, 2))


def feasible_lines(x: Array, low: Array, high: Array, max_slope: float) -> Array:
    """Return the corners, shape (n, 2), of {(a, b): low <= a + b·x <= high for all}.

    All inputs have shape (n_points,), `x` increasing; ``|b| <= max_slope``. No corner
    means no such line. Corners are in order around the polygon.
    """
    bottom = low.min() - 1.0 - max_slope * float(np.abs(x).max())
    top = high.max() + 1.0 + max_slope * float(np.abs(x).max())
    corners = np.array(
        [
            [bottom, -max_slope],
            [top, -max_slope],
            [top, max_slope],
            [bottom, max_slope],
        ]
    )
    for row in lower_hull(x, high):
        corners = clip_polygon(corners, 1.0, x[row], high[row])
    for row in lower_hull(x, -low):
        corners = clip_polygon(corners, -1.0, -x[row], -low[row])
    return corners


def lower_hull(x: Array, y: Array) -> list[int]:
    """Positions of the points on the lower convex hull; `x` is sorted."""
    hull: list[int] = []
    xs, ys = x.tolist(), y.tolist()
    for row in range(len(xs)):
        while hull:
            last = hull[-1]
            if xs[row] == xs[last]:
                if ys[row] >= ys[last]:
                    break
                hull.pop()
                continue
            if len(hull) < 2:
                break
            prior = hull[-2]
            rise = (ys[last] - ys[prior]) * (xs[row] - xs[prior])
            if rise < (ys[row] - ys[prior]) * (xs[last] - xs[prior]):
                break
            hull.pop()
        if not hull or xs[hull[-1]] != xs[row]:
            hull.append(row)
    return hull


def clip_polygon(corners: Array, p: float, q: float, limit: float) -> Array:
    """Cut a convex polygon by p·a + q·b <= limit (Sutherland and Hodgman)."""
    if corners.shape[0] == 0:
        return corners
    over = corners @ np.array([p, q]) - limit
    if np.all(over <= 0.0):
        return corners
    if np.all(over > 0.0):
        return _NONE
    kept: list[Array] = []
    for here in range(corners.shape[0]):
        there = (here + 1) % corners.shape[0]
        if over[here] <= 0.0:
            kept.append(corners[here])
        if (over[here] <= 0.0) != (over[there] <= 0.0):
            share = over[here] / (over[here] - over[there])
            kept.append(corners[here] + share * (corners[there] - corners[here]))
    return np.array(kept)


def centroid(corners: Array) -> Array:
    """Return the centre of area of a polygon, shape (2,): the mean feasible line."""
    origin = corners.mean(axis=0)
    scale = np.maximum(np.ptp(corners, axis=0), 1e-300)
    a, b = ((corners - origin) / scale).T
    cross = a * np.roll(b, -1) - np.roll(a, -1) * b
    area = cross.sum()
    if abs(area) < 1e-9:
        return np.asarray(origin)
    centre = np.array(
        [((a + np.roll(a, -1)) * cross).sum(), ((b + np.roll(b, -1)) * cross).sum()]
    )
    return np.asarray(origin + scale * centre / (3.0 * area))


def binding(corners: Array, x: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    """Which points hold the polygon in place, shape (n_points,)."""
    lines = corners[:, :1] + corners[:, 1:] * x
    reach = 1e-9 + 1e-6 * (high - low)
    touches_high = lines.max(axis=0) >= high - reach
    touches_low = lines.min(axis=0) <= low + reach
    return np.asarray(touches_high | touches_low)


def area(corners: Array) -> float:
    """Return the area of a polygon."""
    a, b = (corners - corners.mean(axis=0)).T
    return 0.5 * abs(float((a * np.roll(b, -1) - np.roll(a, -1) * b).sum()))


def convex_hull(points: Array) -> Array:
    """Return the corners of the convex hull of points, shape (n, 2), in order."""
    about = points.mean(axis=0)
    a, b = (points - about).T
    order = np.lexsort((b, a))
    bottom = lower_hull(a[order], b[order])
    order_down = np.lexsort((-b, a))
    top = lower_hull(a[order_down], -b[order_down])
    rows = [*order[bottom].tolist(), *order_down[top].tolist()[::-1]]
    return np.asarray(points[rows])
