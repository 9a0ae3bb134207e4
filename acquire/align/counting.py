"""Number the rows of a recorded stream; find breaks of its clock, gaps and edges."""

import numpy as np

import sync
from acquire.align.counted_stream import CountedStream
from acquire.storage.recording import RecordedStream

_LATE_S = 0.15  #: lasting disagreement of stamps and count that ends a segment
_RESTART_S = 5.0  #: the same for a count that the device itself keeps
_MIN_STATE_S = 0.003  #: shorter states of a trigger line are bounce


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
