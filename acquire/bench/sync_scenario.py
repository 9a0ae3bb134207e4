"""A device and a reference that watch the same pulses, with a known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import sync

Array = NDArray[np.float64]
_EPOCH_S = 1.7e9
_STAMP_JITTER_S = 0.02  #: one-sided, mean


@dataclass(frozen=True, eq=False)
class Trial:
    """What is recorded, and the true reference seconds of `index`, shape (n,)."""

    rate_hz: float
    device: sync.Edges
    reference: sync.Edges
    index: Array
    stamps_s: Array
    true_s: Array


def make_trial(rate_hz: float, seconds: float, seed: int) -> Trial:
    """Return a trial of irregular pulses (0.6 to 1.4 s apart) with the usual faults.

    50 ppm skew, stamps late by 20 ms on average, 5 % of edges missed, 2 % extra, 2 %
    doubled 12 ms later, the first two missing, seconds since the epoch.
    """
    rng = np.random.default_rng(seed)
    pulses = 1.0 + np.cumsum(rng.uniform(0.6, 1.4, int(seconds / 0.6) + 2))
    pulses = pulses[pulses < seconds - 1.0]
    seen = (np.floor(pulses * 1000.0) + 0.5) / 1000.0 + _EPOCH_S
    rising = np.ones(pulses.size, dtype=np.bool_)
    start, period = rng.uniform(0.1, 0.5), (1.0 + 50e-6) / rate_hz
    keep = rng.random(pulses.size) >= 0.05
    keep[:2] = False
    extra = rng.uniform(pulses[0], pulses[-1], rng.binomial(pulses.size, 0.02))
    doubled = pulses[keep & (rng.random(pulses.size) < 0.02)] + 0.012
    noticed = np.sort(np.concatenate((pulses[keep], extra, doubled)))
    at = np.floor((noticed - start) / period) + 0.5
    index = np.arange(0.0, np.floor(seconds * rate_hz), max(1.0, rate_hz / 100.0))
    true = _EPOCH_S + start + index * period
    return Trial(
        rate_hz=rate_hz,
        device=sync.Edges(at, np.ones(at.size, dtype=np.bool_), np.full(at.size, 0.5)),
        reference=sync.Edges(seen, rising, np.full(seen.size, 0.5e-3)),
        index=index,
        stamps_s=true + rng.exponential(_STAMP_JITTER_S, index.size),
        true_s=true,
    )


@dataclass(frozen=True, eq=False)
class LossTrial(Trial):
    """A trial with samples that vanish unseen: `index` counts what arrived.

    `away`, shape (n,), marks the rows outside the stretch between the two edges
    around the loss of `n_lost` samples.
    """

    n_lost: int
    away: NDArray[np.bool_]


def make_loss_trial(seed: int, rate_hz: float = 2000.0, n_lost: int = 40) -> LossTrial:
    """Return a trial of 10 s in which samples vanish unseen at a random place.

    The line is high for the trial, 2 s low before and after it, with notches of
    120 ms 0.6 to 1.4 s apart; skew within ± 150 ppm, the reference samples at 1 kHz.
    """
    rng = np.random.default_rng(seed)
    toggles = [2.0 + rng.random()]
    fall, notch = toggles[0] + 10.0, toggles[0] + rng.uniform(0.6, 1.4)
    while notch + 0.42 < fall:
        toggles += [notch, notch + 0.12]
        notch += rng.uniform(0.6, 1.4)
    t = np.array([*toggles, fall])
    rising = np.arange(t.size) % 2 == 0
    period = (1.0 + rng.uniform(-150e-6, 150e-6)) / rate_hz
    start = rng.random() / rate_hz
    taken = start + np.arange(np.floor((fall + 2.0) / period)) * period
    first = int(rng.uniform(t[0] + 0.05, fall - 0.05) / period)
    kept = np.delete(taken, np.arange(first, first + n_lost))
    at = np.searchsorted(kept, t).astype(np.float64) - 0.5
    phase = 1e-3 * rng.random()
    seen = (np.floor((t - phase) * 1000.0) + 0.5) / 1000.0 + phase
    around = np.searchsorted(t, taken[[first - 1, first + n_lost]])
    away = (kept <= t[around[0] - 1]) | (kept >= t[min(around[1], t.size - 1)])
    return LossTrial(
        rate_hz=rate_hz,
        device=sync.Edges(at, rising, np.full(t.size, 0.5)),
        reference=sync.Edges(seen, rising, np.full(t.size, 0.5e-3)),
        index=np.arange(kept.size, dtype=np.float64),
        stamps_s=kept + rng.exponential(_STAMP_JITTER_S, kept.size),
        true_s=kept,
        n_lost=n_lost,
        away=away,
    )
