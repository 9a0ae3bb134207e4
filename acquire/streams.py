"""What is on the network, how well it runs, and why an expected stream is not seen."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import psutil

from acquire import lsl
from acquire.lsl.discovery import FoundStream
from acquire.lsl.inlet import Inlet
from acquire.recorder.stream import StreamWorker
from acquire.storage.stream_header import StreamHeaderError

Health = Literal["ok", "slow", "silent", "waiting", "unreachable", "duplicate"]

DISCOVERY_PORT = 16571  # UDP
POLL_S = 0.05
OPEN_TIMEOUT_S = 1.5
_GENERATION = re.compile(r":\d+\Z")


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


@dataclass(frozen=True)
class MissingReport:
    """An expected stream that is not seen, the likely reason, and what to do."""

    name: str
    reason: str
    advice: str


@dataclass(frozen=True)
class NetworkReport:
    """Streams found and streams missing."""

    session_id: str
    scope: str
    streams: tuple[StreamReport, ...]
    missing: tuple[MissingReport, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def survey(
    seconds: float = 1.0,
    expected: Mapping[str, str | None] | None = None,
    devices: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    find_timeout_s: float = 1.5,
) -> NetworkReport:
    """Find all streams, measure each for `seconds`, explain what is missing.

    Parameters
    ----------
    expected
        Name → source id (None: any) of streams that should be there.
    devices
        Device name → snapshot of its device host, where one answers: tells an
        instrument that is not connected from a stream that is not seen.
    """
    # one more than there can be: discover waits the whole time and so finds all
    found = lsl.discover(find_timeout_s, 1000)
    reports = _measure(found, seconds)
    seen = {stream.name for stream in found}
    wanted = {n: s for n, s in (expected or {}).items() if n not in seen}
    missing = _explain(wanted, devices or {}) if wanted else ()
    foreign = _foreign(found, expected or {})
    return NetworkReport(
        session_id=lsl.configured_session_id() or "default",
        scope=lsl.configured_scope(),
        streams=tuple(reports),
        missing=(*missing, *foreign),
    )


def _measure(found: Sequence[FoundStream], seconds: float) -> list[StreamReport]:
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
            worker.poll(None)
    n_of_id: dict[str, int] = {}
    for stream in found:
        n_of_id[stream.source_id] = n_of_id.get(stream.source_id, 0) + 1
    reports = []
    for stream in found:
        twice = bool(stream.source_id) and n_of_id[stream.source_id] > 1
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
        return "unreachable", f"{refused or 'not opened'}"
    if twice:
        return "duplicate", "two outlets publish this source id: stop one of them"
    if not worker.steady:
        kind = "gated by the trigger" if worker.header.gated else "irregular"
        return ("ok" if worker.n_samples else "waiting"), kind
    if not worker.n_samples:
        return "silent", "its source is there but sends nothing: is it started?"
    if rate_hz is not None and abs(rate_hz / stream.rate_hz - 1) > 0.05:
        return "slow", f"{rate_hz:g} instead of {stream.rate_hz:g} samples per second"
    if not stream.source_id:
        return "ok", "no source id: after a restart it will not be found again"
    return "ok", ""


def _foreign(
    found: Sequence[FoundStream], expected: Mapping[str, str | None]
) -> list[MissingReport]:
    reports = []
    for name, wanted in expected.items():
        there = [stream for stream in found if stream.name == name]
        ids = {_GENERATION.sub("", s.source_id) for s in there} | {
            s.source_id for s in there
        }
        if wanted is None or not there or wanted in ids:
            continue
        reports.append(
            MissingReport(
                name,
                f"a stream of that name comes from {there[0].source_id or 'no source'}"
                f" on {there[0].hostname}, not from {wanted}",
                "stop the other publisher, or correct the device's serial in the rig",
            )
        )
    return reports


def _explain(
    wanted: Mapping[str, str | None], devices: Mapping[str, Mapping[str, Any]]
) -> list[MissingReport]:
    elsewhere = {s.name: s for s in lsl.discover(1.0, 1000, every_session=True)}
    return [_why(name, elsewhere.get(name), devices) for name in wanted]


def _why(
    name: str,
    elsewhere: FoundStream | None,
    devices: Mapping[str, Mapping[str, Any]],
) -> MissingReport:
    session = lsl.configured_session_id() or "default"
    if elsewhere is not None and elsewhere.session_id != session:
        return MissingReport(
            name,
            f"it is published in LSL session {elsewhere.session_id!r} on "
            f"{elsewhere.hostname}; this is session {session!r}",
            f"use --session {elsewhere.session_id}, or set lsl.session_id in the rig",
        )
    for device, snapshot in devices.items():
        offered = {str(s.get("name")) for s in snapshot.get("streams", ())}
        if name in offered:
            return MissingReport(
                name,
                f"{device} publishes it, but discovery does not reach it",
                f"let UDP {DISCOVERY_PORT} and 16572-16604 (TCP and UDP) through the "
                "firewall, and compare lsl.scope of both sides",
            )
    lost = {d: s for d, s in devices.items() if s.get("state") != "streaming"}
    if lost:
        device, snapshot = next(iter(lost.items()))
        why = snapshot.get("reason") or snapshot.get("state")
        return MissingReport(
            name,
            f"{device} is not streaming: {why}",
            "connect it, or check its address",
        )
    if lsl.configured_scope() == "machine" and not _others_use_lsl():
        return MissingReport(
            name,
            "no other program on this computer uses LSL, and scope 'machine' looks no "
            "further",
            "start `kinemuse stream`, or set lsl.scope to 'link' for other computers",
        )
    return MissingReport(
        name,
        "nothing publishes it",
        "start `kinemuse stream` for its device and read what that says",
    )


def _others_use_lsl() -> bool:
    """Whether another process listens where LSL streams are announced."""
    try:
        sockets = psutil.net_connections("udp")
    except (psutil.AccessDenied, OSError):
        return True  # unknown: do not blame the scope
    return any(
        s.laddr and s.laddr.port == DISCOVERY_PORT and s.pid not in (None, os.getpid())
        for s in sockets
    )
