"""Quality of A-mode ultrasound: raw RF counts, 1000 samples per line and probe."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acquire.quality.metric import Metric, Values, Window, unknown

MM_PER_SAMPLE = 0.0385  #: 20 MS/s at 1540 m/s
ECHO_MM = (5.0, 35.0)
RINGDOWN_MM = 2.5
BASELINE_S = 10.0
RECENT_S = 1.0
_SAMPLE = re.compile(r"^(?P<probe>CH\d+)_\d+$")

Lines = NDArray[np.float64]


def probes(labels: tuple[str, ...]) -> dict[str, slice]:
    """Find the probes among channel labels: name → slice of its samples."""
    found: dict[str, list[int]] = {}
    for column, label in enumerate(labels):
        match = _SAMPLE.match(label)
        if match:
            found.setdefault(match["probe"], []).append(column)
    return {name: slice(at[0], at[-1] + 1) for name, at in found.items()}


def _rms(x: Lines) -> float:
    return float(np.sqrt(np.mean(x**2))) if x.size else float("nan")


def _depth(lines: Lines, low_mm: float, high_mm: float) -> Lines:
    return lines[:, round(low_mm / MM_PER_SAMPLE) : round(high_mm / MM_PER_SAMPLE)]


def _decibel(signal: float, noise: float) -> float:
    return 20 * float(np.log10(max(signal, 1e-3) / max(noise, 1e-3)))


def noise_rms(lines: Lines) -> float:
    """Noise of the receiver in counts; lines (n, 1000).

    Taken as white, from the edges of the spectrum where a 5 MHz probe has no echoes,
    or from the last tenth of the line where that is quieter: it may hold echoes too.
    """
    deep = lines[:, round(ECHO_MM[0] / MM_PER_SAMPLE) :]
    tapered = deep * np.hanning(deep.shape[1])
    power = np.mean(np.abs(np.fft.rfft(tapered, axis=1)) ** 2, axis=0)
    share = np.fft.rfftfreq(deep.shape[1])  # of the sampling rate
    edges = (share > 0.44) | ((share > 0.005) & (share < 0.06))
    white = _rms(deep) * float(np.sqrt(power[edges].mean() / max(power.mean(), 1e-9)))
    return min(white, _rms(lines[:, -lines.shape[1] // 10 :]))


def echo_snr_db(lines: Lines) -> float:
    """Echoes at 5 to 35 mm against the noise of the receiver; lines (n, 1000)."""
    return _decibel(_rms(_depth(lines, *ECHO_MM)), noise_rms(lines))


def coupling_loss_db(lines: Lines, n_recent: int) -> float:
    """How far echoes fell in the last frames below their recent best."""
    level = np.sqrt(np.mean(_depth(lines, *ECHO_MM) ** 2, axis=1))
    return _decibel(
        float(np.percentile(level, 90)), float(np.median(level[-n_recent:]))
    )


def saturated_percent(lines: Lines) -> float:
    """Share of samples at either extreme value, beyond the ring-down."""
    deep = lines[:, round(RINGDOWN_MM / MM_PER_SAMPLE) :]
    extremes = [value for value in (deep.max(), deep.min()) if abs(value) > 100]
    return 100.0 * float(np.mean(np.isin(deep, extremes)))


def frozen_frames(lines: Lines) -> float:
    """How many of the last frames repeat the one before."""
    repeated = np.all(lines[1:] == lines[:-1], axis=1)
    moving = np.flatnonzero(~repeated)
    return (
        float(len(repeated) - 1 - moving[-1]) if moving.size else float(len(repeated))
    )


def _each(compute: Callable[[Lines], float], seconds: float) -> Callable[..., Values]:
    def values(window: Window) -> Values:
        found = window.memo("amode.probes", lambda: probes(window.labels))
        if len(window.stamps) < 3 or not window.covers(min(seconds, 2.0)):
            return unknown(tuple(found))
        rows = window.samples[-window.rows(seconds) :]
        return {
            name: compute(np.asarray(rows[:, columns], np.float64))
            for name, columns in found.items()
        }

    return values


METRICS = (
    Metric(
        "amode.echo_snr", "dB", "high",
        "Hardly any echo: add gel and press the probe on.",
        _each(echo_snr_db, RECENT_S),
    ),
    Metric(
        "amode.coupling_loss", "dB", "low",
        "Echoes have faded: the probe lifted off. Add gel, tighten the strap.",
        _each(lambda lines: coupling_loss_db(lines, 20), BASELINE_S),
    ),
    Metric(
        "amode.saturation", "%", "low",
        "Echoes are cut off: lower the gain of this probe.",
        _each(saturated_percent, 2.0),
    ),
    Metric(
        "amode.frozen", "frames", "low",
        "The same line again and again: restart the ultrasound device.",
        _each(frozen_frames, RECENT_S), enter_s=0.5,
    ),
)  # fmt: skip
