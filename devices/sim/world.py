"""The simulated lab as seen from a twin.

World time is the host clock less the lab's epoch less `LAG_S`: the world lags the
host, so that what happens at host time h (a belt command, the trigger line) is known
to every twin before it renders that instant, and no two twins ever disagree.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from devices.sim.config import LabConfig
from devices.sim.faults import FaultSpec
from devices.sim.history import History

LAG_S = 0.2
#: what lies beyond the watermark less this may still change: a block of the body's
#: simulation, and the neighbours that forces are differences of
MARGIN_S = 0.085


class Lab(Protocol):
    """What a twin knows of the lab."""

    config: LabConfig
    history: History

    @property
    def alive(self) -> bool:
        """Whether the lab is still there; a twin ends when it is not."""
        ...

    def world_now(self) -> float:
        """Return world time: what is true at this moment."""
        ...

    def horizon(self) -> float:
        """Return the latest world time that may be rendered."""
        ...

    def append(self, kind: str, value: Mapping[str, Any]) -> float:
        """Do something to the lab; return the world time at which it takes effect."""
        ...

    def truth(self, record: Mapping[str, Any]) -> None:
        """Write down what is really true."""
        ...

    def faults(self, device: str) -> list[FaultSpec]:
        """Return a device's faults, from its configuration and injected since."""
        ...

    def close(self) -> None: ...


def all_faults(config: LabConfig, history: History, device: str) -> list[FaultSpec]:
    """Return the faults of a device, configured ones first."""
    twin = config.twins.get(device)
    return [*(twin.faults if twin else ()), *history.faults(device)]


class LocalLab:
    """A lab within one process, for tests: `now` is injected, truth is a list."""

    def __init__(
        self, config: LabConfig, now: Callable[[], float] = time.perf_counter
    ) -> None:
        self.config = config
        self.history = History()
        self.records: list[dict[str, Any]] = []
        self.epoch_host_s = now()
        self.alive = True
        self._now = now

    def world_now(self) -> float:
        return self._now() - self.epoch_host_s - LAG_S

    def horizon(self) -> float:
        return self.world_now()

    def append(self, kind: str, value: Mapping[str, Any]) -> float:
        t_s = self._now() - self.epoch_host_s
        self.history.append(t_s, kind, value)
        return t_s

    def truth(self, record: Mapping[str, Any]) -> None:
        self.records.append(dict(record))

    def faults(self, device: str) -> list[FaultSpec]:
        return all_faults(self.config, self.history, device)

    def close(self) -> None:
        self.alive = False
