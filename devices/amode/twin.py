"""An A-mode frame server, simulated: ``python -m devices.amode.twin``."""

import struct
import zlib
from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from devices.amode.twin_faults import FrameFaults
from devices.sim.clock import SimClock
from devices.sim.one_client import OneClientServer
from devices.sim.person import Person
from devices.sim.trigger_line import TriggerLine
from devices.sim.twin_process import run, twin_config
from devices.sim.world import Lab

STREAM = "amode"
RATE_HZ = 20.0
KEEP_UP_S = 0.5
OLDEST_S = 3.0  #: frames older than this are not rendered any more


class Options(BaseModel, frozen=True, extra="forbid"):
    """A twin's options in the lab's configuration."""

    gated: bool = False
    """Frames are taken only while the trigger line is high."""

    start_latency_s: float = Field(default=0.0, ge=0)
    """Gated: frames within this of the rise are not taken."""

    seq0: int = Field(default=0, ge=0, lt=2**32)
    """Number of the first frame."""

    dtype: str = "int16"
    """What is sent: ``int16``, ``uint8``, ``uint16``, ``int32`` or ``float32``."""

    split_bytes: int = Field(default=0, ge=0)
    """Most bytes per segment; 0: as many as fit."""

    silent: bool = False
    """Accept clients, send nothing."""


class Echoes(Protocol):
    """Who is examined: `devices.sim.person.Person`, or less in tests."""

    def echo(self, t: NDArray[np.float64], /) -> NDArray[np.int16]:
        """Return lines (n, 4, 1000) at world times t (n,)."""
        ...


class AModeTwin:
    """Takes 20 frames a second of the person's muscles and sends them to one client.

    Faults are those of `FrameFaults`. The trigger line is in each frame's flags.
    """

    def __init__(
        self,
        lab: Lab,
        name: str,
        port: int | None = None,
        person: Echoes | None = None,
    ) -> None:
        config = twin_config(lab, name, port)
        self._options = Options.model_validate(config.options)
        self._lab, self._name = lab, name
        self._person: Echoes = person or Person(lab.config, lab.history)
        self._line = TriggerLine(lab.history, lab.config.waveform, lab.config.seed)
        self._faults = FrameFaults(lab, name)
        self._server = OneClientServer(
            config.host, config.port, split_bytes=self._options.split_bytes
        )
        seed = lab.config.seed
        self._clock = SimClock(
            config.clock, RATE_HZ, max(lab.world_now(), 0.0), seed=seed
        )
        self._next, self._seq = 0, self._options.seq0
        self._flows = not self._options.gated
        self._ready: deque[tuple[float, bytes]] = deque()
        self._seen_s = 0.0
        self._keep_up(lab.horizon())
        if self._flows:
            self._tell_clock("start")

    @property
    def port(self) -> int:
        return self._server.port

    def step(self, timeout_s: float) -> None:
        self._server.poll(min(timeout_s, 0.02))
        horizon_s = self._lab.horizon()
        self._server.refuses = self._faults.disconnected(horizon_s)
        if self._server.refuses:
            self._server.drop()
        self._take_frames(horizon_s)
        self._deliver(horizon_s)

    def close(self) -> None:
        self._server.close()

    def _take_frames(self, horizon_s: float) -> None:
        due = self._clock.due(horizon_s)
        times = self._clock.true_time(np.arange(self._next, due))
        oldest_s = horizon_s - OLDEST_S
        wanted = times[times > oldest_s] if self._server.has_client else times[:0]
        for t_s in times[: times.size - wanted.size]:
            self._take(float(t_s), None)
        if wanted.size:
            self._seen_s = float(wanted[-1])
            for t_s, lines in zip(wanted, self._person.echo(wanted), strict=True):
                self._take(float(t_s), lines)
        self._keep_up(horizon_s)

    def _keep_up(self, horizon_s: float) -> None:
        """Look at the person now and then: a long silence is slow to catch up."""
        if horizon_s - self._seen_s > KEEP_UP_S:
            self._seen_s = horizon_s
            self._person.echo(np.array([horizon_s]))

    def _take(self, t_s: float, lines: NDArray[np.int16] | None) -> None:
        """Take one frame, unless the gate is closed, and hand it to the faults."""
        index = self._next
        self._next += 1
        level = int(self._line.level(np.array([t_s]))[0])
        if self._options.gated and not self._gate(t_s, level, index):
            return
        if self._faults.restarts(t_s):
            self._seq = 0
            self._tell_clock("restart", index)
        seq = self._seq
        self._seq = (self._seq + 1) % 2**32
        if lines is None:
            return
        lines = self._faults.spoil_lines(t_s, lines)
        tick_ns = max(round(float(self._clock.device_time(index)) * 1e9), 0)
        packet = self._pack(seq, tick_ns, level, lines)
        sent_s = float(self._clock.delivery_time(np.array([index]))[0])
        for item in self._faults.spoil_packet(t_s, seq, packet):
            self._ready.append((sent_s, item))

    def _gate(self, t_s: float, level: int, index: int) -> bool:
        rise_s = self._lab.history.last_rise_s(t_s)
        late = rise_s is not None and t_s < rise_s + self._options.start_latency_s
        flows = bool(level) and not late
        if flows and not self._flows:
            self._tell_clock("gate", index)
        self._flows = flows
        return flows

    def _deliver(self, horizon_s: float) -> None:
        if not self._server.has_client or self._options.silent:
            self._ready.clear()
            return
        waiting = sum(sent_s <= horizon_s for sent_s, _ in self._ready)
        if not self._faults.may_send(horizon_s, waiting):
            return
        for _ in range(waiting):
            self._server.send(self._ready.popleft()[1])

    def _pack(
        self, seq: int, tick_ns: int, flags: int, lines: NDArray[np.int16]
    ) -> bytes:
        """Pack a frame; independent of the client's `wire`."""
        payload, code = encode(lines, self._options.dtype)
        header = b"AMUS" + struct.pack(
            "<BBHIQHHB3xI",
            1,
            flags,
            32,
            seq,
            tick_ns,
            lines.shape[0],
            lines.shape[1],
            code,
            len(payload),
        )
        return seal(header + payload)

    def _tell_clock(self, reason: str, index: int = 0) -> None:
        self._lab.truth(
            {
                "kind": "clock",
                "device": self._name,
                "stream": STREAM,
                "t0_s": float(self._clock.true_time(index)),
                "period_s": self._clock.period_s,
                "counter0": self._seq,
                "reason": reason,
            }
        )


def seal(body: bytes) -> bytes:
    """Append the CRC32 of header and payload."""
    return body + struct.pack("<I", zlib.crc32(body))


def encode(lines: NDArray[np.int16], dtype: str) -> tuple[bytes, int]:
    """Return the payload and its type code, as the protocol numbers them."""
    wide = lines.astype(np.float64)
    match dtype:
        case "uint8":
            return np.clip(wide / 256 + 128, 0, 255).astype("u1").tobytes(), 0
        case "int16":
            return lines.astype("<i2").tobytes(), 1
        case "uint16":
            return (wide + 32768).astype("<u2").tobytes(), 2
        case "int32":
            return lines.astype("<i4").tobytes(), 3
        case "float32":
            return lines.astype("<f4").tobytes(), 5
        case _:
            raise ValueError(f"option dtype={dtype!r} is not a type of sample")


def main() -> None:
    """Run the A-mode frame server of a simulated lab."""
    run(AModeTwin, "A-mode frame server, simulated")


if __name__ == "__main__":
    main()
