"""Quality of surface EMG channels: samples in µV, one value per channel."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from acquire.quality.metric import Metric, Values, Window, per_subject, unknown
from acquire.quality.runs import clipped_percent, longest_equal

WINDOW_S = 5.0
OPEN_S = 2.0  #: longer than a stride, so that a burst would be in it
LOUD_UV = 10.0  #: white noise above it is an open electrode, even at rest
FLAT_SNR_DB = 8.0

Array = NDArray[np.float64]


def block_rms(x: Array, rate_hz: float) -> Array:
    """RMS of 100 ms blocks in 20 to 450 Hz; (n, c) → (n_blocks, c), µV."""
    top = min(450.0, 0.45 * rate_hz)
    sos = signal.butter(2, (20.0, top), "bandpass", fs=rate_hz, output="sos")
    banded = signal.sosfilt(sos, np.nan_to_num(x), axis=0)
    block = round(0.1 * rate_hz)
    banded = banded[block * 2 :]  # the filter settles
    n_blocks = len(banded) // block
    blocks = banded[: n_blocks * block].reshape(n_blocks, block, -1)
    return np.asarray(np.sqrt(np.mean(blocks**2, axis=1)))


def spectrum(x: Array, rate_hz: float) -> tuple[Array, Array]:
    """Welch spectrum with 1 Hz bins; returns frequencies (f,) and power (f, c)."""
    n = min(len(x), round(rate_hz))
    f_hz, power = signal.welch(np.nan_to_num(x), rate_hz, nperseg=n, axis=0)
    return f_hz, power


def median_frequency_hz(f_hz: Array, power: Array) -> Array:
    """Frequency that halves the power in 20 to 450 Hz, per channel."""
    band = (f_hz >= 20) & (f_hz <= 450)
    cumulated = np.cumsum(power[band], axis=0)
    total = np.where(cumulated[-1] > 0, cumulated[-1], np.nan)
    median = f_hz[band][np.argmax(cumulated >= total / 2, axis=0)]
    return np.where(np.isfinite(total), median, np.nan)


def mains_percent(f_hz: Array, power: Array) -> Array:
    """Power of the mains line and two harmonics above their neighbours, in %.

    50 and 60 Hz are both tried; the larger counts.
    """
    total = _share_of(f_hz, power, 1, 500)
    lines = []
    for base_hz in (50.0, 60.0):
        excess = np.zeros(power.shape[1])
        for line_hz in (base_hz, 2 * base_hz, 3 * base_hz):
            near = np.abs(f_hz - line_hz) <= 1.5
            around = (np.abs(f_hz - line_hz) <= 8) & ~near
            floor = np.median(power[around], axis=0)
            excess += np.clip(power[near] - floor, 0, None).sum(axis=0)
        lines.append(100.0 * excess / total)
    return np.asarray(np.maximum(*lines))


def _share_of(f_hz: Array, power: Array, low: float, high: float) -> Array:
    total = power[(f_hz >= low) & (f_hz <= high)].sum(axis=0)
    return np.where(total > 0, total, np.inf)


def _percentile(window: Window, percent: float, n_blocks: int = 0) -> Array:
    """Percentile of the RMS of 100 ms blocks; of the last `n_blocks`, or of all."""
    rms = window.memo(
        "emg.rms",
        lambda: block_rms(window.columns(window.signals(), WINDOW_S), window.rate_hz),
    )
    return np.asarray(np.percentile(rms[-n_blocks:], percent, axis=0))


def _spectrum(window: Window) -> tuple[Array, Array]:
    found: tuple[Array, Array] = window.memo(
        "emg.spectrum",
        lambda: spectrum(window.columns(window.signals(), 4.0), window.rate_hz),
    )
    return found


def _snr_db(window: Window, n_blocks: int = 0) -> Array:
    quiet = _percentile(window, 10, n_blocks)
    loud = _percentile(window, 95, n_blocks)
    return 20 * np.log10(np.maximum(loud, 1e-9) / np.maximum(quiet, 1e-9))


def _each(compute: Callable[[Window], Array], seconds: float) -> Callable[..., Values]:
    def values(window: Window) -> Values:
        subjects = window.signals()
        if not subjects or not window.covers(seconds):
            return unknown(subjects)
        return per_subject(subjects, compute(window))

    return values


def _snr(window: Window) -> Array:
    snr = _snr_db(window)
    return snr if window.walked(WINDOW_S) else np.full_like(snr, np.nan)


def _open(window: Window) -> Array:
    """Median frequency where the last two seconds are steady noise, else 0."""
    n_blocks = round(10 * OPEN_S)
    steady = _snr_db(window, n_blocks) < FLAT_SNR_DB
    heard = window.walked(OPEN_S) | (_percentile(window, 10, n_blocks) > LOUD_UV)
    recent = window.columns(window.signals(), OPEN_S)
    median_hz = median_frequency_hz(*spectrum(recent, window.rate_hz))
    return np.where(steady & heard, median_hz, 0.0)


def _motion(window: Window) -> Array:
    f_hz, power = _spectrum(window)
    low = power[(f_hz >= 1) & (f_hz < 20)].sum(axis=0)
    return np.asarray(100.0 * low / _share_of(f_hz, power, 1, 500))


def _clipping(window: Window) -> Array:
    rail = window.context.get("emg_rail_uv", np.inf)
    return clipped_percent(window.columns(window.signals(), 1.0), rail=rail, floor=100)


def _flat(window: Window) -> Array:
    x = window.columns(window.signals(), 1.0)
    return np.asarray(longest_equal(x) * 1000.0 / window.rate_hz)


def _missing(window: Window) -> Array:
    x = window.columns(window.signals(), 10.0)
    return np.asarray(100.0 * np.mean(np.isnan(x), axis=0))


METRICS = (
    Metric(
        "semg.baseline_rms", "µV", "low",
        "Baseline is noisy: clean the skin, press the electrode on, check the lead.",
        _each(lambda window: _percentile(window, 10), WINDOW_S),
    ),
    Metric(
        "semg.snr", "dB", "high",
        "Bursts hardly leave the baseline: check that the electrode is on the muscle.",
        _each(_snr, WINDOW_S),
    ),
    Metric(
        "semg.open_electrode", "Hz", "low",
        "Electrode open or unplugged: only white noise arrives. Plug it in again.",
        _each(_open, WINDOW_S), enter_s=3.0,
    ),
    Metric(
        "semg.mains", "%", "low",
        "Mains hum: check the reference electrode and move cables off power lines.",
        _each(lambda window: mains_percent(*_spectrum(window)), 4.0),
    ),
    Metric(
        "semg.motion", "%", "low",
        "Movement artefact: tape the lead and the sensor to the skin.",
        _each(_motion, 4.0),
    ),
    Metric(
        "semg.clipping", "%", "low",
        "The amplifier clips: lower its gain, or check for a loose electrode.",
        _each(_clipping, 1.0),
    ),
    Metric(
        "semg.flat_line", "ms", "low",
        "The channel stands still: sensor off, out of range, or battery empty.",
        _each(_flat, 1.0), enter_s=1.0,
    ),
    Metric(
        "semg.missing", "%", "low",
        "Samples are missing: bring the receiver closer to the participant.",
        _each(_missing, 1.0),
    ),
)  # fmt: skip
