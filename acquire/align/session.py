"""Align the trials of one session together: a device keeps its skew between them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.alignment import Alignment, align
from acquire.align.streams import StreamClock
from acquire.storage.recording import RecordedStream, Recording

Array = NDArray[np.float64]
_WANDER_PER_S, _WANDER_MOST = 10e-6 / 1200.0, 10e-6  #: of a quartz: 10 ppm in 20 min
_SAME_COUNT_S = 0.2  #: a count that runs on agrees with its stamps to this
_REFERENCES = ("vicon-markers", "vicon-forces")


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A run of a stream in one recording.

    `x_s` (count over rate, of all trials) and `offset_s` (reference less `x_s`, known
    to ± `half_width_s`) are those of its middle, `low` and `high` bound its skew.
    """

    trial: int
    run: int
    x_s: float
    offset_s: float
    half_width_s: float
    low: float
    high: float


def align_session(recordings: Sequence[Recording]) -> list[Alignment]:
    """Align the recordings of a session, in order of time, each with what all know.

    The edges of all trials between two restarts of a device bound its skew, which may
    wander by 10 ppm in 20 minutes. Where the device counts its samples itself, even a
    start and a stop per trial give a skew, by the time between the trials.
    """
    found = [align(recording) for recording in recordings]
    names = {name for alignment in found for name in alignment.streams}
    for name in sorted(names - set(_REFERENCES)):
        for group in _between_restarts(name, recordings, found):
            if len(group) > 1:
                _share(name, group, recordings, found)
    return found


def _between_restarts(
    name: str, recordings: Sequence[Recording], found: Sequence[Alignment]
) -> list[list[tuple[int, float]]]:
    """Return trials (row, samples to add to its count) that one clock has served."""
    groups: list[list[tuple[int, float]]] = []
    for trial, alignment in enumerate(found):
        clock = alignment.streams.get(name)
        if clock is None or clock.fit.method != "edges" or not clock.fit.runs:
            continue
        if len(clock.fit.runs) > len(clock.fit.steps) + 1:  # restarts within
            groups.append([])
            continue
        last = groups[-1][-1] if groups and groups[-1] else None
        turns = None
        if last is not None and _reference_runs_on(recordings, found, last[0], trial):
            turns = _added(name, recordings, found, last[0], trial)
        if last is None or turns is None:
            groups.append([(trial, 0.0)])
        else:
            groups[-1].append((trial, last[1] + turns))
    return groups


def _reference_runs_on(
    recordings: Sequence[Recording], found: Sequence[Alignment], first: int, then: int
) -> bool:
    name = found[first].reference
    if name != found[then].reference or name not in _REFERENCES:
        return False
    known = next((n for n in _REFERENCES if _has(n, found[first], found[then])), None)
    return known is not None and _added(known, recordings, found, first, then) == 0.0


def _has(name: str, *alignments: Alignment) -> bool:
    return all(name in alignment.streams for alignment in alignments)


def _added(
    name: str,
    recordings: Sequence[Recording],
    found: Sequence[Alignment],
    first: int,
    then: int,
) -> float | None:
    """Return samples the count turned over between two trials, None if it restarted."""
    sources = [_source(recordings[k], name) for k in (first, then)]
    counts = [found[k].streams[name].index for k in (first, then)]
    if any(source is None for source in sources) or min(c.size for c in counts) < 2:
        return None
    before, after = (source for source in sources if source is not None)
    modulus = float(before.counter.modulus)
    if before.counter.source == "none" or modulus <= 0:
        return None
    elapsed = _stamp(after, 0) - _stamp(before, -1)
    if not elapsed > 0:
        return None
    expected = float(counts[0][-1]) + elapsed * before.rate_hz
    apart = expected - float(counts[1][0])
    turned = modulus * round(apart / modulus)
    slack = (_SAME_COUNT_S + 300e-6 * abs(elapsed)) * before.rate_hz + 2.0
    if before.counter.source != "device":
        slack += 0.01 * abs(elapsed) * before.rate_hz  # losses nobody counted
    return turned if abs(apart - turned) <= slack else None


def _source(recording: Recording, name: str) -> RecordedStream | None:
    return next((s for s in recording.streams if s.name == name), None)


def _stamp(source: RecordedStream, row: int) -> float:
    return float(sync.apply_offsets(source.t_lsl, source.offsets)[row])


def _share(
    name: str,
    group: Sequence[tuple[int, float]],
    recordings: Sequence[Recording],
    found: list[Alignment],
) -> None:
    """Let every run of a group keep the skews that the others allow too."""
    source = _source(recordings[group[0][0]], name)
    counted = source is not None and source.counter.source == "device"
    counted &= not any(found[trial].streams[name].fit.steps for trial, _ in group)
    stretches = [
        stretch
        for trial, added in group
        for stretch in _stretches(found[trial].streams[name], trial, added)
    ]
    for trial, _ in group:
        clock = found[trial].streams[name]
        runs = list(clock.fit.runs)
        for own in (s for s in stretches if s.trial == trial):
            low, high = _bounds(own, stretches, counted=counted)
            if low < high:
                runs[own.run] = sync.with_skew_within(runs[own.run], low, high)
        fit = replace(clock.fit, runs=tuple(runs))
        streams = dict(found[trial].streams)
        streams[name] = replace(clock, fit=fit, time_s=fit.time_s(clock.index))
        found[trial] = replace(found[trial], streams=streams)


def _stretches(clock: StreamClock, trial: int, added: float) -> list[_Stretch]:
    stretches = []
    for k, run in enumerate(clock.fit.runs):
        skews = sync.skew_range(run)
        if skews is None or run.n_matched == 0:
            continue
        x = np.array([0.5 * (run.first + run.last) / run.rate_hz])
        more = added / run.rate_hz
        stretches.append(
            _Stretch(
                trial,
                k,
                float(x[0]) + more,
                float(run.clock.offset_s(x)[0]) - more,
                float(run.clock.half_width_s(x)[0]),
                *skews,
            )
        )
    return stretches


def _bounds(
    own: _Stretch, all_known: Sequence[_Stretch], *, counted: bool
) -> tuple[float, float]:
    """Bounds of the skew in one run, by all runs; `counted`: no sample unaccounted."""
    low, high = own.low, own.high
    for other in all_known:
        apart = abs(own.x_s - other.x_s)
        wander = min(_WANDER_PER_S * apart, _WANDER_MOST)
        low = max(low, other.low - wander)
        high = min(high, other.high + wander)
        if counted and apart > 0:
            slope = (other.offset_s - own.offset_s) / (other.x_s - own.x_s)
            width = wander + (other.half_width_s + own.half_width_s) / apart
            low, high = max(low, slope - width), min(high, slope + width)
    return low, high
