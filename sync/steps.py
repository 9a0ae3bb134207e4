"""Where a clock may have stepped, from its matched edges."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sync.matching import MAX_SKEW

Array = NDArray[np.float64]
_SIDES = (4, 8, 16, 32)  #: edges averaged on either side
_CLEAR_Z = 5.5


def find_steps(x: Array, y: Array, half_width: Array) -> NDArray[np.intp]:
    """Return k for every suspected step of the offset between points k - 1 and k.

    `x` (device seconds), `y` (offset, s) and `half_width` (s) have shape (n_points,).
    All places are looked at side by side, so a step out and back shows as two; several
    scales, so that a small lasting step shows as well as a large short one. Suspects
    are for the caller to confirm.
    """
    n = x.size
    if n < 2:
        return np.empty(0, dtype=np.intp)
    jump = np.abs(np.diff(y))
    certain = jump > half_width[1:] + half_width[:-1] + MAX_SKEW * np.diff(x) + 1e-6
    found: list[int] = (np.flatnonzero(certain) + 1).tolist()
    for first, last in pairwise([0, *found, n]):
        part = slice(first, last)
        inner = _suspects(x[part], y[part], half_width[part])
        found += [first + k for k in inner]
    return np.array(sorted(set(found)), dtype=np.intp)


def _suspects(x: Array, y: Array, half_width: Array) -> list[int]:
    """Find steps too small for one pair of edges to show."""
    found: list[int] = []
    for side in _SIDES:
        if x.size < 2 * side:
            break
        apart, noise = _apart(x, y, half_width, side)
        limit = _CLEAR_Z * noise
        for k in _peaks(np.abs(apart), limit):
            if all(abs(k + side - other) > side for other in found):
                found.append(_sharpest(x, y, k + side, side))
    return found


def _apart(x: Array, y: Array, h: Array, side: int) -> tuple[Array, float]:
    """Mean behind less mean before every place, the trend removed; and its noise."""
    lag = min(2 * side, x.size - 1)
    slopes = (y[lag:] - y[:-lag]) / np.maximum(x[lag:] - x[:-lag], 1e-9)
    slope = float(np.clip(np.median(slopes), -MAX_SKEW, MAX_SKEW))
    flat = y - slope * (x - x[0])
    trend = np.median(
        np.lib.stride_tricks.sliding_window_view(flat, min(flat.size, 2 * side)), axis=1
    )
    middle = np.interp(np.arange(flat.size), np.arange(trend.size) + side, trend)
    flat = middle + np.clip(flat - middle, -2.0 * h, 2.0 * h)
    sums = np.cumsum(np.concatenate(([0.0], flat)))
    means = (sums[side:] - sums[:-side]) / side
    apart = means[side:] - means[:-side]
    noise = 1.4826 * float(np.median(np.abs(apart - np.median(apart))))
    share = 0.3 if apart.size >= 4 * side else 0.8
    floor = share * float(np.median(h)) * np.sqrt(2.0 / side)
    return apart, max(noise, floor)


def _peaks(size: Array, limit: float) -> list[int]:
    """Return the highest point of each stretch above the limit."""
    over = size > limit
    edges = np.flatnonzero(np.diff(np.concatenate(([0], over.astype(np.int8), [0]))))
    return [
        int(start + np.argmax(size[start:stop]))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def _sharpest(x: Array, y: Array, near: int, side: int) -> int:
    """Place near `near` at which two levels leave the least deviation."""
    first, last = max(0, near - side), min(x.size, near + side)
    part = y[first:last]
    costs = [
        float(np.abs(part[:k] - np.median(part[:k])).sum())
        + float(np.abs(part[k:] - np.median(part[k:])).sum())
        for k in range(1, part.size)
    ]
    return first + 1 + int(np.argmin(costs))
