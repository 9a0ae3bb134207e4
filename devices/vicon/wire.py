"""CGStream framing, primitives and control messages: pure bytes in both directions.

Little-endian throughout and packed. A packet is ``u32 PACKET_ID, u32 length`` and then
objects, each ``u32 id, u32 length, body``. Unknown objects and trailing bytes of a
body are skipped; whatever ends early raises `WireFormatError` naming object and offset.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from devices.errors import WireFormatError

PACKET_ID = 0x1A2B0001
#: A packet longer than this is taken for a lying length, so a buffer stays bounded.
#: A frame of 45 markers, two plates and 8 EMG channels is 0.008 MiB.
MAX_PACKET_BYTES = 16 << 20
TICKS_PER_S = 135_000_000
NO_FRAME = 0xFFFFFFFF

_PAIR = struct.Struct("<II")
_U8, _U32 = struct.Struct("<B"), struct.Struct("<I")
_I64, _U64, _F64 = struct.Struct("<q"), struct.Struct("<Q"), struct.Struct("<d")


class ObjectId(IntEnum):
    """Objects a motion-capture session needs; others pass by unread."""

    STREAM_INFO = 1
    SUBJECT_INFO = 2
    DEVICE_INFO = 3
    CHANNEL_INFO = 4
    FRAME_INFO = 5
    LABELED_RECONS = 6
    UNLABELED_RECONS = 7
    LOCAL_SEGMENTS = 8
    GLOBAL_SEGMENTS = 9
    FORCE_FRAME = 10
    MOMENT_FRAME = 11
    COP_FRAME = 12
    VOLTAGE_FRAME = 13
    FORCE_PLATE_INFO = 20
    TIMECODE = 23
    LATENCY_INFO = 26
    SUBJECT_TOPOLOGY = 28
    SUBJECT_HEALTH = 29
    CHANNEL_INFO_EXTRA = 34
    HARDWARE_FRAME_INFO = 36
    APPLICATION_INFO = 37
    DEVICE_INFO_EXTRA = 38
    FRAME_RATE_INFO = 39
    OBJECT_QUALITY = 40
    PING = 42
    OBJECT_ENUMS = 100001
    REQUEST_FRAME = 100002
    KEEP_ALIVE = 100003
    CONTENTS = 100004
    REQUEST_NEXT_FRAME = 100008


#: Sent rarely and kept until replaced; every other object belongs to one frame.
STATIC_IDS = frozenset(
    {1, 2, 3, 4, 14, 19, 20, 27, 28, 29, 33, 34, 37, 38, 40, 1401, 28001}
)
CONTROL_IDS = frozenset(
    {42, 100001, 100002, 100003, 100004, 100005, 100006, 100007, 100008}
)


def object_name(object_id: int) -> str:
    """Name an object for messages, for example ``LABELED_RECONS (6)``."""
    try:
        return f"{ObjectId(object_id).name} ({object_id})"
    except ValueError:
        return f"object {object_id}"


class Body:
    """Reads one object's body front to back, and never past its end."""

    def __init__(self, data: bytes | memoryview, object_id: int) -> None:
        self._data, self._id, self._at = data, object_id, 0

    def u8(self) -> int:
        return int(self._number(_U8))

    def u32(self) -> int:
        return int(self._number(_U32))

    def i64(self) -> int:
        return int(self._number(_I64))

    def u64(self) -> int:
        return int(self._number(_U64))

    def f64(self) -> float:
        return float(self._number(_F64))

    def unpack(self, kind: struct.Struct) -> tuple[int, ...]:
        """Read several integers at once."""
        return kind.unpack_from(self._data, self._advance(kind.size, "numbers"))

    def text(self) -> str:
        """Read a counted string; bytes that are not UTF-8 are shown escaped."""
        start = self._advance(self.u32(), "a string")
        return bytes(self._data[start : self._at]).decode("utf-8", "backslashreplace")

    def count(self, item_bytes: int) -> int:
        """Read a vector's count, refused when its items cannot fit the body."""
        n = self.u32()
        if n * item_bytes > len(self._data) - self._at:
            raise self._short(n * item_bytes, f"{n} items of {item_bytes} bytes")
        return n

    def records(self, dtype: DTypeLike) -> NDArray[Any]:
        """Read a vector of fixed-size items as a read-only view, shape (n,)."""
        dtype = np.dtype(dtype)
        return self.array(dtype, self.count(dtype.itemsize))

    def array(self, dtype: DTypeLike, n: int) -> NDArray[Any]:
        dtype = np.dtype(dtype)
        start = self._advance(n * dtype.itemsize, f"{n} items")
        return np.frombuffer(self._data, dtype, n, start)

    def _number(self, kind: struct.Struct) -> float:
        start = self._advance(kind.size, "a number")
        number: float = kind.unpack_from(self._data, start)[0]
        return number

    def _advance(self, n_bytes: int, what: str) -> int:
        start = self._at
        if start + n_bytes > len(self._data):
            raise self._short(n_bytes, what)
        self._at = start + n_bytes
        return start

    def _short(self, n_bytes: int, what: str) -> WireFormatError:
        return WireFormatError(
            f"{object_name(self._id)} ends early: {what} ({n_bytes} bytes) wanted at "
            f"offset {self._at} of {len(self._data)}"
        )


