"""The framed protocol of A-mode sources: a 32-byte header, the lines, a CRC.

Little-endian. Header: magic ``AMUS``, version, flags, header length, sequence number,
device tick (ns), probes, samples per line, type of sample (`DTYPES`), payload length.
The CRC covers header and payload. Flags: bit 0 level of the trigger line, bit 1 frame
refilled afterwards (perhaps fabricated), bit 2 frames are missing before this one.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError

MAGIC = b"AMUS"
VERSION = 1
HEADER = np.dtype(
    [
        ("magic", "S4"),
        ("version", "u1"),
        ("flags", "u1"),
        ("header_bytes", "<u2"),
        ("seq", "<u4"),
        ("tick_ns", "<u8"),
        ("n_probes", "<u2"),
        ("n_depths", "<u2"),
        ("dtype", "u1"),
        ("reserved", "u1", 3),
        ("payload_bytes", "<u4"),
    ]
)
HEADER_BYTES = HEADER.itemsize
CRC_BYTES = 4
FLAG_TRIGGER, FLAG_REFILLED, FLAG_GAP_BEFORE = 1, 2, 4
DTYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("u1"),
    1: np.dtype("<i2"),
    2: np.dtype("<u2"),
    3: np.dtype("<i4"),
    4: np.dtype("<u4"),
    5: np.dtype("<f4"),
    6: np.dtype("<f8"),
}
MOST_PAYLOAD_BYTES = 1 << 22
SEARCH_BYTES = 1 << 18  #: bytes without a frame before the peer is given up


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One shot of all probes; `lines` has shape (n_probes, n_depths), raw counts."""

    seq: int
    tick_ns: int
    flags: int
    lines: NDArray[Any]

    @property
    def trigger(self) -> bool:
        return bool(self.flags & FLAG_TRIGGER)

    @property
    def refilled(self) -> bool:
        return bool(self.flags & FLAG_REFILLED)


class FrameParser:
    """Cuts a byte stream into frames, however TCP split or merged them.

    After a frame that fails its CRC the search goes on one byte after its magic, so
    that a frame hidden behind a false magic is found. More than `SEARCH_BYTES` without
    one good frame is another protocol. No frame is longer than `most_payload_bytes`:
    a false header must not make the parser wait for ever.
    """

    def __init__(self, most_payload_bytes: int = MOST_PAYLOAD_BYTES) -> None:
        self._most_payload_bytes = most_payload_bytes
        self._buffer = bytearray()
        self._fruitless_bytes = 0
        self.n_crc_errors = 0
        self.n_skipped_bytes = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames now complete; raise `WireFormatError` on other bytes."""
        self._buffer += data
        frames: list[Frame] = []
        while self._find_magic():
            size = self._frame_bytes()
            if size is None:
                break
            if size == 0:
                self._skip(1)
                continue
            if len(self._buffer) < size:
                break
            frame = self._take(size)
            if frame is not None:
                frames.append(frame)
        return frames

    def _find_magic(self) -> bool:
        """Drop bytes before the next magic; False when there is none yet."""
        at = self._buffer.find(MAGIC)
        if at < 0:
            at = max(len(self._buffer) - len(MAGIC) + 1, 0)
            while at < len(self._buffer) and not MAGIC.startswith(self._buffer[at:]):
                at += 1
            self._skip(at)
            return False
        self._skip(at)
        return True

    def _frame_bytes(self) -> int | None:
        """Return the frame's length; None: header incomplete; 0: not a header."""
        if len(self._buffer) < HEADER_BYTES:
            return None
        header = np.frombuffer(bytes(self._buffer[:HEADER_BYTES]), HEADER)[0]
        if header["version"] != VERSION or header["header_bytes"] != HEADER_BYTES:
            return 0
        kind = DTYPES.get(int(header["dtype"]))
        n_values = int(header["n_probes"]) * int(header["n_depths"])
        payload = int(header["payload_bytes"])
        if kind is None or payload != n_values * kind.itemsize or payload == 0:
            return 0
        if payload > self._most_payload_bytes:
            return 0
        return HEADER_BYTES + payload + CRC_BYTES

    def _take(self, size: int) -> Frame | None:
        body = bytes(self._buffer[: size - CRC_BYTES])
        told = int.from_bytes(self._buffer[size - CRC_BYTES : size], "little")
        if zlib.crc32(body) != told:
            self.n_crc_errors += 1
            self._skip(1)
            return None
        del self._buffer[:size]
        self._fruitless_bytes = 0
        header = np.frombuffer(body, HEADER, 1)[0]
        shape = int(header["n_probes"]), int(header["n_depths"])
        kind = DTYPES[int(header["dtype"])]
        lines = np.frombuffer(body, kind, offset=HEADER_BYTES).reshape(shape)
        flags = int(header["flags"])
        return Frame(int(header["seq"]), int(header["tick_ns"]), flags, lines)

    def _skip(self, n_bytes: int) -> None:
        shown = bytes(self._buffer[:16])
        del self._buffer[:n_bytes]
        self.n_skipped_bytes += n_bytes
        self._fruitless_bytes += n_bytes
        if self._fruitless_bytes > SEARCH_BYTES:
            raise WireFormatError(
                f"no A-mode frame in {self._fruitless_bytes} bytes, now at {shown!r}; "
                "is another program on this port?"
            )
