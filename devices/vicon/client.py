"""Native client of a Vicon DataStream server (CGStream over TCP)."""

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from devices.errors import DeviceTimeoutError, WireFormatError
from devices.link import Link
from devices.vicon import wire
from devices.vicon.frames import Frame, decode_frame
from devices.vicon.objects import Statics, decode_statics
from devices.vicon.wire import CONTROL_IDS, STATIC_IDS, Deframer, ObjectId

log = logging.getLogger("kinemuse.vicon")

StreamMode = Literal["push", "pull", "prefetch"]

PING_PERIOD_S = 1.0
#: Requests under way in prefetch mode: so many frames may come before we look again.
PREFETCH_FRAMES = 20
MAX_STALE_READS = 1000

#: Dynamic objects a server may declare unchanged instead of sending them again.
REPEATABLE_IDS = frozenset(
    {5, 36, 23, 26, 16, 41, 6, 7, 25, 9, 8, 901, 17, 1701, 18, 30, 31, 22, 32, 39}
)

Packed = dict[int, list[memoryview]]


class CgStreamClient:
    """Handshake, subscription, requests and frames over any `Link`.

    Call `open`, then `start` with a mode, then `poll` again and again. The object
    keeps what the server said about the session in `statics`; every frame holds the
    statics that were current when it came, so a change shows as another object.
    """

    died = ""

    def __init__(
        self, link: Link, where: str, wanted: frozenset[int], now: Callable[[], float]
    ) -> None:
        self._link, self._where, self._wanted, self._now = link, where, wanted, now
        self.round_trip_s: float | None = None
        self.supported: frozenset[int] = frozenset()
        self._reset()

    def _reset(self) -> None:
        self.statics = Statics()
        self._deframer = Deframer()
        self._packed_statics: Packed = {}
        self._last_dynamics: Packed = {}
        self._mode: StreamMode | None = None
        self._ping = 0
        self._ping_sent_s: float | None = None
        self._ping_due_s = float("-inf")

    def open(self, timeout_s: float) -> None:
        """Connect, wait for the server's first word and subscribe.

        A peer that speaks something else raises `WireFormatError`; one that accepts
        and stays silent raises `DeviceTimeoutError`.
        """
        self._reset()
        deadline = self._now() + timeout_s
        self._link.open(timeout_s)
        packets: list[bytes] = []
        while not packets:
            remaining = deadline - self._now()
            if remaining <= 0:
                raise DeviceTimeoutError(
                    f"{self._where} accepted the connection but said nothing in "
                    f"{timeout_s:g} s; a Vicon DataStream server speaks first"
                )
            data, _ = self._link.receive(remaining)
            packets = self._feed(data)
        objects = dict(wire.split_objects(packets[0]))
        if ObjectId.OBJECT_ENUMS not in objects:
            raise WireFormatError(
                f"{self._where}: the first packet holds "
                f"{[wire.object_name(id_) for id_ in objects]}, not OBJECT_ENUMS"
            )
        self.supported = wire.parse_enums(objects[ObjectId.OBJECT_ENUMS])
        self.subscribe(self._wanted)

    def subscribe(self, wanted: frozenset[int]) -> None:
        """Replace the subscription; objects the server does not list stay out."""
        self._wanted = wanted
        self._link.send(wire.pack_enums(self.supported & wanted))

    def ask(self) -> None:
        """Ask for one frame, outside any mode."""
        self._link.send(wire.pack_request(streaming=False))

    def start(self, mode: StreamMode) -> None:
        """Drop what is still under way and ask for frames."""
        for _ in range(MAX_STALE_READS):
            if self._receive(0.0) is None:
                break
        self._mode = mode
        if mode == "prefetch":
            self._link.send(wire.pack_request_next(PREFETCH_FRAMES))
        else:
            self._link.send(wire.pack_request(streaming=mode == "push"))

    def stop(self) -> None:
        """Ask for no more frames; one may still come."""
        if self._mode == "push":
            self._link.send(wire.pack_request(streaming=False))
        self._mode = None

    def poll(self, timeout_s: float) -> list[Frame]:
        """Wait once for bytes and return the frames they completed."""
        self._send_ping()
        frames = self._receive(timeout_s) or []
        for _ in frames:
            if self._mode == "pull":
                self._link.send(wire.pack_request(streaming=False))
            elif self._mode == "prefetch":
                self._link.send(wire.pack_request_next())
        return frames

    def close(self) -> None:
        self._mode = None
        self._link.close()

    def _receive(self, timeout_s: float) -> list[Frame] | None:
        data, arrival_s = self._link.receive(timeout_s)
        if not data:
            return None
        frames = (self._frame(packet, arrival_s) for packet in self._feed(data))
        return [frame for frame in frames if frame is not None]

    def _feed(self, data: bytes) -> list[bytes]:
        try:
            return self._deframer.feed(data)
        except WireFormatError as error:
            raise WireFormatError(f"{self._where}: {error}") from error

    def _frame(self, packet: bytes, arrival_s: float) -> Frame | None:
        try:
            return self._decode(packet, arrival_s)
        except WireFormatError as error:
            raise WireFormatError(f"{self._where}: {error}") from error

    def _decode(self, packet: bytes, arrival_s: float) -> Frame | None:
        statics: Packed = {}
        dynamics: Packed = {}
        unchanged: frozenset[int] = frozenset()
        objects = wire.split_objects(packet)
        for object_id, body in objects:
            if object_id == ObjectId.PING:
                self._pong(wire.parse_ping(body), arrival_s)
            elif object_id == ObjectId.CONTENTS:
                unchanged = wire.parse_unchanged(body)
            elif object_id not in CONTROL_IDS:
                group = statics if object_id in STATIC_IDS else dynamics
                group.setdefault(object_id, []).append(body)
        if statics:
            self._take_statics(statics, unchanged)
        if not dynamics:
            return None
        for id_ in unchanged & REPEATABLE_IDS & self._last_dynamics.keys():
            dynamics[id_] = self._last_dynamics[id_]
        self._last_dynamics = dynamics
        flat = [(id_, body) for id_, bodies in dynamics.items() for body in bodies]
        frame = decode_frame(flat, self.statics, arrival_s)
        if frame is None or frame.frame_id == wire.NO_FRAME:
            return None
        return frame

    def _take_statics(self, packed: Packed, unchanged: frozenset[int]) -> None:
        """Replace the whole description, as the vendor's client does."""
        kept: Mapping[int, list[memoryview]] = {
            id_: bodies
            for id_, bodies in self._packed_statics.items()
            if id_ in unchanged
        }
        packed = {**packed, **kept}
        if packed != self._packed_statics:
            self.statics = decode_statics(packed)
            self._packed_statics = packed
            log.debug("%s described itself: %s", self._where, self.statics)

    def _send_ping(self) -> None:
        now = self._now()
        if now >= self._ping_due_s:
            self._ping += 1
            self._ping_sent_s, self._ping_due_s = now, now + PING_PERIOD_S
            self._link.send(wire.pack_ping(self._ping))

    def _pong(self, number: int, arrival_s: float) -> None:
        if number == self._ping and self._ping_sent_s is not None:
            self.round_trip_s = arrival_s - self._ping_sent_s
            self._ping_sent_s = None
