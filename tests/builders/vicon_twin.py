"""A Vicon twin on a thread of its own, with the lab in reach of the test."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from devices.sim.config import LabConfig
from devices.sim.lab import LocalLab
from devices.stream import Chunk, Notice, StreamSpec
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.twin import ViconTwin


def lab_config(
    *, faults: Sequence[str] = (), options: dict[str, Any] | None = None, **clock: float
) -> LabConfig:
    """A lab whose only twin is `vicon`; faults as ``drop:n=3,at=0.5``."""
    from devices.sim.faults import FaultSpec

    specs = [FaultSpec.parse(f"vicon:{text}").model_dump() for text in faults]
    twin = {"faults": specs, "options": options or {}, "clock": clock}
    return LabConfig.model_validate({"twins": {"vicon": twin}})


class RunningTwin:
    """Context manager: a twin over a `LocalLab`, on free ports."""

    def __init__(
        self, config: LabConfig | None = None, skip_s: float = 0.0, port: int = 0
    ) -> None:
        now = time.perf_counter
        self.lab = LocalLab(config or lab_config(), lambda: now() + skip_s)
        self.lab.epoch_host_s -= skip_s + 0.2  # world time begins at 0, not at -0.2
        self.twin = ViconTwin(self.lab, "vicon", port)
        self.failure: BaseException | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def port(self) -> int:
        return self.twin.server.port

    @property
    def capture_port(self) -> int:
        return self.twin.capture.port

    def adapter(self, **changes: Any) -> ViconAdapter:
        capture = {"host": "127.0.0.1", "port": self.capture_port}
        settings = {"port": self.port, "capture": capture, "back_end": "native"}
        config = ViconConfig.model_validate(settings | changes)
        return ViconAdapter("vicon", config, time.perf_counter)

    def __enter__(self) -> "RunningTwin":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5.0)
        self.twin.close()
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self.twin.step()
        except BaseException as error:
            self.failure = error


class Collected:
    """What an adapter published, by stream."""

    def __init__(self, specs: Sequence[StreamSpec]) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.chunks: list[Chunk] = []
        self.notices: list[Notice] = []
        self.changed: list[StreamSpec] = []

    def data(self, stream: str) -> np.ndarray:
        parts = [chunk.samples for chunk in self.chunks if chunk.stream == stream]
        width = len(self.specs[stream].channels)
        return np.concatenate(parts) if parts else np.empty((0, width), np.float32)

    def column(self, stream: str, label: str) -> np.ndarray:
        labels = [channel.label for channel in self.specs[stream].channels]
        return self.data(stream)[:, labels.index(label)]

    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices]


def collect(
    adapter: ViconAdapter,
    into: Collected,
    until: Callable[[Collected], bool],
    timeout_s: float = 30.0,
) -> Collected:
    """Read until the condition holds; fail when it does not in time."""
    deadline = time.perf_counter() + timeout_s
    while not until(into):
        assert time.perf_counter() < deadline, (into.codes(), len(into.chunks))
        into.chunks += adapter.read(0.05)
        into.changed += adapter.changed_specs()
        into.notices += adapter.notices()
    return into


def frames(n: int) -> Callable[[Collected], bool]:
    return lambda seen: len(seen.data("vicon-markers")) >= n
