"""Why an expected stream is not seen: one cause, one line of advice. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from acquire.lsl.discovery import FoundStream
from acquire.network.hosts import HostReport
from acquire.network.outlets import AskedOutlet

Cause = Literal[
    "session",
    "scope",
    "ports",
    "version",
    "firewall",
    "host",
    "source",
    "device",
    "not-running",
    "nothing",
]

FIRST_COMPLETE = (1, 18, 0)  #: liblsl that finds every outlet of its own computer
_GENERATION = re.compile(r":\d+\Z")


@dataclass(frozen=True)
class MissingReport:
    """An expected stream that is not seen, the likely reason, and what to do."""

    name: str
    cause: Cause
    reason: str
    advice: str
    peers: tuple[str, ...] = ()  #: computers that ``KnownPeers`` should name


@dataclass(frozen=True)
class Evidence:
    """What was found out about the network besides the streams that are seen."""

    session_id: str
    scope: str
    ports: range  #: UDP ports that our discovery asks on this computer
    elsewhere: Sequence[FoundStream] = ()  #: discovered, in any session
    local: Sequence[AskedOutlet] = ()  #: of this computer, asked directly
    hosts: Sequence[HostReport] = ()
    devices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    others_use_lsl: bool = True


def explain(name: str, evidence: Evidence) -> MissingReport:
    """Return why no stream of this name is seen, by the strongest evidence there is."""
    return (
        _in_another_session(name, evidence)
        or _on_this_computer(name, evidence)
        or _on_another_computer(name, evidence)
        or _at_the_device(name, evidence)
        or _at_the_host(name, evidence)
        or _nowhere(name, evidence)
    )


def foreign(
    found: Sequence[FoundStream], expected: Mapping[str, str | None]
) -> list[MissingReport]:
    """Return expected streams whose name is seen, but from another source."""
    reports = []
    for name, wanted in expected.items():
        there = [stream for stream in found if stream.name == name]
        ids = {s.source_id for s in there}
        ids |= {_GENERATION.sub("", source_id) for source_id in ids}
        if wanted is None or not there or wanted in ids:
            continue
        other = there[0]
        reports.append(
            MissingReport(
                name,
                "source",
                f"a stream of that name comes from {other.source_id or 'no source'} "
                f"on {other.hostname}, not from {wanted}",
                "stop the other publisher, or correct the device's serial in the rig",
            )
        )
    return reports


def _in_another_session(name: str, evidence: Evidence) -> MissingReport | None:
    seen = [(s.session_id, s.hostname) for s in evidence.elsewhere if s.name == name]
    asked = [outlet.header for outlet in evidence.local if outlet.header.name == name]
    asked += [
        o.header for h in evidence.hosts for o in h.outlets if o.header.name == name
    ]
    sessions = dict([*seen, *((h.session_id, h.hostname) for h in asked)])
    if not sessions or evidence.session_id in sessions:
        return None
    session, host = sorted(sessions.items())[0]
    return MissingReport(
        name,
        "session",
        f"it is published in LSL session {session!r} on {host}; this is session "
        f"{evidence.session_id!r}",
        f"set lsl.session_id in the rig to {session}, or give its program the "
        "configuration that --write-config writes",
    )


def _on_this_computer(name: str, evidence: Evidence) -> MissingReport | None:
    outlets = [o for o in evidence.local if o.header.name == name]
    if not outlets:
        return None
    outlet = outlets[0]
    if _older(outlet.library):
        return MissingReport(
            name,
            "version",
            f"its program uses liblsl {outlet.library}, of which one outlet in many is "
            "found on the same computer",
            "update its liblsl to 1.18 or later, or give it the configuration that "
            "--write-config writes",
        )
    if outlet.service_port not in evidence.ports:
        return MissingReport(
            name,
            "ports",
            f"its outlet is asked at UDP port {outlet.service_port}; here only "
            f"{evidence.ports[0]}-{evidence.ports[-1]} are",
            "give its program the configuration that --write-config writes",
        )
    return MissingReport(
        name,
        "firewall",
        f"its outlet is on this computer (TCP {outlet.port}), but does not answer at "
        f"UDP {outlet.service_port}",
        f"let UDP {evidence.ports[0]}-{evidence.ports[-1]} of this computer through "
        "its firewall",
    )


def _on_another_computer(name: str, evidence: Evidence) -> MissingReport | None:
    for host in evidence.hosts:
        if all(outlet.header.name != name for outlet in host.outlets):
            continue
        if evidence.scope == "machine":
            return MissingReport(
                name,
                "scope",
                f"it is on {host.host}; scope 'machine' looks at this computer only",
                "set lsl.scope in the rig to link (same subnet) or site",
                (host.host,),
            )
        return MissingReport(
            name,
            "firewall",
            f"{host.host} has it and answers by TCP, but discovery (UDP) does not "
            "reach it: a firewall, or another subnet",
            f"let UDP 16571-{evidence.ports[-1]} through there, or name it in "
            "KnownPeers: --write-config does",
            (host.host,),
        )
    return None


def _at_the_device(name: str, evidence: Evidence) -> MissingReport | None:
    for device, snapshot in evidence.devices.items():
        if name in {str(s.get("name")) for s in snapshot.get("streams", ())}:
            ports = f"{evidence.ports[0]}-{evidence.ports[-1]}"
            return MissingReport(
                name,
                "firewall",
                f"{device} publishes it, but its ports do not answer",
                f"let UDP 16571 and {ports} (TCP and UDP) through the firewall, and "
                "compare lsl.scope of both sides",
            )
    for device, snapshot in evidence.devices.items():
        if snapshot.get("state") != "streaming":
            why = snapshot.get("reason") or snapshot.get("state")
            return MissingReport(
                name,
                "device",
                f"{device} is not streaming: {why}",
                "connect it, or check its address",
            )
    return None


def _at_the_host(name: str, evidence: Evidence) -> MissingReport | None:
    for host in evidence.hosts:
        if host.state in ("silent", "unknown", "no-route"):
            said, _, advice = host.message.partition(": ")
            return MissingReport(name, "host", said, advice)
    for host in evidence.hosts:
        if host.state == "no-outlet":
            said, _, advice = host.message.partition(": ")
            return MissingReport(name, "not-running", said, advice)
    return None


def _nowhere(name: str, evidence: Evidence) -> MissingReport:
    if evidence.scope == "machine" and not evidence.others_use_lsl:
        return MissingReport(
            name,
            "nothing",
            "no other program on this computer uses LSL, and scope 'machine' looks no "
            "further",
            "start `kinemuse stream`; for another computer look with --host NAME",
        )
    return MissingReport(
        name,
        "nothing",
        "nothing publishes it",
        "start `kinemuse stream` for its device and read what that says; for another "
        "computer look with --host NAME",
    )


def _older(library: str) -> bool:
    if not library:
        return False
    return tuple(int(part) for part in library.split(".")) < FIRST_COMPLETE
