"""Stand-ins for the network: a clock, sources and outlets that tests move by hand."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from acquire.lsl.discovery import FoundStream
from acquire.lsl.errors import StreamLostError
from acquire.lsl.inlet import Offset
from acquire.recorder.selection import Selection
from acquire.recorder.streams import StreamSet
from acquire.storage.stream_description import header_xml, source_id
from acquire.storage.stream_header import parse_header
from devices.stream import StreamSpec


class FakeTime:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.t = 100.0

    def __call__(self) -> float:
        return self.t


class FakeSource:
    """An open inlet; `send` fills it."""

    max_pull = 1  # so that whoever pulls asks again

    def __init__(self, spec: StreamSpec, uid: str = "uid-1") -> None:
        self.header_xml = header_xml(
            spec, device="dev", kind="test", simulated=True, uid=uid, hostname="lab"
        )
        self.spec = parse_header(self.header_xml)
        self.next_offset: Offset | None = None
        self.lost = False
        self.closed = False
        self.found_again = False
        self.counter = 0
        self._waiting: deque[tuple[Any, np.ndarray]] = deque()

    def send(self, n: int, t_last: float) -> None:
        values = np.zeros((n, len(self.spec.channels)), self.spec.dtype)
        values[:, 0] = np.arange(self.counter, self.counter + n)
        self.counter += n
        period_s = 1.0 / self.spec.rate_hz if self.spec.rate_hz else 0.0
        stamps = t_last - period_s * np.arange(n)[::-1]
        self._waiting.append((values, stamps))

    def pull(self, timeout_s: float) -> tuple[Any, np.ndarray]:
        assert timeout_s == 0.0
        if self.lost:
            raise StreamLostError(f"{self.spec.name} is gone")
        if not self._waiting:
            return np.zeros((0, 1)), np.zeros(0)
        return self._waiting.popleft()

    def offset(self, timeout_s: float) -> Offset | None:
        assert timeout_s == 0.0
        return self.next_offset

    def matches(self, predicate: str) -> bool:
        return predicate in self.header_xml

    def recovered(self) -> bool:
        said, self.found_again = self.found_again, False
        return said

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeNetwork:
    """Which outlets there are."""

    outlets: dict[str, tuple[FoundStream, FakeSource | Exception]] = field(
        default_factory=dict
    )

    def add(self, spec: StreamSpec, uid: str = "uid-1", **more: object) -> FakeSource:
        source = FakeSource(spec, uid)
        found = FoundStream(
            spec.name,
            spec.type,
            len(spec.channels),
            spec.rate_hz,
            spec.dtype,
            source_id(spec, "dev"),
            uid,
            float(len(self.outlets)),
            "lab",
            "test",
        )
        self.outlets[uid] = (replace(found, **more), source)
        return source

    def streams(self) -> list[FoundStream]:
        return [found for found, _ in self.outlets.values()]

    def close(self) -> None: ...

    def open(self, found: FoundStream) -> FakeSource:
        source = self.outlets[found.uid][1]
        if isinstance(source, Exception):
            raise source
        return source


class Bench:
    """A `StreamSet` over a `FakeNetwork`, stepped by hand."""

    def __init__(self, selection: Selection) -> None:
        self.now = FakeTime()
        self.network = FakeNetwork()
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.streams = StreamSet(
            selection,
            now=self.now,
            report=lambda event, facts: self.events.append((event, facts)),
            find=lambda _: self.network,
            open_source=self.network.open,
            threads=False,
        )

    def step(self, seconds: float = 0.025, **sources: FakeSource) -> None:
        """Let time pass, with samples of `sources` arriving, then poll and keep."""
        end = self.now.t + seconds
        while self.now.t < end - 1e-9:
            self.now.t += 0.025
            for source in sources.values():
                source.send(max(1, round(0.025 * source.spec.rate_hz)), self.now.t)
            self.streams.poll()
        self.keep()

    def keep(self) -> None:
        """Keep, wait for opened inlets, keep again."""
        self.streams.keep()
        for future in list(self.streams.joiner.pending.values()):
            future.exception(timeout=2.0)
        self.streams.keep()

    def source_ids(self) -> list[str]:
        """Source ids of the joined streams, as announced."""
        keys = [worker.key for worker in self.streams.workers]
        found = {stream.key: stream for stream in self.network.streams()}
        return [found[key].source_id for key in keys if key in found]

    def names(self) -> list[str]:
        return [event for event, _ in self.events]
