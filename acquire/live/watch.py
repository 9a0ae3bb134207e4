"""What is counted while samples pass: losses, trigger edges, the rate."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from devices.stream import TriggerInput

RATE_WINDOW_S = 10.0


class LossCounter:
    """Counts samples that a counter channel says were lost or sent twice.

    A step of zero is a duplicate; a step of half the modulus or more is taken for a
    counter that started again, not for a loss.
    """

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self._last: int | None = None
        self.n_lost = self.n_doubled = self.n_resets = 0

    def update(self, values: NDArray[np.floating | np.integer]) -> None:
        """Look at the counter of new rows, shape (n,)."""
        counts = np.asarray(values, dtype=np.float64)
        counts = counts[np.isfinite(counts)].astype(np.int64)
        if not counts.size:
            return
        if self._last is not None:
            counts = np.concatenate([[self._last], counts])
        self._last = int(counts[-1])
        steps = np.diff(counts) % self._modulus
        forward = steps < self._modulus / 2
        self.n_lost += int(np.sum(steps[forward & (steps > 1)] - 1))
        self.n_doubled += int(np.sum(steps == 0))
        self.n_resets += int(np.sum(~forward))

    def forget(self) -> None:
        """Expect any value next: the stream started again."""
        self._last = None


class TriggerWatch:
    """Follows the trigger line in one channel, for the operator's eyes only.

    An analog line counts as high above 1.5 V until both of its levels have been
    seen; then the threshold is half way, with a tenth of the swing as hysteresis.
    """

    def __init__(self, trigger: TriggerInput) -> None:
        self._analog = trigger.kind == "analog"
        self._low, self._high = np.inf, -np.inf
        self.level: bool | None = None
        self.n_rises = self.n_falls = 0

    def update(self, values: NDArray[np.floating | np.integer]) -> None:
        """Look at the trigger channel of new rows, shape (n,)."""
        line = np.asarray(values, dtype=np.float64)
        line = line[np.isfinite(line)]
        if not line.size:
            return
        below, above = self._thresholds(line)
        states = np.where(line > above, 1, np.where(line < below, 0, -1))
        if self.level is not None:
            states = np.concatenate([[int(self.level)], states])
        known = states[states >= 0]
        if not known.size:
            return
        steps = np.diff(known)
        self.n_rises += int(np.sum(steps > 0))
        self.n_falls += int(np.sum(steps < 0))
        self.level = bool(known[-1])

    def _thresholds(self, line: NDArray[np.float64]) -> tuple[float, float]:
        if not self._analog:
            return 0.5, 0.5
        self._low = min(self._low, float(line.min()))
        self._high = max(self._high, float(line.max()))
        swing = self._high - self._low
        if swing < 1.0:
            return (0.5, 0.5) if self._high <= 1.0 else (1.5, 1.5)
        middle = self._low + swing / 2
        return middle - swing / 10, middle + swing / 10


class RateMeter:
    """Effective rate over the last ten seconds, from stamps and row numbers."""

    def __init__(self, window_s: float = RATE_WINDOW_S) -> None:
        self._window_s = window_s
        self._points: deque[tuple[float, int]] = deque(maxlen=4096)

    def update(self, stamp_s: float, total: int) -> None:
        """Note that row number `total` carries `stamp_s`."""
        points = self._points
        if points and stamp_s < points[-1][0]:
            points.clear()
        if points and stamp_s - points[-1][0] < self._window_s / 400:
            return
        points.append((stamp_s, total))
        while stamp_s - points[0][0] > self._window_s:
            points.popleft()

    def rate_hz(self) -> float:
        """Rows per second; NaN until a second has been seen."""
        if len(self._points) < 2:
            return float("nan")
        (t0, n0), (t1, n1) = self._points[0], self._points[-1]
        return (n1 - n0) / (t1 - t0) if t1 - t0 >= 1.0 else float("nan")

    def forget(self) -> None:
        """Start over after a restart."""
        self._points.clear()
