"""How far one signal of walking lags behind another: both show every heel strike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
GRID_HZ = 200.0
_FEWEST_STEPS = 6
_WINDOW_S = 8.0
_LEAST_CORRELATION = 0.3
_STEP_S = (0.3, 1.2)  #: of walking, slow to fast


@dataclass(frozen=True)
class Lag:
    """`lag_s` of the second signal, its `spread_s` over windows of the record."""

    lag_s: float
    spread_s: float
    correlation: float
    n_steps: int
    step_s: float


def binned(time_s: Array, values: Array, grid_s: Array) -> Array:
    """Return the mean of `values` in each bin about `grid_s`, shape (n_bins, n).

    `time_s` has shape (n_rows,), `values` (n_rows, n). Bins without rows take the
    nearest bins' mean, however far; all NaN where no row has a time.
    """
    slot = np.round((time_s - grid_s[0]) * GRID_HZ)
    inside = np.isfinite(slot) & np.isfinite(values).all(axis=1)
    inside &= (slot >= 0) & (slot < grid_s.size)
    at = slot[inside].astype(np.intp)
    n = np.bincount(at, minlength=grid_s.size)
    out = np.full((grid_s.size, values.shape[1]), np.nan)
    known = np.flatnonzero(n)
    for column in range(values.shape[1] if known.size else 0):
        sums = np.bincount(at, values[inside, column], minlength=grid_s.size)
        out[:, column] = np.interp(
            np.arange(grid_s.size), known, sums[known] / n[known]
        )
    return out


def smooth(values: Array, seconds: float) -> Array:
    """Return the running mean with a bell of some length, along the first axis."""
    bell = np.hanning(max(3, 2 * round(0.5 * seconds * GRID_HZ) + 3))[1:-1]
    bell /= bell.sum()
    columns = np.atleast_2d(values.T)
    edge = bell.size // 2
    padded = np.pad(columns, ((0, 0), (edge, edge)), mode="edge")
    out = np.stack([np.convolve(row, bell, mode="valid") for row in padded])
    return np.asarray(out.T.reshape(values.shape))


def find_lag(strikes: Array, other: Array) -> Lag | None:
    """Return by how much `other` lags behind `strikes`, both (n,) on one grid.

    Positive where `other` comes later. Within half a step: more cannot be told of a
    steady walk. None where too few steps show, or the two have too little in common.
    """
    step = _step(strikes)
    if step is None or strikes.size < _FEWEST_STEPS * step:
        return None
    reach = round(0.5 * step)
    whole = _correlations(strikes, other, reach)
    best = float(whole.max())
    if not best >= _LEAST_CORRELATION:
        return None
    n = max(1, round(strikes.size / (_WINDOW_S * GRID_HZ)))
    if n == 1 and strikes.size >= 2 * 3 * step:
        n = 2
    lags = np.array(
        [
            _peak(_correlations(a, b, reach))
            for a, b in zip(
                np.array_split(strikes, n), np.array_split(other, n), strict=True
            )
        ]
    )
    lag = _peak(whole)
    apart = (lags - lag + 0.5 * step) % step - 0.5 * step  # half a step is its opposite
    return Lag(
        lag_s=lag / GRID_HZ,
        spread_s=float(np.median(np.abs(apart))) * 1.5 / GRID_HZ,
        correlation=best,
        n_steps=round(strikes.size / step),
        step_s=step / GRID_HZ,
    )


def _step(strikes: Array) -> float | None:
    """Return the length of a step in grid points; None where nothing repeats."""
    if not np.isfinite(strikes).all() or float(np.ptp(strikes)) == 0.0:
        return None
    flat = strikes - strikes.mean()
    first, last = (round(s * GRID_HZ) for s in _STEP_S)
    if strikes.size < 2 * last:
        return None
    likeness = np.array(
        [flat[k:] @ flat[:-k] / (flat.size - k) for k in range(first, last + 1)]
    )
    inner = likeness[1:-1]
    peaks = (inner >= likeness[:-2]) & (inner > likeness[2:])
    good = np.flatnonzero(peaks & (inner > 0.5 * inner.max())) + 1
    if good.size == 0 or likeness[good[0]] < 0.2 * float(flat @ flat) / flat.size:
        return None
    return float(first + good[0])


def _correlations(a: Array, b: Array, reach: int) -> Array:
    """Correlation of b, moved back by -reach to reach points, with a."""
    n = a.size - 2 * reach
    if n < 2 * reach or not np.isfinite(b).all():
        return np.full(2 * reach + 1, np.nan)
    core = a[reach : reach + n] - a[reach : reach + n].mean()
    found = []
    for k in range(2 * reach + 1):
        part = b[k : k + n] - b[k : k + n].mean()
        size = float(np.sqrt((core @ core) * (part @ part)))
        found.append(float(core @ part) / size if size > 0 else 0.0)
    return np.array(found)


def _peak(correlations: Array) -> float:
    """Lag of the highest point, by a parabola through it and its neighbours."""
    reach = correlations.size // 2
    if not np.isfinite(correlations).all():
        return 0.0
    k = int(np.argmax(correlations))
    if 0 < k < correlations.size - 1:
        a, b, c = correlations[k - 1 : k + 2]
        bend = a - 2 * b + c
        return k - reach + (0.5 * (a - c) / bend if bend < 0 else 0.0)
    return float(k - reach)
