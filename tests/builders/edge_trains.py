"""Edge trains with a known truth: what a device would report of pulses."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import sync

Array = NDArray[np.float64]
EPOCH_S = 1.7e9


def pulses(seconds: float, rng: np.random.Generator, low: float = 0.6) -> Array:
    """Start of irregular pulses, `low` to `low` + 0.8 s apart."""
    steps = rng.uniform(low, low + 0.8, int(seconds / low) + 2)
    times = 1.0 + np.cumsum(steps)
    return times[times < seconds - 1.0]


@dataclass(frozen=True, eq=False)
class Scenario:
    """A device that samples a line; sample k is truly taken at `true_time(k)`."""

    rate_hz: float
    seconds: float
    skew_ppm: float = 50.0
    start_s: float = 0.3137
    epoch_s: float = EPOCH_S

    def true_time(self, index: Array) -> Array:
        period = (1.0 + self.skew_ppm * 1e-6) / self.rate_hz
        return self.epoch_s + self.start_s + index * period

    def index_at(self, t: Array) -> Array:
        period = (1.0 + self.skew_ppm * 1e-6) / self.rate_hz
        return (t - self.start_s) / period

    def digital(self, t: Array, rising: NDArray[np.bool_]) -> sync.Edges:
        """Edges at lab seconds `t` as a digital input sees them: between two rows."""
        index = np.floor(self.index_at(t)) + 0.5
        order = np.argsort(index, kind="stable")
        return sync.Edges(index[order], rising[order], np.full(t.size, 0.5))

    @property
    def all_samples(self) -> Array:
        n = int(self.seconds * self.rate_hz)
        return np.linspace(0, n, min(n, 4000))


def reference(
    t: Array, rising: NDArray[np.bool_], epoch_s: float = EPOCH_S
) -> sync.Edges:
    """Edges as a 1 kHz analog channel of the reference sees them."""
    at = (np.floor(t * 1000.0) + 0.5) / 1000.0
    return sync.Edges(at + epoch_s, rising, np.full(t.size, 0.5e-3))


def spoil(
    t: Array,
    rising: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    missed: float = 0.05,
    extra: float = 0.02,
    doubled: float = 0.02,
    first_missing: int = 2,
) -> tuple[Array, NDArray[np.bool_]]:
    """Lose, invent and double edges."""
    keep = rng.random(t.size) >= missed
    keep[:first_missing] = False
    false = rng.uniform(t[0], t[-1], rng.binomial(t.size, extra))
    twice = keep & (rng.random(t.size) < doubled)
    times = np.concatenate((t[keep], false, t[twice] + 0.012))
    directions = np.concatenate(
        (rising[keep], rng.random(false.size) < 0.5, rising[twice])
    )
    order = np.argsort(times, kind="stable")
    return times[order], directions[order]
