"""The panel's remote-control protocol: 64-byte commands out, 32-byte status in.

Big-endian, no checksum in the status and no magic: a status is recognised by its zero
format byte, zero padding, rear belts at rest and physically possible values.
"""

import struct
from dataclasses import dataclass

from devices.errors import WireFormatError

COMMAND_BYTES = 64
STATUS_BYTES = 32
POSSIBLE_MMPS = 12_000  #: no Bertec mill is faster
POSSIBLE_CDEG = 4_500
SEARCH_BYTES = 8 * STATUS_BYTES  #: garbage tolerated before the peer is given up

_BODY = struct.Struct(">4h4Hh")  # speeds R L RR LL, accelerations, incline
_STATUS = struct.Struct(">B4hh21s")


@dataclass(frozen=True, slots=True)
class Command:
    """What one packet asks for; every packet carries all of it, the incline too."""

    left_mmps: int
    right_mmps: int
    accel_left_mmps2: int
    accel_right_mmps2: int
    incline_cdeg: int  #: 0.01 degree
    deck_request: int = 0  #: number of the deck's move or freeze; 0: the angle is held


@dataclass(frozen=True, slots=True)
class Status:
    """What the panel reports: belt speeds and deck angle, nothing else."""

    left_mmps: int
    right_mmps: int
    incline_cdeg: int

    @property
    def left_mps(self) -> float:
        return self.left_mmps / 1000.0

    @property
    def right_mps(self) -> float:
        return self.right_mmps / 1000.0

    @property
    def incline_deg(self) -> float:
        return self.incline_cdeg / 100.0


def pack_command(command: Command) -> bytes:
    """Return 64 bytes; `struct.error` for a value its field cannot hold."""
    body = _BODY.pack(
        command.right_mmps,
        command.left_mmps,
        0,
        0,
        command.accel_right_mmps2,
        command.accel_left_mmps2,
        0,
        0,
        command.incline_cdeg,
    )
    return b"\0" + body + bytes(byte ^ 0xFF for byte in body) + bytes(27)


def unpack_command(packet: bytes) -> Command:
    """Return the command, or raise `WireFormatError`: what a panel would drop."""
    if len(packet) != COMMAND_BYTES or packet[0] != 0:
        raise WireFormatError(f"not a format-0 command of 64 bytes: {packet[:8].hex()}")
    body, complement = packet[1:19], packet[19:37]
    if bytes(byte ^ 0xFF for byte in body) != complement:
        raise WireFormatError(f"command fails its complement: {packet[:37].hex()}")
    right, left, _, _, accel_right, accel_left, _, _, incline = _BODY.unpack(body)
    return Command(left, right, accel_left, accel_right, incline)


def pack_status(status: Status) -> bytes:
    """Return the 32 bytes a panel streams."""
    return _STATUS.pack(
        0, status.right_mmps, status.left_mmps, 0, 0, status.incline_cdeg, bytes(21)
    )


def unpack_status(packet: bytes) -> Status | None:
    """Return the status, or None for 32 bytes that cannot be one."""
    form, right, left, rear_right, rear_left, incline, rest = _STATUS.unpack(packet)
    possible = (
        form == 0
        and rear_right == 0
        and rear_left == 0
        and abs(right) <= POSSIBLE_MMPS
        and abs(left) <= POSSIBLE_MMPS
        and abs(incline) <= POSSIBLE_CDEG
        and not any(rest)
    )
    return Status(left, right, incline) if possible else None


class StatusParser:
    """Cuts the status stream into packets, however TCP split or merged them.

    TCP starts aligned, so the first packet must be a status at once: anything else is
    another protocol. Later garbage is skipped, at most `SEARCH_BYTES`, until two
    packets in a row are possible. A status is mostly zeros, so bytes lost inside the
    panel while everything rests cannot be seen before a value changes; no client of
    this protocol can do better.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._aligned = False
        self.n_skipped_bytes = 0  #: garbage skipped since the start

    def feed(self, data: bytes) -> list[Status]:
        """Return the packets now complete; raise `WireFormatError` on other bytes."""
        self._buffer += data
        if not self._aligned and self._buffer and self._buffer[0] != 0:
            raise _foreign(self._buffer)
        found: list[Status] = []
        while len(self._buffer) >= STATUS_BYTES:
            status = unpack_status(bytes(self._buffer[:STATUS_BYTES]))
            if status is None:
                if not self._aligned:
                    raise _foreign(self._buffer)
                if not self._resynchronise():
                    break
                continue
            self._aligned = True
            found.append(status)
            del self._buffer[:STATUS_BYTES]
        return found

    def _resynchronise(self) -> bool:
        """Drop bytes up to the next place where two packets fit; False: need more."""
        for start in range(1, len(self._buffer) - 2 * STATUS_BYTES + 1):
            middle, end = start + STATUS_BYTES, start + 2 * STATUS_BYTES
            if unpack_status(bytes(self._buffer[start:middle])) and unpack_status(
                bytes(self._buffer[middle:end])
            ):
                del self._buffer[:start]
                self.n_skipped_bytes += start
                return True
        if len(self._buffer) > SEARCH_BYTES:
            raise _foreign(self._buffer)
        return False


def _foreign(data: bytes | bytearray) -> WireFormatError:
    return WireFormatError(
        f"not a Bertec status: {bytes(data[:32])!r}; is another program on this port?"
    )
