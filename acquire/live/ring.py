"""A bounded buffer that one thread fills and any other may copy from."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 64 << 20  #: upper bound of one ring, whatever its rate


@dataclass(frozen=True, eq=False)
class Rows:
    """Consecutive samples copied out of a ring.

    `samples` has shape (n, n_channels), `stamps` (n,) in seconds. `first` is the
    number of the first row since the ring was made, `n_missed` how many of the rows
    asked for had been overwritten already.
    """

    samples: NDArray[Any]
    stamps: NDArray[np.float64]
    first: int
    n_missed: int = 0

    @property
    def end(self) -> int:
        """Number of the row after the last one: pass it to `Ring.since`."""
        return self.first + len(self.stamps)


class Ring:
    """The last `capacity` samples of a stream, preallocated.

    Both ends hold the lock only while rows are copied, so a reader delays the writer
    by at most one copy of the ring.
    """

    def __init__(self, capacity: int, n_channels: int, dtype: str) -> None:
        row_bytes = max(1, n_channels * np.dtype(dtype).itemsize)
        self.capacity = max(1, min(capacity, MAX_BYTES // row_bytes))
        self._samples = np.zeros((self.capacity, n_channels), dtype=dtype)
        self._stamps = np.zeros(self.capacity)
        self._total = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Rows ever appended."""
        return self._total

    def append(self, samples: NDArray[Any], stamps: NDArray[np.float64]) -> None:
        """Add rows; `samples` (n, n_channels), `stamps` (n,)."""
        n_new = len(stamps)
        if samples.shape != (n_new, self._samples.shape[1]):
            raise ValueError(
                f"samples have shape {samples.shape}, "
                f"not ({n_new}, {self._samples.shape[1]})"
            )
        kept = min(n_new, self.capacity)
        with self._lock:
            first = (self._total + n_new - kept) % self.capacity
            head = min(kept, self.capacity - first)
            tail = kept - head
            for ring, new in ((self._samples, samples), (self._stamps, stamps)):
                ring[first : first + head] = new[n_new - kept : n_new - tail]
                ring[:tail] = new[n_new - tail :]
            self._total += n_new

    def latest(self, n: int, columns: Sequence[int] | None = None) -> Rows:
        """Copy the last `n` rows, or fewer when there are fewer."""
        with self._lock:
            return self._copy(max(0, self._total - n), columns)

    def since(self, first: int, columns: Sequence[int] | None = None) -> Rows:
        """Copy every row from number `first` on that is still there."""
        with self._lock:
            return self._copy(min(first, self._total), columns)

    def _copy(self, first: int, columns: Sequence[int] | None) -> Rows:
        start = max(first, self._total - self.capacity)
        begin, n = start % self.capacity, self._total - start
        head = min(n, self.capacity - begin)
        pieces = (slice(begin, begin + head), slice(0, n - head))
        pick = slice(None) if columns is None else list(columns)
        samples = np.concatenate([self._samples[rows][:, pick] for rows in pieces])
        stamps = np.concatenate([self._stamps[rows] for rows in pieces])
        return Rows(samples, stamps, start, start - first)
