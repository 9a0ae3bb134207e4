"""A sweep: signals folded to a minimum and a maximum per column of the screen."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Sweep:
    """Bins of `span_s / n_bins` seconds for some lanes, written round and round.

    `low` and `high` have shape (n_lanes, n_bins); NaN where nothing was received.
    Position follows the sample count, so a lost sample leaves its room empty.
    """

    def __init__(
        self, n_lanes: int, n_bins: int, rate_hz: float, span_s: float
    ) -> None:
        self.n_bins = max(2, n_bins)
        self.per_bin = max(1.0, rate_hz * span_s / self.n_bins)
        self.low = np.full((n_lanes, self.n_bins), np.nan)
        self.high = np.full((n_lanes, self.n_bins), np.nan)
        self._next = 0  # sample position
        self.head = -1  # absolute bin written last

    def add(self, samples: Array, skipped: Array | None = None) -> NDArray[np.int64]:
        """Fold rows in; return the absolute bins that changed, ascending.

        `samples` has shape (n, n_lanes); `skipped`, shape (n,), says how many samples
        were lost just before each row.
        """
        n = len(samples)
        if n == 0:
            return np.zeros(0, dtype=np.int64)
        positions = self._next + np.arange(n, dtype=np.float64)
        if skipped is not None:
            positions += np.cumsum(skipped)
        self._next = int(positions[-1]) + 1
        bins = np.floor(positions / self.per_bin).astype(np.int64)
        recent = bins > bins[-1] - self.n_bins
        bins, samples = bins[recent], samples[recent]
        starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
        with np.errstate(invalid="ignore"):
            low = np.fmin.reduceat(samples, starts, axis=0).T
            high = np.fmax.reduceat(samples, starts, axis=0).T
        self._write(bins[starts], low, high)
        first = max(self.head + 1, int(bins[-1]) - self.n_bins + 1)
        changed = np.union1d(bins[starts], np.arange(first, bins[-1] + 1))
        self.head = int(bins[-1])
        return changed.astype(np.int64)

    def _write(self, bins: NDArray[np.int64], low: Array, high: Array) -> None:
        first = max(self.head + 1, int(bins[-1]) - self.n_bins + 1)
        fresh = np.arange(first, bins[-1] + 1) % self.n_bins
        self.low[:, fresh] = np.nan
        self.high[:, fresh] = np.nan
        at = bins % self.n_bins
        self.low[:, at] = np.fmin(self.low[:, at], low)
        self.high[:, at] = np.fmax(self.high[:, at], high)

    def clear(self) -> None:
        """Forget everything: the stream started again."""
        self.low[:], self.high[:] = np.nan, np.nan
        self._next, self.head = 0, -1


def skipped_before(
    counter: Array, modulus: int, last: float | None, most: float
) -> Array:
    """How many samples the counter says were lost before each row; shapes (n,).

    A step backwards, or over more than `most`, is a restart and skips none.
    """
    previous = counter[0] - 1 if last is None else last
    steps = np.diff(counter, prepend=previous) % modulus
    lost = np.where((steps > 1) & (steps <= min(modulus / 2, most)), steps - 1, 0.0)
    return np.nan_to_num(lost)
