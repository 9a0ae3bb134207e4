"""Before and after a recording: may it start, and is what was written there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from acquire.recorder.readback import Readback, read_back
from acquire.recorder.recording_file import RecordingFile
from acquire.recorder.stream import StreamWorker
from acquire.recorder.streams import StreamSet
from acquire.recorder.watch import RATE_MIN_SPAN_S, CounterWatch
from acquire.storage.disk import bytes_per_s, room_reasons


def not_ready(
    streams: StreamSet, out: Path, now: float, *, archived: bool = True
) -> list[str]:
    """Return every reason against starting, in words; empty when there is none."""
    headers = [worker.header for worker in streams.workers]
    reasons = file_reasons(out, bytes_per_s(headers, archived=archived))
    workers = {worker.name: worker for worker in streams.workers}
    selection = streams.selection
    for name in selection.required:
        if name in workers:
            reasons += stream_reasons(workers[name], now)
        else:
            reasons.append(_missing(name, streams))
    reasons += [
        f"{found.name} also comes from {found.source_id or 'a source without id'} on "
        f"{found.hostname}; expected is {selection.expectation(found.name)}"
        for found in streams.foreign()
        if found.name in selection.required and found.name in workers
    ]
    reasons += [
        f"two outlets publish the source id {source_id}; stop one of them"
        for source_id in streams.duplicates()
    ]
    if not (selection.required or selection.optional or selection.predicate):
        reasons.append("no stream is asked for")
    if selection.predicate and not workers:
        reasons.append(f"no stream matches {selection.predicate}")
        return reasons
    reasons += [
        f"no stream matches {predicate}"
        for predicate in selection.needed
        if not any(worker.matches(predicate) for worker in streams.workers)
    ]
    return reasons


def file_reasons(out: Path, rate_bytes_per_s: float = 0.0) -> list[str]:
    """Return why a recording that needs so much cannot be written to `out`."""
    if out.exists():
        return [f"{out} exists already, and nothing is overwritten"]
    if not out.parent.is_dir():
        return [f"the folder {out.parent} does not exist"]
    return room_reasons(out.parent, rate_bytes_per_s)


def stream_reasons(worker: StreamWorker, now: float) -> list[str]:
    """Return why a joined stream is not fit to be recorded."""
    if worker.lost:
        return [f"{worker.name}: {worker.lost}"]
    if not worker.steady:
        return []
    age_s = worker.flow.age_s(now)
    if not worker.n_samples or worker.state(now) == "stalled":
        return [f"{worker.name}: no sample for {age_s:.1f} s"]
    if not worker.rate.settled:
        return [
            f"{worker.name}: seen for {worker.rate.span_s:.1f} s only; its rate needs "
            f"{RATE_MIN_SPAN_S:g} s"
        ]
    rate_hz, _ = worker.rate.estimate(min_span_s=0.0)
    if worker.rate.wrong(worker.header.rate_hz) or np.isnan(rate_hz):
        return [
            f"{worker.name}: {rate_hz:.4g} samples/s instead of "
            f"{worker.header.rate_hz:g}"
        ]
    return []


def _missing(name: str, streams: StreamSet) -> str:
    for found in streams.found:
        if found.name != name:
            continue
        if streams.selection.is_foreign(found):
            return (
                f"{name} comes from {found.source_id or 'a source without id'} on "
                f"{found.hostname}; expected is {streams.selection.expectation(name)}"
            )
        if found.key in streams.refused:
            return f"{name}: {streams.refused[found.key]}"
        return f"{name} was found, but is not open yet"
    return f"{name} is not on the network"


def verify(files: Sequence[RecordingFile]) -> list[str]:
    """Reopen a finished recording and compare it with what was handed to the writer.

    Of several files that go on with each other, each must hold what went into it, and
    together what was received.
    """
    reasons: list[str] = []
    counters: dict[tuple[str, str], CounterWatch] = {}
    for file in files:
        found = read_back(file.path, counters)
        counters |= {key: stream.counter for key, stream in found.streams.items()}
        about = f"{file.path.name}: " if len(files) > 1 else ""
        reasons += [about + reason for reason in _file_reasons(file, found)]
    for key, last in files[-1].written.items():
        n_written = sum(f.written[key].n_samples for f in files if key in f.written)
        reasons += _total_reasons(last.worker, n_written, counters)
    return reasons


def _file_reasons(file: RecordingFile, found: Readback) -> list[str]:
    reasons = list(found.problems)
    if not found.complete:
        reasons.append("the file has no proper end")
    for written in file.written.values():
        header = written.worker.header
        recorded = found.streams.get((header.name, header.uid))
        if recorded is None:
            reasons.append(f"{header.name} is not in the file")
            continue
        if recorded.n_samples != written.n_samples:
            reasons.append(
                f"{header.name}: {recorded.n_samples} samples in the file, "
                f"{written.n_samples} were written"
            )
        if recorded.n_offsets != written.n_offsets:
            reasons.append(
                f"{header.name}: {recorded.n_offsets} clock offsets in the file, "
                f"{written.n_offsets} were written"
            )
    return reasons


def _total_reasons(
    worker: StreamWorker,
    n_written: int,
    counters: Mapping[tuple[str, str], CounterWatch],
) -> list[str]:
    reasons = []
    if n_written != worker.n_recorded:
        reasons.append(
            f"{worker.name}: {n_written} samples were written, "
            f"{worker.n_recorded} were received"
        )
    counter = counters.get((worker.header.name, worker.header.uid))
    n_lost = counter.n_lost if counter else 0
    if n_lost != worker.counter.n_lost:
        reasons.append(
            f"{worker.name}: by its counter the recording lacks {n_lost} samples, "
            f"{worker.counter.n_lost} were seen missing while recording"
        )
    return reasons
