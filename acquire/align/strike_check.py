"""Check clocks by heel strikes: plates feel them, markers and muscles show them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.align.strikes import GRID_HZ, binned, find_lag, smooth
from acquire.storage.recording import RecordedStream

Array = NDArray[np.float64]
_HEELS = ("LHEE", "RHEE")
_LOADED = ("TA", "RF", "VLO", "VMO")  #: muscles that take up the load of each step
_SHORTEST_S = 5.0


@dataclass(frozen=True)
class _Way:
    """A way to see strikes: how late it shows them, and how sure that is, in s."""

    name: str
    late_s: float
    half_width_s: float


_MARKERS = _Way("heel markers", 0.015, 0.08)
_ARTEFACT = _Way("movement artefact", 0.01, 0.04)
_ACTIVITY = _Way("muscle activity", 0.02, 0.13)
_SLOW_SHARE = 0.15  #: of a channel's power below 20 Hz: more is movement


@dataclass(frozen=True)
class StrikeCheck:
    """By how much a stream's clock is late after its heel strikes, ± `half_width_s`.

    `by` says what showed the strikes; whole steps more or less look the same.
    """

    by: str
    lag_s: float
    half_width_s: float
    n_steps: int
    step_s: float

    @property
    def agrees(self) -> bool:
        """Whether the strikes allow the clock to be right."""
        return bool(abs(self.lag_s) <= self.half_width_s)

    def words(self) -> str:
        """Say it in one line."""
        return (
            f"{self.lag_s * 1e3:+.0f} ± {self.half_width_s * 1e3:.0f} ms by {self.by} "
            f"of {self.n_steps} steps"
        )


def strike_checks(
    streams: Mapping[str, RecordedStream], time_s: Mapping[str, Array]
) -> dict[str, StrikeCheck]:
    """Compare strikes in each stream with those of the plates, by stream.

    `time_s` are the reference seconds of every row. Without plates, or without a walk
    on them, nothing can be said and nothing is.
    """
    forces = streams.get("vicon-forces")
    if forces is None:
        return {}
    found: dict[str, StrikeCheck] = {}
    for name, stream in streams.items():
        if name == "vicon-forces" or name not in time_s or len(time_s[name]) < 2:
            continue
        if not (_is_markers(stream) or stream.type == "EMG"):
            continue
        grid = _common(time_s["vicon-forces"], time_s[name])
        if grid is None:
            continue
        strikes = _loading(forces, time_s["vicon-forces"], grid)
        if strikes is None:
            continue
        for way, shown in _shown(stream, time_s[name], grid):
            lag = find_lag(strikes, shown)
            if lag is not None:
                width = way.half_width_s + lag.spread_s + 1.0 / GRID_HZ
                found[name] = StrikeCheck(
                    way.name, lag.lag_s - way.late_s, width, lag.n_steps, lag.step_s
                )
                break
    return found


def _is_markers(stream: RecordedStream) -> bool:
    return all(f"{heel}_{axis}" in stream.labels for heel in _HEELS for axis in "XY")


def _common(first: Array, other: Array) -> Array | None:
    """Return the grid of times that both streams cover."""
    if not (np.isfinite(first).any() and np.isfinite(other).any()):
        return None
    start = max(np.nanmin(first), np.nanmin(other)) + 0.1
    stop = min(np.nanmax(first), np.nanmax(other)) - 0.1
    if not stop - start >= _SHORTEST_S:
        return None
    return np.asarray(start + np.arange(int((stop - start) * GRID_HZ)) / GRID_HZ)


def _loading(stream: RecordedStream, time_s: Array, grid_s: Array) -> Array | None:
    """Return how fast the plates are being loaded, in N/s."""
    columns = [k for k, label in enumerate(stream.labels) if label.endswith("Fz")]
    if not columns:
        return None
    loads = np.abs(binned(time_s, stream.data[:, columns].astype(np.float64), grid_s))
    rate = np.gradient(smooth(loads, 0.03), axis=0) * GRID_HZ
    return smooth(np.clip(rate, 0.0, None).sum(axis=1), 0.03)


def _shown(
    stream: RecordedStream, time_s: Array, grid_s: Array
) -> list[tuple[_Way, Array]]:
    """Return the signals that may show strikes, surest first."""
    if _is_markers(stream):
        return [(_MARKERS, _apart(stream, time_s, grid_s))]
    muscles = [k for k, label in enumerate(stream.labels) if label[:2] in ("L_", "R_")]
    loaded = [k for k in muscles if stream.labels[k][2:] in _LOADED]
    ways = []
    if len(muscles) > 2:  # what all channels show together is no muscle
        raw = _columns(stream, muscles)
        slow = smooth(binned(time_s, raw, grid_s), 0.04)
        sway = slow - smooth(slow, 0.3)
        scale, whole = np.std(sway, axis=0), np.nanstd(raw, axis=0)
        share = np.square(scale / np.where(whole > 0, whole, 1.0))
        if np.median(share) > _SLOW_SHARE:
            jolt = np.median(np.abs(sway / np.where(scale > 0, scale, 1.0)), axis=1)
            ways.append((_ARTEFACT, smooth(jolt, 0.05)))
    if loaded:
        fast = np.abs(np.diff(_columns(stream, loaded), axis=0, prepend=np.nan))
        loud = smooth(binned(time_s, fast, grid_s), 0.06)
        scale = np.quantile(loud, 0.95, axis=0)
        ways.append((_ACTIVITY, (loud / np.where(scale > 0, scale, 1.0)).sum(axis=1)))
    return ways


def _apart(stream: RecordedStream, time_s: Array, grid_s: Array) -> Array:
    """Return how far apart the heels are on the ground: most when one strikes."""
    places = [
        np.column_stack([stream.column(f"{heel}_{axis}") for axis in "XY"])
        for heel in _HEELS
    ]
    apart = np.linalg.norm(places[0].astype(np.float64) - places[1], axis=1)
    return smooth(binned(time_s, apart[:, None], grid_s)[:, 0], 0.03)


def _columns(stream: RecordedStream, which: list[int]) -> Array:
    return np.asarray(stream.data[:, which], dtype=np.float64)
