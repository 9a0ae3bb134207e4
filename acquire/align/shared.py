"""What the trials of a session know of each other's clocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import sync
from acquire.align.evidence import ClockEvidence, Stretch, TrialEvidence
from acquire.align.stream_clock import SharedSkew

_WANDER_PER_S, _WANDER_MOST = 10e-6 / 1200.0, 10e-6  #: of a quartz: 10 ppm in 20 min
_SAME_COUNT_S = 0.2  #: a count that runs on agrees with its stamps to this
_REFERENCES = (
    "vicon-markers",
    "vicon-forces",
    "vicon-segments",
    "vicon-unlabeled",
)
_FALSE_PER = 5  #: of so many trials one may hide a loss, and always one


@dataclass(frozen=True)
class _Member:
    """A trial of a group: its place in the session, and its clock's evidence.

    `added` are the samples to add to its count so that it runs on from the first.
    """

    trial: int
    added: float
    clock: ClockEvidence


def shared_skews(trials: Sequence[TrialEvidence]) -> list[dict[str, SharedSkew]]:
    """Return per trial, by stream, the skew its other trials leave; in order of time.

    The edges of all trials between two restarts of a device bound its skew, which may
    wander by 10 ppm in 20 minutes. Where the device counts its samples itself, even a
    start and a stop per trial give a skew, by the time between the trials. Where it
    does not, one trial in five (at least one) may hide a loss, which makes its clock
    seem slower than it is: the bounds do not rest on any one of them.
    """
    found: list[dict[str, SharedSkew]] = [{} for _ in trials]
    names = {name for trial in trials for name in trial.clocks}
    for name in sorted(names - set(_REFERENCES)):
        for group in _between_restarts(name, trials):
            for own in group if len(group) > 1 else ():
                low, high = _bounds(own, group)
                if low < high:
                    others = (m.trial for m in group if m is not own)
                    found[own.trial][name] = SharedSkew(
                        low, high, tuple(trials[k].name for k in others)
                    )
    return found


def _between_restarts(
    name: str, trials: Sequence[TrialEvidence]
) -> list[list[_Member]]:
    """Return the trials that one clock has served without a restart, in groups."""
    groups: list[list[_Member]] = []
    for k, trial in enumerate(trials):
        clock = trial.clocks.get(name)
        if clock is None or not clock.stretches:
            continue
        if clock.restarts:
            groups.append([])
            continue
        last = groups[-1][-1] if groups and groups[-1] else None
        turns = None
        if last is not None and _reference_runs_on(trials[last.trial : k + 1]):
            turns = _turned(last.clock, clock)
        if last is None or turns is None:
            groups.append([_Member(k, 0.0, clock)])
        else:
            groups[-1].append(_Member(k, last.added + turns, clock))
    return groups


def _reference_runs_on(trials: Sequence[TrialEvidence]) -> bool:
    """Whether one count of frames serves all of some trials."""
    return all(
        before.reference == after.reference
        and any(
            _turned(before.clocks[name], after.clocks[name]) == 0.0
            for name in (before.reference, *_REFERENCES)
            if name in before.clocks and name in after.clocks
        )
        for before, after in pairwise(trials)
    )


def _turned(before: ClockEvidence, after: ClockEvidence) -> float | None:
    """Return samples the count turned over between two trials, None if it restarted."""
    modulus = float(before.modulus)
    if min(before.n_rows, after.n_rows) < 2 or before.counter == "none" or modulus <= 0:
        return None
    elapsed = after.first_stamp_s - before.last_stamp_s
    if not elapsed > 0:
        return None
    apart = before.last_index + elapsed * before.rate_hz - after.first_index
    turned = modulus * round(apart / modulus)
    slack = (_SAME_COUNT_S + 300e-6 * elapsed) * before.rate_hz + 2.0
    if before.counter != "device":
        slack += 0.01 * elapsed * before.rate_hz  # losses nobody counted
    return turned if abs(apart - turned) <= slack else None


def _bounds(own: _Member, group: Sequence[_Member]) -> tuple[float, float]:
    """Bounds of the skew in one trial by what the others of its group know."""
    parts = [_bounds_at(stretch, own, group) for stretch in own.clock.stretches]
    return min(low for low, _ in parts), max(high for _, high in parts)


def _bounds_at(
    here: Stretch, own: _Member, group: Sequence[_Member]
) -> tuple[float, float]:
    counted = own.clock.counter == "device" and not any(
        member.clock.steps for member in group
    )
    lows, (_, high) = [], sync.ANY_SKEW
    for other in group:
        if other is own:
            continue
        low = -np.inf
        for there in other.clock.stretches:
            more = (other.added - own.added) / own.clock.rate_hz
            x = there.x_s + more - here.x_s
            wander = min(_WANDER_PER_S * abs(x), _WANDER_MOST)
            low = max(low, there.low - wander)
            high = min(high, there.high + wander)
            if counted and x != 0.0:
                slope = (there.offset_s - more - here.offset_s) / x
                width = wander + (there.half_width_s + here.half_width_s) / abs(x)
                low, high = max(low, slope - width), min(high, slope + width)
        lows.append(low)
    doubted = 0 if own.clock.counter == "device" else max(1, len(lows) // _FALSE_PER)
    lows.sort(reverse=True)
    return max([sync.ANY_SKEW[0], *lows[doubted : doubted + 1]]), high
