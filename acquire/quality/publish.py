"""Publishes verdicts as the LSL stream `kinemuse-quality`: one column per metric."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from acquire.lsl import Outlet, local_clock
from acquire.quality.metric import RANK
from acquire.quality.monitor import StreamVerdict
from devices.stream import Channel, Chunk, StreamSpec

NAME = "kinemuse-quality"
RATE_HZ = 2.0
LEVEL = "level"  #: column per stream: 0 ok, 1 amber, 2 red


class Sink(Protocol):
    """What an outlet offers."""

    def push(self, chunk: Chunk) -> None: ...
    def close(self) -> None: ...


def columns_of(verdicts: Mapping[str, StreamVerdict]) -> dict[str, float]:
    """Flatten verdicts: ``<stream>/level`` and ``<stream>/<metric>[:<subject>]``."""
    found: dict[str, float] = {}
    for name, verdict in sorted(verdicts.items()):
        found[f"{name}/{LEVEL}"] = float(RANK[verdict.level])
        for key, value in sorted(verdict.values.items()):
            found[f"{name}/{key}"] = value
    return found


def quality_spec(labels: tuple[str, ...], generation: int) -> StreamSpec:
    """Describe the stream for one set of columns."""
    return StreamSpec(
        name=NAME,
        type="Quality",
        rate_hz=RATE_HZ,
        channels=tuple(Channel(label, "", "Quality") for label in labels),
        serial="monitor",
        generation=generation,
        metadata={"levels": {"ok": "0", "amber": "1", "red": "2"}},
    )


class QualityPublisher:
    """Call it with verdicts. A new set of columns closes the outlet for a new one.

    It waits until the same columns came twice, so that streams that appear one after
    another do not open an outlet each.
    """

    def __init__(self, *, simulated: bool) -> None:
        self._simulated = simulated
        self._outlet: Sink | None = None
        self._labels: tuple[str, ...] = ()
        self._coming: tuple[str, ...] = ()
        self.generation = -1

    def __call__(self, verdicts: Mapping[str, StreamVerdict]) -> None:
        columns = columns_of(verdicts)
        labels = tuple(columns)
        if labels and labels != self._labels and labels == self._coming:
            self._reopen(labels)
        self._coming = labels
        if self._outlet is not None and labels == self._labels:
            row = np.array([list(columns.values())], np.float32)
            self._outlet.push(Chunk(NAME, row, local_clock()))

    def close(self) -> None:
        """Take the stream off the network."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None

    def _reopen(self, labels: tuple[str, ...]) -> None:
        self.close()
        self.generation += 1
        self._labels = labels
        self._outlet = Outlet(
            quality_spec(labels, self.generation),
            device="quality",
            kind="quality",
            simulated=self._simulated,
        )
