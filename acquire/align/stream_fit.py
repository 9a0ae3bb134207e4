"""Fit the clock of one stream to the reference: by edges, else by LSL stamps."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

import sync
from acquire.align.counted_stream import CountedStream
from acquire.align.declared import start_aligned, start_half_width_s
from acquire.align.losses import place_losses
from acquire.align.reference import Reference
from acquire.align.stream_clock import SharedSkew, StreamClock

_WIDE_S = 1.0  #: second try, where stamps and edges disagree by more than 0.25 s


def align_stream(
    stream: CountedStream,
    reference: Reference,
    half_width_s: float,
    shared: SharedSkew | None,
) -> StreamClock:
    """Return the clock of a stream; by stamps, and degraded, where edges do not tell.

    Stamps are believed to `half_width_s`; `shared` is what other trials know.
    """
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
    reference: Reference,
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
    fit: sync.ClockFit, stream: CountedStream, reference: Reference
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


def _priors(stream: CountedStream, reference: Reference) -> list[float | None]:
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
    stream: CountedStream, reference: Reference, reasons: tuple[str, ...]
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
