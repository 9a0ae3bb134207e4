"""A straight line through points of which some are wrong."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def robust_line(x: Array, y: Array, scale: Array, max_slope: float) -> Array:
    """Return (offset, slope) of y over x, slope within ± `max_slope`.

    Median of pairwise slopes to start with, then Huber weights; `scale`, shape
    (n_points,), is the size of an honest error of each point.
    """
    slope = float(np.clip(_median_slope(x, y), -max_slope, max_slope))
    offset = float(np.median(y - slope * x))
    for _ in range(12):
        residual = y - offset - slope * x
        spread = max(1.4826 * float(np.median(np.abs(residual))), 1e-9)
        limit = 1.5 * np.minimum(spread, np.maximum(scale, 1e-9))
        weight = np.minimum(1.0, limit / np.maximum(np.abs(residual), 1e-12))
        weight = weight / np.square(np.maximum(scale, 1e-9))
        offset, slope = weighted_line(x, y, weight, max_slope)
    return np.array([offset, slope])


def weighted_line(
    x: Array, y: Array, weight: Array, max_slope: float
) -> tuple[float, float]:
    """Weighted least squares with the slope held within ± `max_slope`."""
    total = float(weight.sum())
    x0, y0 = float(weight @ x) / total, float(weight @ y) / total
    spread = float(weight @ np.square(x - x0))
    slope = float(weight @ ((x - x0) * (y - y0))) / spread if spread > 0 else 0.0
    slope = float(np.clip(slope, -max_slope, max_slope))
    return y0 - slope * x0, slope


def _median_slope(x: Array, y: Array) -> float:
    n = x.size
    if n < 2:
        return 0.0
    if n <= 40:
        left, right = np.triu_indices(n, 1)
    else:
        half = n // 2
        left = np.arange(n - half)
        right = left + half
    run = x[right] - x[left]
    good = run > 0
    if not good.any():
        return 0.0
    return float(np.median((y[right] - y[left])[good] / run[good]))
