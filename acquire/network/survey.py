"""Find all streams, measure each, and explain what is missing."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from acquire import lsl
from acquire.lsl.config import PORT_RANGE
from acquire.network.doctor import Evidence, MissingReport, explain, foreign
from acquire.network.hosts import HostReport, look_at
from acquire.network.measure import StreamReport, measure
from acquire.network.outlets import BASE_PORT, DISCOVERY_PORT, local_outlets

PORTS = range(BASE_PORT, BASE_PORT + PORT_RANGE)
MANY = 1000  # more than there can be: discovery then waits the whole time and finds all


@dataclass(frozen=True)
class NetworkReport:
    """Streams found, streams missing, other computers looked at."""

    session_id: str
    scope: str
    streams: tuple[StreamReport, ...]
    missing: tuple[MissingReport, ...]
    hosts: tuple[HostReport, ...] = ()

    def to_json(self) -> dict[str, Any]:
        hosts = [
            {"host": host.host, "state": host.state, "message": host.message}
            for host in self.hosts
        ]
        return {**asdict(self), "hosts": hosts}

    @property
    def peers(self) -> tuple[str, ...]:
        """Computers that discovery has to be told of."""
        return tuple(dict.fromkeys(p for m in self.missing for p in m.peers))


def survey(
    seconds: float = 1.0,
    expected: Mapping[str, str | None] | None = None,
    devices: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    hosts: Sequence[str] = (),
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
    hosts
        Other computers that may publish what is missing.
    """
    found = lsl.discover(find_timeout_s, MANY)
    reports = measure(found, seconds)
    wanted = set(expected or {}) - {stream.name for stream in found}
    looked_at = tuple(look_at(host, PORTS) for host in hosts)
    session, scope = lsl.configured_session_id() or "default", lsl.configured_scope()
    missing: list[MissingReport] = []
    if wanted:
        evidence = Evidence(
            session_id=session,
            scope=scope,
            ports=PORTS,
            elsewhere=lsl.discover(1.0, MANY, every_session=True),
            local=local_outlets(),
            hosts=looked_at,
            devices=devices or {},
            others_use_lsl=_others_use_lsl(),
        )
        missing = [explain(name, evidence) for name in sorted(wanted)]
    missing += foreign(found, expected or {})
    return NetworkReport(session, scope, tuple(reports), tuple(missing), looked_at)


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
