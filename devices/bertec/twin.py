"""The treadmill, simulated: ``python -m devices.bertec.twin``."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.bertec.twin_mill import Mill, MillOptions
from devices.bertec.twin_panel import Front, PanelFront
from devices.bertec.twin_server import ServerFront
from devices.bertec.wire import Status
from devices.sim.clock import SimClock
from devices.sim.faults import FaultKind, active_faults
from devices.sim.twin_process import run, twin_config
from devices.sim.world import Lab

FRONTS: Mapping[str, Callable[[str, int, dict[str, Any]], Front]] = {
    "tcp": PanelFront,
    "zeromq": ServerFront,
}


class BertecTwin:
    """Streams status at 50 Hz to its client and obeys its valid commands.

    Faults: ``stall`` (no status for a while), ``burst`` (status held back, then all at
    once), ``disconnect``, ``estop``. Options: ``interface`` (tcp or zeromq),
    ``status_hz``, ``silent``, those of `MillOptions` and of the interface.
    """

    def __init__(self, lab: Lab, name: str, port: int | None = None) -> None:
        config = twin_config(lab, name, port)
        options = dict(config.options)
        self._rate_hz = float(options.pop("status_hz", 50.0))
        self._silent = bool(options.pop("silent", False))
        front = FRONTS[str(options.pop("interface", "tcp"))]
        self.front = front(config.host, config.port, options)
        self._lab, self._name = lab, name
        self._mill = Mill(lab, name, MillOptions.model_validate(options))
        self._noise = np.random.default_rng(lab.config.seed)
        self._clock = SimClock(
            config.clock,
            self._rate_hz,
            max(lab.world_now(), 0.0),
            seed=lab.config.seed,
        )
        self._next = 0
        self._held: list[Status] = []

    @property
    def port(self) -> int:
        return self.front.port

    @property
    def more_ports(self) -> Mapping[str, int]:
        return self.front.more_ports

    @property
    def n_bad_packets(self) -> int:
        return self.front.n_bad_packets

    def step(self, timeout_s: float) -> None:
        self.front.poll(min(timeout_s, 0.01), self._mill)
        self._mill.advance()
        self._report()

    def close(self) -> None:
        self.front.close()

    def _report(self) -> None:
        """Send the statuses that are due, each as the mill was at its own instant."""
        horizon_s = self._lab.horizon()
        disconnected = bool(self._active("disconnect", horizon_s))
        self.front.refuse(disconnected)
        while self._next < (due := self._clock.due(horizon_s)):
            t_s = self._clock.true_time(np.arange(self._next, due))
            self._next = due
            if self._silent or disconnected or self._active("stall", horizon_s):
                self._held.clear()
                continue
            self._held += self._statuses(t_s)
            if not self._active("burst", horizon_s):
                self.front.send(self._held)
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
