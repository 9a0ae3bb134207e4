"""The treadmill's control panel, simulated: ``python -m devices.bertec.twin``."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from devices.bertec.twin_mill import Mill, MillOptions
from devices.bertec.wire import (
    COMMAND_BYTES,
    Status,
    pack_status,
    unpack_command,
)
from devices.errors import WireFormatError
from devices.sim.clock import SimClock
from devices.sim.faults import FaultKind, active_faults
from devices.sim.one_client import OneClientServer
from devices.sim.twin_process import run, twin_config
from devices.sim.world import Lab


class BertecTwin:
    """Streams status at 50 Hz to one client and obeys its valid packets.

    A bad packet is dropped without a word, as the panel does, and counted. Faults:
    ``stall`` (no status for a while), ``burst`` (status held back, then all at once),
    ``disconnect``, ``estop``. Options: those of `MillOptions`, ``status_hz``,
    ``split_bytes``, ``backlog`` (old statuses a new client gets first), ``silent``.
    """

    def __init__(self, lab: Lab, name: str, port: int | None = None) -> None:
        config = twin_config(lab, name, port)
        options = dict(config.options)
        self._rate_hz = float(options.pop("status_hz", 50.0))
        self._backlog = int(options.pop("backlog", 0))
        self._silent = bool(options.pop("silent", False))
        split_bytes = int(options.pop("split_bytes", 0))
        self._lab, self._name = lab, name
        self._mill = Mill(lab, name, MillOptions.model_validate(options))
        self._noise = np.random.default_rng(lab.config.seed)
        self._server = OneClientServer(
            config.host, config.port, split_bytes=split_bytes
        )
        self._clock = SimClock(
            config.clock,
            self._rate_hz,
            max(lab.world_now(), 0.0),
            seed=lab.config.seed,
        )
        self._next = 0
        self._buffer = bytearray()
        self._held: list[bytes] = []
        self._recent: deque[bytes] = deque(maxlen=1000)
        self._greeted = 0
        self.n_bad_packets = 0

    @property
    def port(self) -> int:
        return self._server.port

    def step(self, timeout_s: float) -> None:
        self._buffer += self._server.poll(min(timeout_s, 0.01))
        self._greet()
        while len(self._buffer) >= COMMAND_BYTES:
            self._take(bytes(self._buffer[:COMMAND_BYTES]))
            del self._buffer[:COMMAND_BYTES]
        self._mill.advance()
        self._report()

    def close(self) -> None:
        self._server.close()

    def _greet(self) -> None:
        if self._server.n_clients == self._greeted:
            return
        self._greeted = self._server.n_clients
        self._buffer.clear()
        self._held.clear()
        if self._backlog and not self._silent:
            self._server.send(b"".join([*self._recent][-self._backlog :]))

    def _take(self, packet: bytes) -> None:
        try:
            command = unpack_command(packet)
        except WireFormatError:
            self.n_bad_packets += 1
            return
        self._mill.obey(command)

    def _report(self) -> None:
        """Send the statuses that are due, each as the mill was at its own instant."""
        horizon_s = self._lab.horizon()
        disconnected = bool(self._active("disconnect", horizon_s))
        self._server.refuses = disconnected
        if disconnected:
            self._server.drop()
        while self._next < (due := self._clock.due(horizon_s)):
            t_s = self._clock.true_time(np.arange(self._next, due))
            for status in self._statuses(t_s):
                self._deliver(pack_status(status), horizon_s)
            self._next = due

    def _deliver(self, packet: bytes, now_s: float) -> None:
        self._recent.append(packet)
        if self._silent or self._active("stall", now_s):
            return
        self._held.append(packet)
        if not self._active("burst", now_s):
            self._server.send(b"".join(self._held))
            self._held.clear()

    def _statuses(self, t_s: NDArray[np.float64]) -> list[Status]:
        belts = self._lab.history.belt_mps(t_s)
        incline = self._lab.history.incline_deg(t_s)
        noise = self._noise.normal(0.0, self._mill.options.noise_mmps, belts.shape)
        mmps = np.rint(belts * 1000 + np.where(belts != 0.0, noise, 0.0)).astype(int)
        cdeg = np.rint(incline * 100).astype(int)
        return [
            Status(int(left), int(right), int(angle))
            for (left, right), angle in zip(mmps, cdeg, strict=True)
        ]

    def _active(self, kind: FaultKind, t_s: float) -> bool:
        faults = self._lab.faults(self._name)
        rise_s = self._lab.history.last_rise_s(t_s)
        return any(active_faults(faults, kind, t_s, rise_s))


def main() -> None:
    """Run the panel of a simulated lab."""
    run(BertecTwin, "Bertec treadmill control panel, simulated")


if __name__ == "__main__":
    main()
