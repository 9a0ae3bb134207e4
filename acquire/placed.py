"""A recording with its clocks: trial times, joined markers, the deck and the belts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from acquire.align import Alignment, SharedSkew, align
from acquire.dataset.arrays import marker_positions
from acquire.storage import labels
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.trial_file import read_provenance

Floats = NDArray[np.float64]
SPEED_BAND_MPS = 0.05  #: belts within this of their usual speed walk steadily


@dataclass(frozen=True, eq=False)
class TrialFacts:
    """A recording with its clocks: what every later step starts from.

    `t0_s` is trial time 0 on the reference clock and `duration_s` the time from there
    to the fall of the line, or to the last frame where the line was not seen.
    """

    recording: Recording
    alignment: Alignment
    t0_s: float
    duration_s: float
    remarks: tuple[str, ...] = ()

    def time_s(self, name: str) -> Floats:
        """Return the trial time of every row of one stream."""
        return np.asarray(self.alignment.streams[name].time_s - self.t0_s)


def place(
    recording: Recording, skews: Mapping[str, SharedSkew] | None = None
) -> TrialFacts:
    """Align a recording and say where its trial begins and how long it is.

    `skews` are what other trials of the session know of its clocks, by stream.
    """
    alignment = align(recording, skews=skews)
    remarks: list[str] = []
    known = [
        clock.time_s[np.isfinite(clock.time_s)]
        for name, clock in alignment.streams.items()
        if name.startswith(("vicon-markers", "vicon-forces"))
    ]
    reached = np.concatenate([*known, np.empty(0)])
    t0, end = alignment.t0_s, alignment.fall_s
    if not np.isfinite(t0):
        t0 = float(reached.min()) if reached.size else 0.0
        remarks.append("no rise of the line: trial time 0 is the first frame")
    if not np.isfinite(end) or end <= t0:
        end = float(reached.max()) if reached.size else t0
        remarks.append("no fall of the line: the trial ends with the last frame")
    return TrialFacts(recording, alignment, t0, max(end - t0, 0.0), tuple(remarks))


def named(recording: Recording, name: str) -> Iterator[tuple[str, RecordedStream]]:
    """Yield every generation of a stream with its name in the alignment."""
    seen: set[str] = set()
    for stream in recording.streams:
        key = stream.name
        if key in seen:
            key = f"{key}:{stream.generation or len(seen)}"
        seen.add(key)
        if stream.name == name:
            yield key, stream


def joined_markers(facts: TrialFacts) -> tuple[dict[str, Floats], Floats]:
    """Return marker positions of all generations together, by label, and their times.

    Shape (n, 3) each, NaN where a marker was not part of the set.
    """
    parts = [
        (facts.time_s(key), marker_positions(stream))
        for key, stream in named(facts.recording, "vicon-markers")
    ]
    times = np.concatenate([np.empty(0), *(t for t, _ in parts)])
    known = np.flatnonzero(np.isfinite(times))
    order = known[np.argsort(times[known], kind="stable")]
    names = list(dict.fromkeys(name for _, found in parts for name in found))
    joined: dict[str, Floats] = {}
    for name in names:
        rows = [found.get(name, np.full((t.size, 3), np.nan)) for t, found in parts]
        joined[name] = np.concatenate(rows)[order]
    return joined, times[order]


def marker_rate_hz(recording: Recording) -> float:
    """Return the frames per second of the markers, 100 where there are none."""
    rates = [s.rate_hz for s in recording.streams if s.name == "vicon-markers"]
    return rates[0] if rates else 100.0


class Placed(Protocol):
    """A recording whose rows have trial times."""

    @property
    def recording(self) -> Recording: ...
    def time_s(self, name: str) -> Floats: ...


def incline_at(facts: Placed, time_s: Floats) -> Floats:
    """Return the deck's angle at trial times (n,): reported, else the trial's slope."""
    recording = facts.recording
    if "treadmill" in recording:
        stream, at = recording["treadmill"], facts.time_s("treadmill")
        angle = stream.column("incline_deg").astype(np.float64)
        known = np.isfinite(at) & np.isfinite(angle)
        if known.any():
            return np.asarray(np.interp(time_s, at[known], angle[known]))
    mode = str(recording.attributes.get("mode", "LG_0"))
    slope = labels.slope_deg(mode) if mode.startswith(("LG", "AS", "DS")) else 0.0
    if recording.attributes.get("facing") == "reversed":
        slope = -slope
    return np.full(time_s.shape, slope)


def steady_span(facts: TrialFacts) -> tuple[float, float]:
    """Return the longest span (trial time) in which both belts keep their speed."""
    if "treadmill" not in facts.recording:
        return -np.inf, np.inf
    stream, at = facts.recording["treadmill"], facts.time_s("treadmill")
    inside = np.flatnonzero(np.isfinite(at))
    if inside.size < 2:
        return -np.inf, np.inf
    steady = np.ones(inside.size, dtype=bool)
    during = (at[inside] >= 0) & (at[inside] <= facts.duration_s)
    for name in ("left_mps", "right_mps"):
        speed = stream.column(name).astype(np.float64)[inside]
        usual = np.median(speed[during]) if during.any() else np.median(speed)
        steady &= np.abs(speed - usual) <= SPEED_BAND_MPS
    steps = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]])))
    spans = [(at[inside[a]], at[inside[b - 1]]) for a, b in steps.reshape(-1, 2)]
    first, last = max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))
    return float(first), float(last)


def even_loads(
    stream: RecordedStream, time_s: Floats, columns: list[tuple[int, ...]]
) -> tuple[Floats, list[Floats]]:
    """Put force samples on an even grid of times, NaN where samples are missing."""
    known = np.isfinite(time_s)
    if not known.any():
        return np.empty(0), [np.empty((0, 6)) for _ in columns]
    times = time_s[known]
    slot = np.round((times - times[0]) * stream.rate_hz).astype(int)
    inside = slot >= 0
    grid_s = times[0] + np.arange(slot.max() + 1) / stream.rate_hz
    loads = []
    for which in columns:
        load = np.full((grid_s.size, 6), np.nan)
        rows = stream.data[known][:, list(which)]
        load[slot[inside]] = rows[inside]
        loads.append(load)
    return grid_s, loads


def rig_of(trial_path: Path) -> Mapping[str, Any]:
    """Return the rig of the session as the archive holds it, as plain data."""
    return _rig(read_provenance(trial_path).get("rig", ""))


@lru_cache(maxsize=8)  # all trials of a session have the same one
def _rig(text: str) -> Mapping[str, Any]:
    found = yaml.safe_load(text) if text else None
    return MappingProxyType(found) if isinstance(found, dict) else {}
