"""What goes wrong between an A-mode device and its client."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from devices.sim.faults import FaultKind, FaultSpec, active_faults, starting_faults
from devices.sim.world import Lab

STREAM = "amode"
SEQ_AT, FLAGS_AT = 8, 5
REFILLED, GAP_BEFORE = 2, 4


class FrameFaults:
    """Applies a device's faults to its frames; times are the frames' own, in order.

    ``drop`` n frames are never sent (with ``refill=1``: sent as copies of the last
    good one, marked refilled); ``crc`` n frames arrive damaged; ``duplicate`` n frames
    are sent twice; ``restart`` numbers from 0; ``stall`` holds frames back; ``burst``
    sends them n at a time; ``disconnect``; ``coupling_loss`` leaves ``probe`` (1 to 4,
    0: all) without echoes.
    """

    def __init__(self, lab: Lab, name: str) -> None:
        self._lab, self._name = lab, name
        self._noise = np.random.default_rng(lab.config.seed + 1)
        self._before_s: dict[str, float] = {}
        self._left: dict[str, int] = {}
        self._refill = self._gap = False
        self._last_good: bytes | None = None

    def restarts(self, t_s: float) -> bool:
        return bool(self._starting("restart", t_s))

    def disconnected(self, t_s: float) -> bool:
        return bool(self._active("disconnect", t_s))

    def may_send(self, t_s: float, n_waiting: int) -> bool:
        """Tell whether frames that are due may leave now."""
        if self._active("stall", t_s):
            return False
        bursts = self._active("burst", t_s)
        return not bursts or n_waiting >= bursts[0].number("n", 10)

    def spoil_lines(self, t_s: float, lines: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the lines as a badly coupled probe hears them."""
        for fault in self._active("coupling_loss", t_s):
            probe = int(fault.number("probe", 0))
            lines = lines.copy()
            deaf = slice(None) if probe == 0 else slice(probe - 1, probe)
            noise = self._noise.normal(0.0, 20.0, lines[deaf].shape)
            lines[deaf] = np.rint(noise).astype(np.int16)
        return lines

    def spoil_packet(self, t_s: float, seq: int, packet: bytes) -> list[bytes]:
        """Return what is sent for one frame: nothing, it, a damaged one, it twice."""
        for fault in self._starting("drop", t_s):
            self._refill = bool(fault.number("refill", 0))
        if self._spend("drop", t_s):
            return self._lose(seq)
        if self._spend("crc", t_s):
            self._tell_lost(seq)
            middle = len(packet) // 2
            damaged = bytes([packet[middle] ^ 0x55])
            return [packet[:middle] + damaged + packet[middle + 1 :]]
        if self._gap:
            packet = _with_flag(packet, GAP_BEFORE)
            self._gap = False
        self._last_good = packet
        return [packet, packet] if self._spend("duplicate", t_s) else [packet]

    def _lose(self, seq: int) -> list[bytes]:
        if self._refill and self._last_good is not None:
            packet = bytearray(self._last_good)
            packet[SEQ_AT : SEQ_AT + 4] = struct.pack("<I", seq)
            return [_with_flag(bytes(packet), REFILLED)]
        self._gap = True
        self._tell_lost(seq)
        return []

    def _tell_lost(self, seq: int) -> None:
        self._lab.truth(
            {
                "kind": "lost",
                "device": self._name,
                "stream": STREAM,
                "counter": seq,
                "n": 1,
            }
        )

    def _spend(self, kind: FaultKind, t_s: float) -> bool:
        """Tell whether this frame is one of the n that a fault concerns."""
        for fault in self._starting(kind, t_s, key=f"spend {kind}"):
            self._left[kind] = self._left.get(kind, 0) + int(fault.number("n", 1))
        left = self._left.get(kind, 0)
        self._left[kind] = max(left - 1, 0)
        return left > 0

    def _starting(self, kind: FaultKind, t_s: float, key: str = "") -> list[FaultSpec]:
        key = key or kind
        before_s = self._before_s.get(key, t_s - 0.05)
        self._before_s[key] = t_s
        rise_s = self._lab.history.last_rise_s(t_s)
        faults = self._lab.faults(self._name)
        return starting_faults(faults, kind, before_s, t_s, rise_s)

    def _active(self, kind: FaultKind, t_s: float) -> list[FaultSpec]:
        rise_s = self._lab.history.last_rise_s(t_s)
        return active_faults(self._lab.faults(self._name), kind, t_s, rise_s)


def _with_flag(packet: bytes, flag: int) -> bytes:
    """Set a flag and seal the frame again."""
    body = bytearray(packet[:-4])
    body[FLAGS_AT] |= flag
    return bytes(body) + struct.pack("<I", zlib.crc32(bytes(body)))
