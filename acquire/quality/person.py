"""What the signals show of the participant: cadence, steadiness, facing, fatigue.

These numbers have no limits. They are published with the others, and the protocol
runner reads them: to wait for steady walking, to count strides, to check the facing
before belts move, and to follow fatigue.
"""

import numpy as np
from numpy.typing import NDArray

from acquire.quality.emg import block_rms, median_frequency_hz, spectrum
from acquire.quality.force import plates
from acquire.quality.markers import markers
from acquire.quality.metric import Metric, Values, Window, per_subject, unknown

STRIDES_S = 9.0
LAST_STRIDES = 4  #: per plate; older ones may belong to another speed
FEWEST_STRIDES = 3
CONTACT_N = 50.0
MIN_STRIDE_S = 0.5
EMG_S = 4.0
FACING_S = 0.3
ALONG_X = 0.5  #: cosine of the largest angle between pelvis and x axis that tells

Array = NDArray[np.float64]


def stride_times(fz: Array, rate_hz: float) -> Array:
    """Return the last times between foot strikes on one plate, s; `fz` (n,) in N."""
    load = np.abs(fz)
    limit = max(CONTACT_N, 0.1 * float(np.percentile(load, 95)))
    strikes = np.flatnonzero((load[1:] > limit) & (load[:-1] <= limit))
    apart = np.diff(strikes, prepend=-np.inf) > MIN_STRIDE_S * rate_hz
    return np.asarray(np.diff(strikes[apart])[-LAST_STRIDES:] / rate_hz)


def _strides(window: Window) -> list[Array]:
    """Return stride times of each plate; empty where they cannot be told."""
    found = plates(window.labels)
    if not found or not window.walked(2.0):
        return []
    fz = np.nan_to_num(
        window.columns(tuple(axes[2] for axes in found.values()), STRIDES_S)
    )
    each = [stride_times(column, window.rate_hz) for column in fz.T]
    enough = all(len(times) >= FEWEST_STRIDES for times in each)
    return each if enough else []


def cadence(window: Window) -> Values:
    """Return steps per minute over the last strides of both feet."""
    strides = window.memo("person.strides", lambda: _strides(window))
    if not strides:
        return unknown()
    return {"": 120.0 / float(np.mean(np.concatenate(strides)))}


def stride_cv(window: Window) -> Values:
    """Return standard deviation over mean of the last stride times, %."""
    strides = window.memo("person.strides", lambda: _strides(window))
    if not strides:
        return unknown()
    relative = np.concatenate([times / times.mean() for times in strides])
    return {"": 100.0 * float(relative.std(ddof=1))}


def facing(window: Window) -> Values:
    """Which way the pelvis faces along the x axis: 1 forward, -1 reversed."""
    found = markers(window.labels)
    wanted = ("LASI", "RASI", "LPSI", "RPSI")
    if not all(name in found for name in wanted) or not window.covers(FACING_S):
        return unknown()
    labels = tuple(label for name in wanted for label in found[name])
    place = window.columns(labels, FACING_S).reshape(-1, 4, 3)
    ahead = place[:, :2].mean(axis=1) - place[:, 2:].mean(axis=1)
    ahead = ahead[np.isfinite(ahead).all(axis=1), :2]
    if not len(ahead):
        return unknown()
    x, y = ahead.mean(axis=0)
    cosine = x / max(float(np.hypot(x, y)), 1e-9)
    return {"": float(np.sign(x)) if abs(cosine) >= ALONG_X else float("nan")}


def _walking_emg(window: Window) -> tuple[str, ...]:
    seen = window.walked(EMG_S) and window.covers(EMG_S)
    return window.signals() if seen else ()


def median_frequency(window: Window) -> Values:
    """Median frequency of each muscle's sEMG over the last strides, Hz."""
    subjects = _walking_emg(window)
    if not subjects:
        return unknown(window.signals())
    power = window.memo(
        "emg.spectrum",
        lambda: spectrum(window.columns(subjects, EMG_S), window.rate_hz),
    )
    return per_subject(subjects, median_frequency_hz(*power))


def rms(window: Window) -> Values:
    """RMS of each muscle's sEMG over the last strides, µV."""
    subjects = _walking_emg(window)
    if not subjects:
        return unknown(window.signals())
    blocks = block_rms(window.columns(subjects, EMG_S), window.rate_hz)
    return per_subject(subjects, np.sqrt(np.mean(blocks**2, axis=0)))


FORCE = (
    Metric(
        "person.cadence", "steps/min", "high",
        "Cadence is beyond what was set for it: is the participant comfortable?",
        cadence,
    ),
    Metric(
        "person.stride_cv", "%", "low",
        "Strides differ in time: wait until the participant walks steadily.",
        stride_cv,
    ),
)  # fmt: skip
MARKERS = (
    Metric(
        "person.facing", "x", "high",
        "The participant faces the other way: stop before the belts move.",
        facing,
    ),
)  # fmt: skip
EMG = (
    Metric(
        "person.median_frequency", "Hz", "high",
        "The muscle's spectrum has fallen: it tires, or the electrode has moved.",
        median_frequency,
    ),
    Metric(
        "person.rms", "uV", "low",
        "The muscle works harder than was set for it: does the participant tire?",
        rms,
    ),
)  # fmt: skip
