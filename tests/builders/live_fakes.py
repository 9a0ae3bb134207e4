"""Streams for live views without a network: push rows and see what comes of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from acquire.live import LiveStreams
from acquire.live.source import Candidate
from acquire.storage.stream_description import header_xml
from acquire.storage.stream_header import StreamHeader, parse_header
from devices.stream import StreamSpec


def header(spec: StreamSpec, *, simulated: bool = True, uid: str = "u0"):
    return parse_header(
        header_xml(spec, device="fake", kind="fake", simulated=simulated, uid=uid)
    )


@dataclass
class FakeSource:
    """An inlet that gives what was pushed; `lose` makes the next pull raise."""

    facts: StreamHeader
    closed: bool = False
    lost: bool = False
    queue: list = field(default_factory=list)
    _arrived: threading.Event = field(default_factory=threading.Event)

    def push(self, samples, stamps) -> None:
        self.queue.append((samples, np.asarray(stamps, np.float64)))
        self._arrived.set()

    def push_rows(self, rows, *, t0: float = 0.0) -> None:
        """Push rows (n, c), stamped at the nominal rate from `t0` on."""
        rows = np.asarray(rows, self.facts.dtype)
        self.push(rows, t0 + np.arange(len(rows)) / (self.facts.rate_hz or 1.0))

    def lose(self) -> None:
        self.lost = True
        self._arrived.set()

    def pull(self, timeout_s: float):
        if not self.queue and not self.lost:
            self._arrived.wait(timeout_s)
        self._arrived.clear()
        if self.lost:
            raise ConnectionError("the stream is gone")
        if self.queue:
            return self.queue.pop(0)
        return np.zeros((0, len(self.facts.channels))), np.zeros(0)

    def offset(self):
        return 0.001, 0.0002

    def close(self) -> None:
        self.closed = True


class FakeFinder:
    """Announces fake streams; `announce` again under the same name restarts one."""

    def __init__(self) -> None:
        self.sources: dict[str, FakeSource] = {}
        self.found: list[Candidate] = []
        self.closed = False

    def announce(self, spec: StreamSpec, *, simulated: bool = True) -> FakeSource:
        uid = f"uid{len(self.found)}"
        source = FakeSource(header(spec, simulated=simulated, uid=uid))
        at_s = float(len(self.found))
        self.found.append(Candidate(spec.name, uid, at_s, lambda: source))
        self.sources[spec.name] = source
        return source

    def candidates(self):
        return list(self.found)

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeTime:
    """A clock that stands until it is moved."""

    t: float = 100.0

    def __call__(self) -> float:
        return self.t


def fake_live(
    *specs: StreamSpec, now: Callable[[], float] | None = None
) -> tuple[LiveStreams, FakeFinder]:
    """Live views over announced streams, opened but without the looking thread."""
    finder = FakeFinder()
    for spec in specs:
        finder.announce(spec)
    live = LiveStreams(finder, now=now or FakeTime())
    live.look()
    return live, finder


def until(what: Callable[[], object], timeout_s: float = 3.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + timeout_s
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {timeout_s:g} s")
        time.sleep(0.005)
