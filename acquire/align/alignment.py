"""Bring every stream of a recording onto one clock, that of the Vicon frames."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.counted_stream import CountedStream
from acquire.align.counting import count_samples
from acquire.align.declared import captured_span_s
from acquire.align.reference import MARKERS, Reference, find_reference
from acquire.align.stream_clock import SharedSkew, StreamClock, known
from acquire.align.stream_fit import align_stream
from acquire.align.strike_check import strike_checks
from acquire.storage.recording import Recording

_LOG = logging.getLogger("kinemuse.align")
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Alignment:
    """Clocks of all streams of one recording.

    Times are in seconds on the reference clock (Vicon frame / 100); subtract `t0_s`,
    the first frame at or after the first rise of the trigger line, for trial time.
    `rise_s` and `fall_s` are the line's own, NaN when the reference saw none.
    """

    reference: str
    streams: Mapping[str, StreamClock]
    edges: sync.Edges  #: of the trigger line, in reference seconds
    rise_s: float
    fall_s: float
    t0_s: float
    status: str
    reasons: tuple[str, ...] = ()

    @property
    def time_s(self) -> dict[str, Array]:
        """Seconds on the reference clock of each recorded row, per stream."""
        return {name: clock.time_s for name, clock in self.streams.items()}

    def table(self) -> list[dict[str, Any]]:
        """One row per stream for a report: numbers and words."""
        return [clock.row() for clock in self.streams.values()]

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for JSON; what is unknown is None."""
        return {
            "reference": self.reference,
            "status": self.status,
            "reasons": list(self.reasons),
            "rise_s": known(self.rise_s),
            "fall_s": known(self.fall_s),
            "t0_s": known(self.t0_s),
            "streams": {name: clock.to_json() for name, clock in self.streams.items()},
        }


def align(
    recording: Recording,
    *,
    prior_half_width_s: float = 0.25,
    skews: Mapping[str, SharedSkew] | None = None,
    reference_stream: str = "",
) -> Alignment:
    """Fit the clock of every stream of a recording; never raises on poor data.

    Counters give each row its sample index, trigger edges tie the index to the Vicon
    frames, LSL stamps say roughly where to look (± `prior_half_width_s`). A stream
    without edges follows its stamps, with status ``degraded`` and a wide interval.
    Without Vicon the reference is the LSL clock itself. `skews` are what other trials
    of the session know of the streams' clocks, by name. `reference_stream` takes the
    place of Vicon: its samples are the clock, its trigger the edges.
    """
    counted: dict[str, CountedStream] = {}
    for stream in recording.streams:
        if stream.rate_hz == 0 and not len(stream.t_lsl):
            continue  # an event stream in which nothing happened
        name = stream.name
        if name in counted:
            name = f"{name}:{stream.generation or len(counted)}"
        counted[name] = count_samples(stream, name)
    reference = find_reference(counted, reference_stream)
    clocks = {
        name: align_stream(
            stream, reference, prior_half_width_s, (skews or {}).get(name)
        )
        for name, stream in counted.items()
    }
    clocks = _checked_by_strikes(counted, clocks, reference)
    rises = reference.edges.index[reference.edges.rising]
    falls = reference.edges.index[~reference.edges.rising]
    rise = float(rises[0]) if rises.size else float("nan")
    fall = float(falls[-1]) if falls.size else float("nan")
    if MARKERS in counted and not reference_stream:
        rise, fall = captured_span_s(counted[MARKERS].source) or (rise, fall)
    frame = reference.frame_hz
    t0 = float(np.ceil(rise * frame - 1e-6) / frame)
    for name, clock in clocks.items():
        if clock.status != "ok":
            _LOG.info("%s: %s: %s", name, clock.status, "; ".join(clock.reasons))
    return Alignment(
        reference=reference.name,
        streams=clocks,
        edges=reference.edges,
        rise_s=rise,
        fall_s=fall,
        t0_s=t0,
        status=_overall(clocks, reference),
        reasons=tuple(reference.reasons),
    )


def _checked_by_strikes(
    counted: Mapping[str, CountedStream],
    clocks: Mapping[str, StreamClock],
    reference: Reference,
) -> dict[str, StreamClock]:
    """Hold the clocks against heel strikes; without edges, follow those at worst."""
    checks = strike_checks(
        {name: stream.source for name, stream in counted.items()},
        {name: clock.time_s for name, clock in clocks.items()},
    )
    checked = dict(clocks)
    for name, check in checks.items() if reference.name != "lsl" else ():
        clock = checked[name]
        said = f"heel strikes disagree: {check.words()}"
        if clock.fit.method == "stamps":
            width = float(np.nanmedian(clock.fit.half_width_s(clock.index)))
            if abs(check.lag_s) > check.half_width_s + width:
                fit = sync.moved(clock.fit, -check.lag_s, check.half_width_s, "strikes")
                said = f"LSL stamps contradict the heel strikes: moved {check.words()}"
                clock = counted[name].clock(fit.with_reasons(said))
        elif not check.agrees:
            clock = replace(
                clock,
                status=sync.worst(clock.fit.status, "degraded"),
                reasons=(*clock.reasons, said),
            )
        checked[name] = replace(clock, strikes=check)
    return checked


def _overall(clocks: Mapping[str, StreamClock], reference: Reference) -> str:
    if reference.name == "lsl" or len(reference.edges) == 0:
        return "degraded" if clocks else "failed"
    asked = [c for c in clocks.values() if c.has_trigger or c.start_aligned]
    return sync.worst(*(clock.status for clock in asked))
