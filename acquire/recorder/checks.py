"""Before a recording: may it start, and if not, why."""

from pathlib import Path

import numpy as np

from acquire.recorder.stream import StreamWorker
from acquire.recorder.streams import StreamSet
from acquire.recorder.watch import RATE_MIN_SPAN_S
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
        for source_id in streams.joiner.duplicates()
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
    for found in streams.joiner.found:
        if found.name != name:
            continue
        if streams.selection.is_foreign(found):
            return (
                f"{name} comes from {found.source_id or 'a source without id'} on "
                f"{found.hostname}; expected is {streams.selection.expectation(name)}"
            )
        if found.key in streams.joiner.refused:
            return f"{name}: {streams.joiner.refused[found.key]}"
        return f"{name} was found, but is not open yet"
    return f"{name} is not on the network"
