"""Quality of a stream as such: is it there, in time, complete."""

import numpy as np
from numpy.typing import NDArray

from acquire.quality.metric import Metric, Values, Window, unknown

MISSING_WINDOW_S = 10.0


def missing_percent(counter: NDArray[np.float64], modulus: int) -> float:
    """Share of samples the counter says are missing, in percent; counter (n,)."""
    counter = counter[np.isfinite(counter)]
    if counter.size < 2:
        return float("nan")
    steps = np.diff(counter) % modulus
    lost = steps[(steps > 1) & (steps < modulus / 2)] - 1
    n_lost = float(lost.sum())
    return 100.0 * n_lost / (counter.size + n_lost)


def _missing(window: Window) -> Values:
    if not window.counter or len(window.stamps) < 2:
        return unknown()
    counter = window.columns((window.counter,), MISSING_WINDOW_S)[:, 0]
    return {"": missing_percent(counter, window.counter_modulus)}


def _flows(window: Window) -> bool:
    """Whether samples are due: a gated stream is silent while the line is low."""
    stats = window.stats
    return stats is not None and not (stats.gated and not stats.trigger_high)


def _stale(window: Window) -> Values:
    stats = window.stats
    if stats is None or not window.rate_hz or not _flows(window):
        return unknown()
    patience = max(1.0, 5.0 / window.rate_hz / 0.3)
    return {"": stats.age_s / patience}


def _silent(window: Window) -> Values:
    stats = window.stats
    return unknown() if stats is None or window.rate_hz else {"": stats.age_s}


def _rate_error(window: Window) -> Values:
    stats = window.stats
    if stats is None or not window.rate_hz or not _flows(window):
        return unknown()
    return {"": 100.0 * abs(stats.rate_hz / window.rate_hz - 1.0)}


def _rtt(window: Window) -> Values:
    return unknown() if window.stats is None else {"": 1000.0 * window.stats.rtt_s}


def _latency(window: Window) -> Values:
    if window.stats is None or not np.isfinite(window.stats.offset_s):
        return unknown()
    return {"": 1000.0 * window.stats.latency_s}


METRICS = (
    Metric(
        "stream.stale", "s", "low",
        "No new samples: is the device on, its cable in, its program running?",
        _stale, enter_s=0.25, leave_s=2.0,
    ),
    Metric(
        "stream.silent", "s", "low",
        "No new status: is the device on, its cable in, its program running?",
        _silent, enter_s=0.25, leave_s=2.0,
    ),
    Metric(
        "stream.rate_error", "%", "low",
        "Wrong sampling rate: samples get lost, or the device is set up otherwise.",
        _rate_error, enter_s=3.0,
    ),
    Metric(
        "stream.missing", "%", "low",
        "Samples the device counted never arrived: check network and computer load.",
        _missing, enter_s=0.0,
    ),
    Metric(
        "stream.rtt", "ms", "low",
        "Clock offset is uncertain: use a wired network between the computers.",
        _rtt,
    ),
    Metric(
        "stream.latency", "ms", "low",
        "Samples arrive late: the sending computer or the network is busy.",
        _latency,
    ),
)  # fmt: skip
