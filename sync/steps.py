"""Steps of a clock between matched edges."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sync.matching import MAX_SKEW

Array = NDArray[np.float64]
_SIDE = 7  #: edges whose median stands for a side


def find_steps(x: Array, y: Array, half_width: Array) -> NDArray[np.intp]:
    """Return k for every step of the offset between points k - 1 and k.

    `x` (device seconds), `y` (offset, s) and `half_width` (s) have shape (n_points,).
    Steps are found side by side, all at once, so a step out and back shows as two.
    """
    n = x.size
    if n < 2:
        return np.empty(0, dtype=np.intp)
    slope = _slope(x, y, half_width)
    flat = y - slope * (x - x[0])
    jump = np.diff(flat)
    certain = np.abs(jump) > half_width[1:] + half_width[:-1] + (
        MAX_SKEW * np.diff(x) + 1e-6
    )
    found: list[int] = (np.flatnonzero(certain) + 1).tolist()
    found += _small_steps(flat, half_width, found)
    return np.array(sorted(set(found)), dtype=np.intp)


def _slope(x: Array, y: Array, half_width: Array) -> float:
    """Typical slope from neighbours on the same side of any step."""
    lag = min(8, x.size - 1)
    run, rise = x[lag:] - x[:-lag], y[lag:] - y[:-lag]
    if lag < 4:
        return 0.0
    slopes = rise / np.maximum(run, 1e-9)
    noise = float(np.median(half_width)) / float(np.median(run))
    slope = float(np.median(slopes))
    if abs(slope) < noise / np.sqrt(x.size):
        return 0.0
    return float(np.clip(slope, -MAX_SKEW, MAX_SKEW))


def _small_steps(flat: Array, half_width: Array, known: list[int]) -> list[int]:
    """Find steps too small for one pair of edges: medians of several on each side."""
    n = flat.size
    borders = [0, *known, n]
    found: list[int] = []
    for first, last in pairwise(borders):
        if last - first < 2 * _SIDE:
            continue
        part = flat[first:last]
        windows = np.lib.stride_tricks.sliding_window_view(part, _SIDE)
        middles = np.median(windows, axis=1)
        apart = middles[_SIDE:] - middles[:-_SIDE]  # apart[k]: step at k + _SIDE
        noise = 1.4826 * float(np.median(np.abs(apart - np.median(apart))))
        width = float(np.median(half_width[first:last]))
        limit = max(6.0 * noise, 1.3 * width)
        found += [first + k for k in _peaks(np.abs(apart), limit)]
    return found


def _peaks(size: Array, limit: float) -> list[int]:
    """Return the highest point of each stretch above the limit."""
    over = size > limit
    edges = np.flatnonzero(np.diff(np.concatenate(([0], over.astype(np.int8), [0]))))
    return [
        int(start + np.argmax(size[start:stop])) + _SIDE
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
