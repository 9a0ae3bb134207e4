"""The UDP datagram that starts and stops a Vicon capture: send strict, parse liberal.

It names and begins a trial; it carries no exact time. Trial time comes from the
trigger line the capture raises.
"""

import logging
import secrets
import socket
from dataclasses import dataclass
from typing import Literal
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from devices.errors import DeviceConnectionError, WireFormatError
from devices.vicon.config import ViconConfig

log = logging.getLogger("kinemuse.vicon")

CAPTURE_PORT = 30
BROADCAST = "255.255.255.255"
MAX_DATAGRAM_BYTES = 8192
_PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
_KINDS: dict[str, Literal["start", "stop", "complete"]] = {
    "CaptureStart": "start",
    "CaptureStop": "stop",
    "CaptureComplete": "complete",
}


@dataclass(frozen=True, slots=True)
class CaptureMessage:
    """One datagram; `delay_ms` is the time by which it precedes the event."""

    kind: Literal["start", "stop", "complete"]
    name: str = ""
    notes: str = ""
    description: str = ""
    database_path: str = ""
    delay_ms: int = 0
    packet_id: int | None = None
    result: str = ""


def pack_start(message: CaptureMessage) -> bytes:
    """Build the start datagram exactly as Vicon prints it, NUL included."""
    parts = [
        _element("Name", message.name),
        _element("Notes", message.notes),
        _element("Description", message.description),
        *_trailer(message),
    ]
    text = f"{_PROLOGUE}<CaptureStart>{''.join(parts)}</CaptureStart>"
    return text.encode() + b"\0"


def pack_stop(message: CaptureMessage) -> bytes:
    """Build the stop datagram; ``RESULT`` is for notifications only."""
    result = f" RESULT={_quoted(message.result)}" if message.result else ""
    parts = [_element("Name", message.name), *_trailer(message)]
    text = f"{_PROLOGUE}<CaptureStop{result}>{''.join(parts)}</CaptureStop>"
    return text.encode() + b"\0"


def _trailer(message: CaptureMessage) -> list[str]:
    return [
        _element("DatabasePath", message.database_path),
        _element("Delay", str(message.delay_ms)),
        _element("PacketID", str(message.packet_id or 0)),
    ]


def _element(tag: str, value: str) -> str:
    return f"<{tag} VALUE={_quoted(value)}/>"


def _quoted(value: str) -> str:
    return quoteattr("".join(c for c in value if c.isprintable()), {'"': "&quot;"})


def parse_capture(data: bytes) -> CaptureMessage:
    """Read a datagram of any sender; `WireFormatError` says why it is none."""
    if len(data) > MAX_DATAGRAM_BYTES:
        raise WireFormatError(f"a capture datagram of {len(data)} bytes is too long")
    reader = _Reader()
    try:
        reader.parser.Parse(data.strip(b"\0 \t\r\n").replace(b"\0", b""), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise WireFormatError(
            f"no capture datagram ({error}): {data[:80]!r}"
        ) from error
    if reader.root not in _KINDS:
        raise WireFormatError(
            f"datagram is <{reader.root}>, not one of {sorted(_KINDS)}"
        )
    values = reader.values
    return CaptureMessage(
        kind=_KINDS[reader.root],
        name=values.get("name", ""),
        notes=values.get("notes", ""),
        description=values.get("description", ""),
        database_path=values.get("databasepath", ""),
        delay_ms=max(_number(values.get("delay")) or 0, 0),
        packet_id=_number(values.get("packetid")),
        result=reader.result,
    )


def _number(text: str | None) -> int | None:
    try:
        return int(text, 10) if text else None
    except ValueError:
        return None


class _Reader:
    """Collects ``<Tag VALUE=.../>`` below the root; refuses document types."""

    def __init__(self) -> None:
        self.root = self.result = ""
        self.values: dict[str, str] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._element
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        upper = {key.upper(): value for key, value in attributes.items()}
        if not self.root:
            self.root, self.result = tag, upper.get("RESULT", "")
        elif "VALUE" in upper:
            self.values.setdefault(tag.lower(), upper["VALUE"])

    def _doctype(self, name: str, *_: object) -> None:
        raise ValueError(f"document type {name!r} is not allowed")


class CaptureSender:
    """Sends capture datagrams, each with the next PacketID (32 bit at most).

    The first PacketID is random, so that a new process does not repeat those of the
    last one, which receivers discard.
    """

    def __init__(
        self,
        host: str,
        port: int = CAPTURE_PORT,
        *,
        broadcast: bool = False,
        database_path: str = "",
        first_packet_id: int | None = None,
    ) -> None:
        self.host = host or (BROADCAST if broadcast else "127.0.0.1")
        self.port = port
        self._database_path = database_path
        self._packet_id = (
            secrets.randbelow(2**31) + 1 if first_packet_id is None else first_packet_id
        )
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if broadcast:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    @classmethod
    def of(cls, config: ViconConfig) -> "CaptureSender":
        """Build the sender a rig file asks for."""
        capture = config.capture
        host = capture.host or ("" if capture.broadcast else config.host)
        return cls(
            host,
            capture.port,
            broadcast=capture.broadcast,
            database_path=capture.database_path,
        )

    def start(
        self, name: str, *, notes: str = "", description: str = "", delay_ms: int = 0
    ) -> None:
        """Ask for a capture of this name to begin."""
        if not name.strip():
            raise ValueError("a capture needs a name")
        message = self._message("start", name, notes, description, delay_ms)
        self._send(message, pack_start(message))

    def stop(self, name: str, *, delay_ms: int = 0) -> None:
        """Ask for the capture to end."""
        message = self._message("stop", name, "", "", delay_ms)
        self._send(message, pack_stop(message))

    def close(self) -> None:
        self._socket.close()

    def _message(
        self,
        kind: Literal["start", "stop"],
        name: str,
        notes: str,
        description: str,
        delay_ms: int,
    ) -> CaptureMessage:
        packet_id = self._packet_id
        self._packet_id = (packet_id + 1) % 2**32
        path = self._database_path
        return CaptureMessage(kind, name, notes, description, path, delay_ms, packet_id)

    def _send(self, message: CaptureMessage, data: bytes) -> None:
        try:
            self._socket.sendto(data, (self.host, self.port))
        except OSError as error:
            raise DeviceConnectionError(
                f"capture {message.kind} to {self.host}:{self.port} not sent: {error}; "
                "are capture.host and capture.port right?"
            ) from error
        log.info("capture %s %r sent to %s", message.kind, message.name, self.host)
