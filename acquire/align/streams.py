"""One recorded stream on its way to a clock: counts, breaks, gaps, edges."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.declared import start_half_width_s
from acquire.align.strike_check import StrikeCheck
from acquire.storage.recording import RecordedStream
from devices.stream import TriggerInput
from sync.clock_fit import Status

Array = NDArray[np.float64]
_LATE_S = 0.15  #: lasting disagreement of stamps and count that ends a segment
_RESTART_S = 5.0  #: the same for a count that the device itself keeps
_MIN_STATE_S = 0.003  #: shorter states of a trigger line are bounce


@dataclass(frozen=True)
class SharedSkew:
    """Bounds of a clock's skew (no unit) by other trials of its session."""

    low: float
    high: float
    trials: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StreamClock:
    """The aligned clock of one stream.

    `index` and `time_s` have shape (n_rows,): the running sample index of every
    recorded row and its seconds on the reference clock (NaN where unknown).
    """

    name: str
    index: Array
    fit: sync.ClockFit
    time_s: Array
    gaps: tuple[sync.Gap, ...]
    edges: sync.Edges
    status: Status
    reasons: tuple[str, ...]
    counter_source: str = "none"
    has_trigger: bool = False
    edge_delay_s: float = 0.0
    start_aligned: bool = False  #: an imported file without the trigger line
    n_repeated: int = 0
    shared: SharedSkew | None = None  #: what the fit took from other trials
    strikes: StrikeCheck | None = None  #: what heel strikes say of the clock
    latency_source: str = ""

    @property
    def smallest_visible_loss(self) -> int | None:
        """The least number of samples that cannot be missing unseen; None: any may be.

        Between the first and the last edge, outside of the losses told. 1 where the
        device counts its samples.
        """
        if self.counter_source == "device":
            return 1
        if self.fit.method != "edges":
            return None
        known = (self.shared.low, self.shared.high) if self.shared else sync.ANY_SKEW
        return sync.smallest_visible_loss(self.fit, known)

    @property
    def n_lost(self) -> int:
        """Samples known to be missing, counted and inferred."""
        return sum(gap.n for gap in self.gaps)

    @property
    def completeness(self) -> str:
        """What is known of losses, in words."""
        inferred = [gap for gap in self.gaps if gap.kind == "inferred"]
        n_inferred = sum(gap.n for gap in inferred)
        width = sum(gap.n_half_width for gap in inferred)
        n_counted = self.n_lost - n_inferred
        parts = (
            [f"{n_counted} lost (counted)"] if self.counter_source == "device" else []
        )
        if inferred:
            parts.append(f"{_counted(n_inferred, width)} lost (inferred)")
        if self.counter_source != "device":
            least = self.smallest_visible_loss
            if least is None:
                parts += [] if inferred else ["losses: not known"]
            else:
                parts.append(f"fewer than {least} may be missing unseen between edges")
        return ", ".join(parts)

    def half_widths_s(self) -> tuple[float, float, float]:
        """Half-width of the interval at the first, middle and last row."""
        if self.index.size == 0:
            return (float("nan"),) * 3
        rows = self.index[[0, self.index.size // 2, -1]]
        start, middle, end = self.fit.half_width_s(rows).tolist()
        return start, middle, end

    def row(self) -> dict[str, Any]:
        """One line of the clock table."""
        start, middle, end = self.half_widths_s()
        residuals = np.abs(self.fit.residuals_s) * 1e3
        return {
            "stream": self.name,
            "status": self.status,
            "method": self.fit.method,
            "rows": int(self.index.size),
            "skew_ppm": _known(self.fit.skew_ppm),
            "skew_half_width_ppm": _known(self.fit.skew_half_width_ppm),
            "matched": self.fit.n_matched,
            "missed": self.fit.n_missed,
            "extra": self.fit.n_extra,
            "residual_median_ms": _known(
                np.median(residuals) if residuals.size else np.nan
            ),
            "residual_p95_ms": _known(
                np.quantile(residuals, 0.95) if residuals.size else np.nan
            ),
            "residual_max_ms": _known(residuals.max() if residuals.size else np.nan),
            "half_width_start_ms": _known(start * 1e3),
            "half_width_middle_ms": _known(middle * 1e3),
            "half_width_end_ms": _known(end * 1e3),
            "segments": len(self.fit.runs),
            "lost": self.n_lost,
            "repeated": self.n_repeated,
            "smallest_visible_loss": self.smallest_visible_loss,
            "completeness": self.completeness,
            "fit_of": f"session ({len(self.shared.trials) + 1} trials)"
            if self.shared
            else "trial",
            "edge_delay_ms": self.edge_delay_s * 1e3,
            "latency_source": self.latency_source,
            "strike_lag_ms": self.strikes.lag_s * 1e3 if self.strikes else None,
            "strike_half_width_ms": (
                self.strikes.half_width_s * 1e3 if self.strikes else None
            ),
            "strikes": self.strikes.words() if self.strikes else "",
            "reasons": "; ".join(self.reasons),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            **self.row(),
            "reasons": list(self.reasons),
            "offset_s": _known(self.fit.offset_s),
            "ambiguity": self.fit.ambiguity,
            "shared_skew": {
                "low_ppm": self.shared.low * 1e6,
                "high_ppm": self.shared.high * 1e6,
                "trials": list(self.shared.trials),
            }
            if self.shared
            else None,
            "gaps": [
                {
                    "first_missing_index": gap.first_missing_index,
                    "n": gap.n,
                    "kind": gap.kind,
                    "n_half_width": gap.n_half_width,
                    "not_before": _known(gap.not_before),
                    "not_after": _known(gap.not_after),
                }
                for gap in self.gaps
            ],
            "segments": [
                {
                    "first": run.first,
                    "last": run.last,
                    "offset_s": run.offset_s,
                    "skew_ppm": run.skew_ppm,
                    "matched": run.n_matched,
                    "missed": run.n_missed,
                    "extra": run.n_extra,
                }
                for run in self.fit.runs
            ],
        }


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
            words = _counted(inferred, sum(gap.n_half_width for gap in unseen))
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


def count_samples(stream: RecordedStream, name: str) -> CountedStream:
    """Count the rows of a stream; split it where its clock may have changed."""
    stamps = sync.apply_offsets(stream.t_lsl, stream.offsets)
    n = int(np.shape(stream.data)[0])
    counted = CountedStream(name, stream, np.arange(n, dtype=np.float64), stamps[:n])
    if n == 0 or stream.rate_hz <= 0 or stream.dtype == "string":
        return counted
    _unwrap(counted)
    _split(counted)
    counted.gaps += [
        gap for gap in sync.find_gaps(counted.index) if not _spans_break(gap, counted)
    ]
    _find_edges(counted)
    return counted


def _unwrap(counted: CountedStream) -> None:
    stream = counted.source
    if stream.counter.source == "none" or stream.counter.channel not in stream.labels:
        return
    values = stream.column(stream.counter.channel).astype(np.float64)
    index = sync.unwrap_counter(values, stream.counter.modulus)
    lost = ~np.isfinite(index)
    if lost.any():
        rows = np.arange(index.size)
        if lost.all():
            counted.reasons.append("the counter channel holds no number")
            return
        index[lost] = np.interp(rows[lost], rows[~lost], index[~lost])
        counted.reasons.append(f"{int(lost.sum())} rows without a counter")
    counted.index = index


def _split(counted: CountedStream) -> None:
    """Make the index run forward across restarts, with a break at each."""
    rate = counted.source.rate_hz
    back = sync.find_resets(counted.index)
    for row in back.tolist():
        step = counted.index[row] - counted.index[row - 1]
        if step > -2.0 * rate * 0.05:
            continue  # rows out of order
        elapsed = counted.stamps[row] - counted.stamps[row - 1]
        n_missing = max(0, round(elapsed * rate) - 1) if np.isfinite(elapsed) else 0
        _break_at(counted, row, counted.index[row - 1] + 1.0 + n_missing, "restarts")
        if n_missing:
            _note_gap(counted, row, n_missing, max(1, round(0.1 * rate)))
    device = counted.source.counter.source == "device"
    steps = sync.find_stamp_steps(
        counted.index,
        counted.stamps,
        rate_hz=rate,
        threshold_s=_RESTART_S if device else _LATE_S,
    )
    for row, size in steps:
        if device:  # its count is exact: this is another count, and no loss
            _break_at(counted, row, counted.index[row], "jumps")
            continue
        n_missing = max(0, round(size * rate))
        _break_at(counted, row, counted.index[row] + n_missing, "jumps")
        if n_missing:
            counted.losses.append(float(counted.index[row]) - 0.5)
            _note_gap(counted, row, n_missing, max(1, round(0.05 * rate)))


def _break_at(counted: CountedStream, row: int, index: float, what: str) -> None:
    shift = index - counted.index[row]
    counted.index[row:] += shift
    counted.breaks = sorted([*counted.breaks, float(counted.index[row]) - 0.5])
    counted.reasons.append(f"the clock {what} at row {row}")


def _note_gap(counted: CountedStream, row: int, n: int, n_half_width: int) -> None:
    before = float(counted.index[row - 1])
    counted.gaps.append(
        sync.Gap(before + 1.0, n, "inferred", n_half_width, before, before + 1.0 + n)
    )


def _spans_break(gap: sync.Gap, counted: CountedStream) -> bool:
    return any(gap.not_before < at <= gap.not_after for at in counted.breaks)


def _find_edges(counted: CountedStream) -> None:
    stream, trigger = counted.source, counted.source.trigger
    if trigger is None:
        counted.edge_reasons.append("no trigger channel")
        return
    rate = stream.rate_hz
    delay = trigger.edge_delay_s * rate
    if trigger.role == "gates":
        counted.edges = _flow_edges(counted, trigger.start_latency_max_s * rate)
        counted.edges = counted.edges.shifted(-delay)
        return
    if trigger.channel not in stream.labels:
        counted.edge_reasons.append(f"no channel {trigger.channel!r}")
        return
    level = stream.column(trigger.channel).astype(np.float64)
    newest = np.maximum.accumulate(counted.index)
    fresh = np.concatenate(([True], np.diff(newest) > 0))
    width = max(2.0, _MIN_STATE_S * rate) if trigger.kind == "analog" else 1.0
    counted.edges = sync.find_edges(
        level[fresh], min_width_samples=width, index=counted.index[fresh]
    ).shifted(-delay)
    levels = sync.find_levels(level)
    counted.edge_reasons += levels.reasons
    counted.reasons += levels.reasons


def _flow_edges(counted: CountedStream, latency: float) -> sync.Edges:
    """Start and end of flow stand for rise and fall of the line."""
    first, last = float(counted.index.min()), float(counted.index.max())
    return sync.Edges(
        np.array([first - 0.5, last + 0.5]),
        np.array([True, False]),
        np.array([0.5 + latency, 0.5]),
    )


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


def _counted(n: int, half_width: int) -> str:
    """Say a number, with its bounds unless it is certain."""
    return f"{n} ± {half_width}" if half_width else str(n)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
