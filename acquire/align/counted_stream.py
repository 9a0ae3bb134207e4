"""A recorded stream whose rows are counted, on its way to a clock."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.declared import start_half_width_s
from acquire.align.stream_clock import SharedSkew, StreamClock, with_bounds
from acquire.storage.recording import RecordedStream
from devices.stream import TriggerInput

Array = NDArray[np.float64]


@dataclass(eq=False)
class CountedStream:
    """A stream with a running index per row, and what its trigger channel shows."""

    name: str
    source: RecordedStream
    index: Array
    stamps: Array  #: on the recorder's clock
    edges: sync.Edges = sync.NO_EDGES
    edge_reasons: list[str] = field(default_factory=list)
    gaps: list[sync.Gap] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)  #: breaks the clock outlived
    reasons: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        return int(self.index.size)

    def shift(self, by: float) -> None:
        """Renumber all samples."""
        self.index = self.index + by
        self.edges = self.edges.shifted(by)
        self.breaks = [at + by for at in self.breaks]
        self.losses = [at + by for at in self.losses]

    def clock(
        self, fit: sync.ClockFit, shared: SharedSkew | None = None
    ) -> StreamClock:
        """Put the fit to work on every row; `shared` says what it rests on besides."""
        gaps = [*(_refined(gap, fit) for gap in self.gaps), *_losses(fit)]
        gaps = [gap for gap in gaps if gap.n > 0]
        gaps.sort(key=lambda gap: gap.first_missing_index)
        unseen = [gap for gap in gaps if gap.kind == "inferred"]
        inferred = sum(gap.n for gap in unseen)
        reasons = [*fit.reasons, *self.reasons]
        if inferred:
            words = with_bounds(inferred, sum(gap.n_half_width for gap in unseen))
            reasons.append(f"{words} samples lost unseen, inferred")
        trigger = self.source.trigger
        return StreamClock(
            name=self.name,
            index=self.index,
            fit=fit,
            time_s=fit.time_s(self.index),
            gaps=tuple(gaps),
            edges=self.edges,
            status=sync.worst(fit.status, "degraded") if inferred else fit.status,
            reasons=tuple(reasons),
            counter_source=self.source.counter.source,
            has_trigger=trigger is not None,
            edge_delay_s=trigger.edge_delay_s if trigger else 0.0,
            start_aligned=fit.method != "edges"
            and start_half_width_s(self.source) is not None,
            n_repeated=int(np.count_nonzero(np.diff(self.index) == 0)),
            shared=shared,
            latency_source=_latency_source(fit, trigger),
        )


def _latency_source(fit: sync.ClockFit, trigger: TriggerInput | None) -> str:
    """Say where the latency comes from that was removed; in a few words."""
    if fit.method == "exact":
        return "reference clock"
    if fit.method != "edges" or trigger is None:
        return "unknown, none removed"
    if trigger.role == "gates":
        return (
            f"flow begins within {trigger.start_latency_max_s * 1e3:g} ms of the rise"
        )
    return "edge_delay_s of the rig" if trigger.edge_delay_s else "none declared"


def _refined(gap: sync.Gap, fit: sync.ClockFit) -> sync.Gap:
    """Count again, by edges, what stamps gave roughly; both sides need edges."""
    if gap.kind == "counted" or fit.method != "edges":
        return gap
    before = [run for run in fit.runs if run.last < gap.not_after]
    after = [run for run in fit.runs if run.first > gap.not_before]
    if not before or not after or before[-1] is after[0]:
        return gap
    at = 0.5 * (gap.not_before + gap.not_after)
    low, high = (
        size * fit.rate_hz for size in sync.step_size_s(before[-1], after[0], at)
    )
    n = max(0, gap.n + round(0.5 * (low + high)))
    return replace(gap, n=n, n_half_width=max(1, round(0.5 * (high - low))))


def _losses(fit: sync.ClockFit) -> list[sync.Gap]:
    """Return the steps of the clock that unseen losses explain."""
    gaps = []
    for step in fit.steps:
        n = round(step.size_s * fit.rate_hz)
        width = max(1, round(step.half_width_s * fit.rate_hz))
        if step.n_lost is not None:
            least, n, most = step.n_lost
            width = max(n - least, most - n)
        if n < 1:
            continue
        borders = (run.begin for run in fit.runs)
        middle = next((b for b in borders if step.after < b < step.before), step.before)
        gaps.append(sync.Gap(middle, n, "inferred", width, step.after, step.before))
    return gaps
