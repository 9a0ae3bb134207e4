"""Foot strikes and foot offs: from force where it is clean, else from markers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import Side, Step
from acquire.gait.kinematic_events import (
    MATCH_S,
    USUAL_BIAS_S,
    Bias,
    calibrate,
    marker_events,
)

Floats = NDArray[np.float64]
Kind = Literal["strike", "off"]
Source = Literal["force", "marker", "file"]
KINDS: Final[tuple[Kind, Kind]] = ("strike", "off")


@dataclass(frozen=True, slots=True)
class GaitEvent:
    """One strike or off; `time_s` on the clock of the samples it was found in."""

    time_s: float
    side: Side
    kind: Kind
    source: Source


def force_events(steps: list[Step], time_s: Floats) -> list[GaitEvent]:
    """Return the events of steps that belong to one foot alone.

    `time_s`, shape (n,), holds the time of each force sample. A foot that stands on
    both plates has one strike, the earlier, and one off, the later.
    """
    found: list[GaitEvent] = []
    for side in ("left", "right"):
        own = [step for step in steps if step.side == side]
        for group in _joined(own):
            if any(step.crossover for step in group):
                continue
            on = [step.contact.on for step in group]
            off = [step.contact.off for step in group]
            if np.isfinite(on).all():
                found.append(GaitEvent(_at(min(on), time_s), side, "strike", "force"))
            if np.isfinite(off).all():
                found.append(GaitEvent(_at(max(off), time_s), side, "off", "force"))
    return sorted(found, key=lambda event: event.time_s)


def with_marker_events(
    events: list[GaitEvent],
    feet_m: Mapping[Side, Floats],
    pelvis_m: Floats,
    time_s: Floats,
    rate_hz: float,
) -> tuple[list[GaitEvent], dict[tuple[Side, Kind], Bias]]:
    """Add marker events where force has none; return all, and the biases removed.

    `feet_m` holds heel and toe, shape (n, 2, 3), `pelvis_m` has shape (n, 3), both at
    `time_s` (n,). A bias is this person's, from steps that force tells, or where there
    are fewer than three the usual one.
    """
    merged = list(events)
    biases: dict[tuple[Side, Kind], Bias] = {}
    for side, feet in feet_m.items():
        found = marker_events(feet[:, 0], feet[:, 1], pelvis_m, rate_hz)
        for kind, index in zip(KINDS, found, strict=True):
            known = times_of(events, side, kind)
            times = np.interp(index, np.arange(time_s.size), time_s)
            bias = biases[side, kind] = calibrate(times, known, USUAL_BIAS_S[kind])
            times = times - bias.bias_s
            merged += [
                GaitEvent(float(t), side, kind, "marker")
                for t in times
                if not known.size or np.abs(known - t).min() > 2 * MATCH_S
            ]
    return sorted(merged, key=lambda event: event.time_s), biases


def times_of(events: list[GaitEvent], side: Side, kind: Kind) -> Floats:
    """Return the times of one kind of event, shape (n,), sorted."""
    found = [e.time_s for e in events if e.side == side and e.kind == kind]
    return np.sort(np.array(found, dtype=np.float64))


def _at(index: float, time_s: Floats) -> float:
    return float(np.interp(index, np.arange(time_s.size), time_s))


def _joined(steps: list[Step]) -> list[list[Step]]:
    """Group the contacts of one foot that overlap in time (on both plates at once)."""
    groups: list[list[Step]] = []
    for step in sorted(steps, key=lambda step: step.contact.first):
        if groups and step.contact.first < max(s.contact.last for s in groups[-1]):
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups
