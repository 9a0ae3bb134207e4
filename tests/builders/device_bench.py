"""A lab with one twin and the real adapter before it, stepped by a test."""

from time import perf_counter
from typing import Any

import numpy as np

from devices.adapter import DeviceAdapter
from devices.sim.faults import FaultSpec
from devices.sim.lab import LocalLab
from devices.stream import Chunk, Notice
from devices.testing import check_chunk

PATIENCE_S = 8.0  #: for the first chunk, on a busy machine


class DeviceBench:
    """Connects, reads and spoils what a device sends, and keeps what came of it."""

    def __init__(
        self, name: str, lab: LocalLab, adapter: DeviceAdapter, read_s: float = 0.05
    ) -> None:
        self.name, self.lab, self.adapter = name, lab, adapter
        self.chunks: list[Chunk] = []
        self.notices: list[Notice] = []
        self.patience_s = PATIENCE_S
        self._read_s = read_s

    def connect(self, timeout_s: float = 2.0) -> Any:
        """Connect and start; return the bench."""
        (self.spec,) = self.adapter.connect(timeout_s)
        self.adapter.start()
        return self

    def inject(self, text: str) -> None:
        """Make a fault happen, as of now."""
        fault = FaultSpec.parse(f"{self.name}:{text}").to_mapping()
        del fault["at"]
        self.lab.append("fault", fault)

    def pump(self, seconds: float) -> None:
        """Read for a while, and until there is something if that takes longer."""
        end_s = perf_counter() + seconds
        while perf_counter() < end_s + (0 if self.chunks else self.patience_s):
            for chunk in self.adapter.read(self._read_s):
                check_chunk(self.spec, chunk)
                self.chunks.append(chunk)
            self.notices += self.adapter.notices()

    @property
    def rows(self) -> np.ndarray:
        """All samples so far, one below the other."""
        return np.concatenate([chunk.samples for chunk in self.chunks])

    def truth(self, kind: str) -> list[dict[str, Any]]:
        """Return what the twin says was really so."""
        return [record for record in self.lab.records if record["kind"] == kind]

    def codes(self) -> list[str]:
        """Return what the adapter noticed."""
        return [notice.code for notice in self.notices]
