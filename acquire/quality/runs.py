"""Runs of equal values, shared by the metrics of several instruments."""

import numpy as np
from numpy.typing import NDArray


def longest_run(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the longest run of True per column of `flags`, shape (n, c) → (c,)."""
    n = len(flags)
    if n == 0:
        return np.zeros(flags.shape[1], dtype=np.int64)
    rows = np.arange(1, n + 1)[:, None]
    breaks = np.maximum.accumulate(np.where(flags, 0, rows), axis=0)
    return np.asarray((rows - breaks).max(axis=0), dtype=np.int64)


def longest_equal(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Longest run of equal samples per column, in samples; shape (n, c) → (c,)."""
    if len(x) < 2:
        return np.zeros(x.shape[1], dtype=np.int64)
    run = longest_run(np.diff(x, axis=0) == 0)
    return np.where(run > 0, run + 1, 0)


def clipped_percent(
    x: NDArray[np.float64],
    *,
    rail: float = np.inf,
    floor: float = 0.0,
    n_equal: int = 3,
) -> NDArray[np.float64]:
    """Share of samples at a rail, per column in percent; shape (n, c) → (c,).

    A sample counts within 1 % of the known `rail`, or in a run of at least `n_equal`
    samples that all equal the extreme value, when that lies beyond `floor`. A flat
    column is not called clipped.
    """
    if not len(x):
        return np.zeros(x.shape[1])
    high, low = x.max(axis=0), x.min(axis=0)
    extreme = ((x == high) & (np.abs(high) > floor)) | (
        (x == low) & (np.abs(low) > floor)
    )
    runs = extreme.copy()
    for shift in range(1, n_equal):
        runs[shift:] &= extreme[:-shift] & (x[shift:] == x[:-shift])
        runs[:shift] = False
    for _ in range(n_equal - 1):
        runs[:-1] |= runs[1:] & extreme[:-1]
    share = 100.0 * np.mean(runs | (np.abs(x) >= 0.99 * rail), axis=0)
    return np.where(high == low, 0.0, share)