class Deframer:
    """Cuts a byte stream into packets, however the transport had split it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes and return the packets (without header) that are complete."""
        buffer = self._buffer
        buffer += data
        packets, at = [], 0
        while len(buffer) - at >= _PAIR.size:
            packet_id, length = _PAIR.unpack_from(buffer, at)
            self._check(packet_id, length, bytes(buffer[at : at + 16]))
            end = at + _PAIR.size + length
            if end > len(buffer):
                break
            packets.append(bytes(buffer[at + _PAIR.size : end]))
            at = end
        del buffer[:at]
        return packets

    @staticmethod
    def _check(packet_id: int, length: int, start: bytes) -> None:
        if packet_id != PACKET_ID:
            raise WireFormatError(
                f"not a CGStream packet: it starts with {start!r} instead of "
                f"{_U32.pack(PACKET_ID)!r}"
            )
        if length > MAX_PACKET_BYTES:
            raise WireFormatError(
                f"a CGStream packet of {length} bytes is announced; "
                f"more than {MAX_PACKET_BYTES} is taken for damage"
            )


def split_objects(packet: bytes) -> list[tuple[int, memoryview]]:
    """Cut a packet into ``(object id, body)`` in wire order."""
    view, found, at = memoryview(packet), [], 0
    while at < len(view):
        if at + _PAIR.size > len(view):
            raise WireFormatError(
                f"packet ends inside an object header at offset {at} of {len(view)}"
            )
        object_id, length = _PAIR.unpack_from(view, at)
        at += _PAIR.size
        if at + length > len(view):
            raise WireFormatError(
                f"{object_name(object_id)} at offset {at} says {length} bytes; "
                f"the packet has {len(view) - at} left"
            )
        found.append((object_id, view[at : at + length]))
        at += length
    return found


def packet(objects: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """Frame objects for sending; without any it is the legal empty packet."""
    body = b"".join(_PAIR.pack(id_, len(data)) + data for id_, data in objects)
    return _PAIR.pack(PACKET_ID, len(body)) + body


def pack_enums(ids: Iterable[int]) -> bytes:
    """Pack the set of supported or wanted objects; it replaces the last set sent."""
    ordered = sorted(ids)
    body = struct.pack(f"<{len(ordered) + 1}I", len(ordered), *ordered)
    return packet([(ObjectId.OBJECT_ENUMS, body)])


def pack_request(*, streaming: bool) -> bytes:
    """Ask for every frame from now on, or for the latest one, once."""
    return packet([(ObjectId.REQUEST_FRAME, b"\1" if streaming else b"\0")])


def pack_request_next(n: int = 1) -> bytes:
    """Ask for the next `n` frames, each when it exists."""
    return packet([(ObjectId.REQUEST_NEXT_FRAME, _U32.pack(n))])


def pack_ping(number: int) -> bytes:
    """Pack a number that the other side echoes."""
    return packet([(ObjectId.PING, _U64.pack(number))])


def parse_enums(body: bytes | memoryview) -> frozenset[int]:
    """Read the set of supported or wanted objects."""
    items = Body(body, ObjectId.OBJECT_ENUMS).records("<u4")
    return frozenset(items.tolist())


def parse_request(body: bytes | memoryview) -> bool:
    """Tell whether every frame is asked for, or just one."""
    return Body(body, ObjectId.REQUEST_FRAME).u8() != 0


def parse_request_next(body: bytes | memoryview) -> int:
    """Read how many of the next frames are asked for."""
    return Body(body, ObjectId.REQUEST_NEXT_FRAME).u32()


def parse_ping(body: bytes | memoryview) -> int:
    """Read the number to echo."""
    return Body(body, ObjectId.PING).u64()


def parse_unchanged(body: bytes | memoryview) -> frozenset[int]:
    """Ids that Contents says are to be taken over from the packet before."""
    reader = Body(body, ObjectId.CONTENTS)
    reader.records(np.dtype([("id", "<u4"), ("count", "<u4")]))
    return frozenset(reader.records("<u4").tolist())
