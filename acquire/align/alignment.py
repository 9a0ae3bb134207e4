"""Bring every stream of a recording onto one clock, that of the Vicon frames."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.declared import (
    captured_span_s,
    start_aligned,
    start_half_width_s,
)
from acquire.align.losses import place_losses
from acquire.align.streams import (
    CountedStream,
    SharedSkew,
    StreamClock,
    count_samples,
)
from acquire.align.strike_check import strike_checks
from acquire.storage.recording import RecordedStream, Recording

_LOG = logging.getLogger("kinemuse.align")
_MARKERS, _FORCES = "vicon-markers", "vicon-forces"
_VICON = (_MARKERS, _FORCES, "vicon-segments", "vicon-unlabeled")
_WIDE_S = 1.0  #: second try, where stamps and edges disagree by more than 0.25 s

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
            "rise_s": _known(self.rise_s),
            "fall_s": _known(self.fall_s),
            "t0_s": _known(self.t0_s),
            "streams": {name: clock.to_json() for name, clock in self.streams.items()},
        }


@dataclass(eq=False)
class _Reference:
    """The reference clock: its edges, and how LSL stamps relate to it."""

    name: str
    exact: tuple[str, ...] = ()  #: streams whose samples are the clock
    frame_hz: float = 100.0  #: trial time 0 is a whole number of these
    edges: sync.Edges = sync.NO_EDGES
    lsl: sync.ClockFit | None = None  #: reference seconds to LSL seconds
    lsl_half_width_s: float = 0.0
    reasons: list[str] = field(default_factory=list)

    def to_lsl(self, t_ref: float) -> float:
        if self.lsl is None:
            return float("nan")
        x = np.array([t_ref])
        run = self.lsl.runs[0]
        return float((x + run.clock.offset_s(x))[0])

    def from_lsl(self, stamps: Array) -> Array:
        """LSL seconds to reference seconds by the line between the two clocks."""
        if self.lsl is None:
            return np.full(stamps.shape, np.nan)
        run = self.lsl.runs[0]
        nominal = stamps - run.offset_s
        return np.asarray(nominal / (1.0 + run.skew_ppm * 1e-6))


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
    reference = _find_reference(counted, reference_stream)
    clocks = {
        name: _align_stream(
            stream, reference, prior_half_width_s, (skews or {}).get(name)
        )
        for name, stream in counted.items()
    }
    clocks = _checked_by_strikes(counted, clocks, reference)
    rises = reference.edges.index[reference.edges.rising]
    falls = reference.edges.index[~reference.edges.rising]
    rise = float(rises[0]) if rises.size else float("nan")
    fall = float(falls[-1]) if falls.size else float("nan")
    if _MARKERS in counted and not reference_stream:
        rise, fall = captured_span_s(counted[_MARKERS].source) or (rise, fall)
    frame = reference.frame_hz
    t0 = float(np.ceil(rise * frame - 1e-6) / frame)
    for name, clock in clocks.items():
        if clock.status not in ("ok",):
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


def _find_reference(
    counted: Mapping[str, CountedStream], asked: str = ""
) -> _Reference:
    forces, markers = counted.get(_FORCES), counted.get(_MARKERS)
    if asked:
        if asked not in counted or counted[asked].source.rate_hz <= 0:
            regular = [n for n, c in counted.items() if c.source.rate_hz > 0]
            raise ValueError(f"no regular stream {asked!r}; there are {regular}")
        forces = markers = counted[asked]
    base = markers if markers is not None and markers.n_rows else forces
    if base is None or base.n_rows == 0:
        return _Reference("lsl", reasons=["no Vicon stream: times are LSL seconds"])
    fit = sync.fit_stamps(
        base.index, base.stamps, rate_hz=base.source.rate_hz, half_width_s=0.02
    )
    reference = _Reference(
        asked or _MARKERS,
        exact=(asked,) if asked else _VICON,
        lsl=fit if fit.runs else None,
    )
    if markers is not None:
        reference.frame_hz = markers.source.rate_hz
    if fit.runs:
        middle = 0.5 * (fit.runs[0].first + fit.runs[0].last)
        reference.lsl_half_width_s = float(fit.half_width_s(middle))
    if forces is None or forces.n_rows == 0:
        reference.reasons.append(f"no {_FORCES} stream: no trigger edges to align to")
        return reference
    if forces is not base:
        forces.shift(_whole_turns(forces, reference))
    rate = forces.source.rate_hz
    seen = forces.edges
    reference.edges = sync.Edges(
        seen.index / rate, seen.rising, seen.half_width / rate
    ).cleaned()
    if len(seen) == 0:
        reference.reasons.append(f"{forces.name}: no edge of the trigger line")
        reference.reasons += forces.edge_reasons
    return reference


def _whole_turns(forces: CountedStream, reference: _Reference) -> float:
    """Return samples to add: the force counter wraps ten times as often as frames."""
    modulus = float(forces.source.counter.modulus)
    expected = reference.from_lsl(forces.stamps) * forces.source.rate_hz
    apart = float(np.nanmedian(expected - forces.index)) if forces.n_rows else 0.0
    return modulus * round(apart / modulus) if np.isfinite(apart) else 0.0


def _align_stream(
    stream: CountedStream,
    reference: _Reference,
    half_width_s: float,
    shared: SharedSkew | None,
) -> StreamClock:
    source = stream.source
    if stream.n_rows == 0:
        empty = sync.ClockFit(
            max(source.rate_hz, 1.0), "failed", ("no samples",), method="none"
        )
        return stream.clock(empty)
    if reference.name == "lsl":
        return stream.clock(_by_stamps(stream, reference, ()))
    if stream.name.split(":")[0] in reference.exact:
        first, last = float(stream.index.min()), float(stream.index.max())
        return stream.clock(sync.exact_clock(source.rate_hz, first, last))
    if len(stream.edges) == 0 or len(reference.edges) == 0:
        reasons = tuple(stream.edge_reasons)
        return stream.clock(_by_stamps(stream, reference, reasons))
    fit = _by_edges(stream, reference, half_width_s, shared)
    if fit.runs:
        return stream.clock(fit, shared)
    rough = _by_stamps(stream, reference, fit.reasons)
    if fit.status == "ambiguous":  # stamps cannot tell which offset is right either
        rough = replace(rough, status="ambiguous", ambiguity=fit.ambiguity)
    return stream.clock(rough)


def _by_edges(
    stream: CountedStream,
    reference: _Reference,
    half_width_s: float,
    shared: SharedSkew | None,
) -> sync.ClockFit:
    priors = _priors(stream, reference)

    def attempt(width_s: float) -> sync.ClockFit:
        return sync.fit_clock(
            stream.edges,
            reference.edges,
            rate_hz=stream.source.rate_hz,
            prior_offset_s=priors,
            prior_half_width_s=width_s,
            breaks=stream.breaks,
            losses=stream.losses,
        )

    fit = attempt(half_width_s)
    if fit.status != "ok" and 2 * fit.n_matched <= fit.n_device:
        wide = attempt(_WIDE_S)
        fit = wide if wide.n_matched > fit.n_matched else fit
    if shared is not None:
        fit = sync.with_skews_within(fit, shared.low, shared.high)
    if fit.steps:
        fit = place_losses(fit, stream.index, stream.stamps)
    return _filled(fit, stream, reference) if fit.runs and stream.breaks else fit


def _filled(
    fit: sync.ClockFit, stream: CountedStream, reference: _Reference
) -> sync.ClockFit:
    """Let stamps serve the segments that hold no matched edge."""
    rough = _by_stamps(stream, reference, ())
    idle = [
        run
        for run in rough.runs
        if not any(run.begin <= other.first < run.end for other in fit.runs)
    ]
    if not idle:
        return fit
    rows = [f"samples {run.first:.0f} to {run.last:.0f}" for run in idle]
    return replace(
        fit,
        runs=tuple(sorted([*fit.runs, *idle], key=lambda run: run.first)),
        status=sync.worst(fit.status, "degraded"),
        reasons=(*fit.reasons, f"no edges in {', '.join(rows)}: stamps serve there"),
    )


def _priors(stream: CountedStream, reference: _Reference) -> list[float | None]:
    """Offset that stamps give each segment, at its first edge."""
    borders = [-np.inf, *stream.breaks, np.inf]
    rate = stream.source.rate_hz
    lines = sync.fit_stamps(
        stream.index, stream.stamps, rate_hz=rate, breaks=stream.breaks
    )
    priors: list[float | None] = []
    for first, last in pairwise(borders):
        edges = stream.edges.index
        inside = edges[(edges >= first) & (edges < last)]
        run = next((run for run in lines.runs if run.begin == first), None)
        if inside.size == 0 or run is None or reference.lsl is None:
            priors.append(None)
            continue
        x = inside[:1] / rate
        t_lsl = x + run.clock.offset_s(x)
        priors.append(float((reference.from_lsl(t_lsl) - x)[0]))
    return priors


def _by_stamps(
    stream: CountedStream, reference: _Reference, reasons: tuple[str, ...]
) -> sync.ClockFit:
    stamps = stream.stamps
    if reference.name != "lsl":
        stamps = reference.from_lsl(stamps)
    declared_s = start_half_width_s(stream.source)
    wide = 0.05 if declared_s is None else declared_s
    wide += reference.lsl_half_width_s
    if stream.source.rate_hz > 0:
        fit = sync.fit_stamps(
            stream.index,
            stamps,
            rate_hz=stream.source.rate_hz,
            breaks=stream.breaks,
            half_width_s=wide,
        )
    else:
        fit = sync.stamps_as_clock(stamps, half_width_s=wide)
    if declared_s is not None:
        fit = start_aligned(fit, declared_s)
    return fit.with_reasons(*reasons)


def _checked_by_strikes(
    counted: Mapping[str, CountedStream],
    clocks: Mapping[str, StreamClock],
    reference: _Reference,
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


def _overall(clocks: Mapping[str, StreamClock], reference: _Reference) -> str:
    if reference.name == "lsl" or len(reference.edges) == 0:
        return "degraded" if clocks else "failed"
    asked = [c for c in clocks.values() if c.has_trigger or c.start_aligned]
    return sync.worst(*(clock.status for clock in asked))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def stream_kind(stream: RecordedStream) -> str:
    """Return ``text``, ``irregular`` or ``regular``."""
    if stream.dtype == "string":
        return "text"
    return "regular" if stream.rate_hz > 0 else "irregular"
