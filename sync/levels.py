"""The two levels of a trigger line, and what is wrong with them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_MIN_SEPARATION = 4.5  #: level distance over in-level scatter; a ramp has 3.5
_DRIFT_SHARE = 0.2


@dataclass(frozen=True)
class Levels:
    """Low and high level of a line and the scatter around them, in its unit.

    `state` is ``ok`` with two levels, ``stuck`` with one, ``unclear`` where the signal
    moves but not between two levels, ``empty`` without finite samples. `drift` is the
    slow change of the low level over the record.
    """

    state: Literal["ok", "stuck", "unclear", "empty"]
    low: float = float("nan")
    high: float = float("nan")
    noise: float = float("nan")
    drift: float = 0.0

    @property
    def amplitude(self) -> float:
        return self.high - self.low

    @property
    def reasons(self) -> tuple[str, ...]:
        """What an operator should know about the line, in words."""
        if self.state == "empty":
            return ("the trigger channel holds no finite sample",)
        if self.state == "stuck":
            return (f"the trigger line never moves (level {self.low:.3g})",)
        if self.state == "unclear":
            return ("the trigger channel moves without two clear levels",)
        if abs(self.drift) > _DRIFT_SHARE * self.amplitude:
            return (
                f"the trigger line's low level drifts by {self.drift:.3g} "
                f"of {self.amplitude:.3g}",
            )
        return ()


def find_levels(level: NDArray[np.float64], *, min_samples: int = 2) -> Levels:
    """Estimate the two levels of a line from its samples, shape (n_samples,).

    Medians on either side of the midpoint, iterated: a level seen in a hundredth of
    the samples counts in full. Excursions shorter than `min_samples` in all are spikes
    and do not make a level.
    """
    finite = level[np.isfinite(level)]
    if finite.size == 0:
        return Levels("empty")
    kept = finite
    for _ in range(20):
        low, high, below = _split(kept)
        if high <= low:
            return Levels("stuck", low, low, _scatter(finite - low))
        n_high = int(kept.size - np.count_nonzero(below))
        n_low = int(kept.size - n_high)
        if min(n_low, n_high) >= min(min_samples, max(1, finite.size // 4)):
            break
        kept = kept[below] if n_high < n_low else kept[~below]
    noise = _scatter(np.where(below, kept - low, kept - high))
    if high - low < _MIN_SEPARATION * noise:
        flat = noise < 0.02 * max(abs(low), abs(high))
        return Levels("stuck" if flat else "unclear", low, high, noise)
    return Levels("ok", low, high, noise, _drift(finite, low, high))


def _split(values: NDArray[np.float64]) -> tuple[float, float, NDArray[np.bool_]]:
    low, high = float(values.min()), float(values.max())
    below = values < 0.5 * (low + high)
    for _ in range(30):
        if below.all() or not below.any():
            return float(np.median(values)), float(np.median(values)), below
        low, high = float(np.median(values[below])), float(np.median(values[~below]))
        again = values < 0.5 * (low + high)
        if np.array_equal(again, below):
            break
        below = again
    return low, high, below


def _scatter(deviation: NDArray[np.float64]) -> float:
    return 1.4826 * float(np.median(np.abs(deviation - np.median(deviation))))


def _drift(values: NDArray[np.float64], low: float, high: float) -> float:
    """Median of the low samples in the last fifth less that in the first fifth."""
    n = max(1, values.size // 5)
    middle = 0.5 * (low + high)
    head, tail = values[:n], values[-n:]
    head, tail = head[head < middle], tail[tail < middle]
    if head.size < 5 or tail.size < 5:
        return 0.0
    return float(np.median(tail) - np.median(head))
