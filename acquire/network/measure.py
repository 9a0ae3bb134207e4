"""Measure every stream that is found: rate, losses, health."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from acquire import lsl
from acquire.lsl.discovery import FoundStream
from acquire.lsl.inlet import Inlet
from acquire.recorder.stream import StreamWorker
from acquire.storage.stream_header import StreamHeaderError

Health = Literal["ok", "slow", "silent", "waiting", "unreachable", "duplicate"]

POLL_S = 0.05
OPEN_TIMEOUT_S = 1.5
RATE_ERROR_MAX = 0.05


@dataclass(frozen=True)
class StreamReport:
    """One stream on the network."""

    name: str
    type: str
    n_channels: int
    dtype: str
    nominal_hz: float
    rate_hz: float | None  #: measured; None for irregular, gated or silent streams
    n_lost: int | None  #: by its counter, during the measurement
    health: Health
    advice: str
    source_id: str
    hostname: str
    session_id: str
    simulated: bool


def measure(found: Sequence[FoundStream], seconds: float) -> list[StreamReport]:
    """Read every stream for some seconds and say how well it runs."""
    opened: dict[str, StreamWorker] = {}
    refused: dict[str, str] = {}
    for stream in found:
        inlet = Inlet(stream, max_buflen_s=max(5.0, 2 * seconds))
        try:
            inlet.open(OPEN_TIMEOUT_S)
        except (lsl.LslError, StreamHeaderError) as error:
            refused[stream.uid] = str(error)
            inlet.close()
            continue
        opened[stream.uid] = StreamWorker(stream.key, inlet, lsl.local_clock)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(POLL_S)
        for worker in opened.values():
            worker.poll(None, lsl.local_clock())
            worker.count()
    n_of_key = Counter(stream.key for stream in found)
    reports = []
    for stream in found:
        twice = n_of_key[stream.key] > 1
        why = refused.get(stream.uid, "")
        reports.append(_report(stream, opened.get(stream.uid), why, twice))
    for worker in opened.values():
        worker.source.close()
    return reports


def _report(
    stream: FoundStream, worker: StreamWorker | None, refused: str, twice: bool
) -> StreamReport:
    rate_hz = _rate(worker) if worker else None
    health, advice = _health(stream, worker, rate_hz, refused, twice)
    counted = worker is not None and worker.header.counter_column is not None
    return StreamReport(
        name=stream.name,
        type=stream.type,
        n_channels=stream.n_channels,
        dtype=stream.dtype,
        nominal_hz=stream.rate_hz,
        rate_hz=rate_hz,
        n_lost=worker.counter.n_lost if worker and counted else None,
        health=health,
        advice=advice,
        source_id=stream.source_id,
        hostname=stream.hostname,
        session_id=stream.session_id,
        simulated=worker.header.simulated if worker else False,
    )


def _rate(worker: StreamWorker) -> float | None:
    if not worker.steady or worker.rate.span_s <= 0:
        return None
    rate_hz, _ = worker.rate.estimate(min_span_s=0.3)
    return round(rate_hz, 3) if rate_hz == rate_hz else None


def _health(
    stream: FoundStream,
    worker: StreamWorker | None,
    rate_hz: float | None,
    refused: str,
    twice: bool,
) -> tuple[Health, str]:
    if worker is None:
        return "unreachable", refused or "could not be opened"
    if twice:
        host = stream.hostname
        return "duplicate", f"published twice (this one on {host}): stop one of them"
    if not worker.steady:
        kind = "gated by the trigger" if worker.header.gated else "irregular"
        return ("ok" if worker.n_samples else "waiting"), kind
    if not worker.n_samples:
        return (
            "silent",
            "its outlet is there, but sends nothing: start the measurement there",
        )
    if rate_hz is not None and abs(rate_hz / stream.rate_hz - 1) > RATE_ERROR_MAX:
        return "slow", f"{rate_hz:g} instead of {stream.rate_hz:g} samples per second"
    if not stream.source_id:
        return "ok", "no source id: after a restart it will not be found again"
    return "ok", ""
