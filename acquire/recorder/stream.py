"""One stream as the recorder sees it: pulled, accounted for, handed on."""

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from acquire.lsl.inlet import Offset
from acquire.recorder.watch import (
    STALL_MIN_S,
    CounterWatch,
    FlowWatch,
    Gap,
    RateWatch,
    TriggerWatch,
)
from acquire.storage.stream_header import StreamHeader

SHOW_GAPS = 5
MAX_PULLS = 8  # per poll, so that one stream cannot keep the others waiting
MAX_UNCOUNTED = 1000  # chunks; more only when nobody counted for half a minute

Samples = NDArray[Any] | list[str]


class Source(Protocol):
    """What the recorder needs of an open inlet."""

    max_pull: int  #: most samples that one pull returns

    @property
    def spec(self) -> StreamHeader: ...
    @property
    def header_xml(self) -> str: ...
    def pull(self, timeout_s: float) -> tuple[Samples, NDArray[np.float64]]: ...
    def offset(self, timeout_s: float) -> Offset | None: ...
    def matches(self, predicate: str) -> bool: ...
    def recovered(self) -> bool:
        """Whether it found its stream again since this was last asked."""
        ...

    def close(self) -> None: ...


class Sink(Protocol):
    """Where samples go while recording; `put` never waits."""

    def put(
        self, stream: "StreamWorker", samples: Samples, stamps: NDArray[np.float64]
    ) -> None: ...


class StreamWorker:
    """Everything known of one joined stream.

    The poll thread calls `poll`, nobody else. It notes that samples came; what they
    say of losses and edges is worked out by `count`, a few times a second and at the
    end. Other threads read numbers, which may be that old. Nothing here waits.
    """

    def __init__(self, key: str, source: Source, now: Callable[[], float]) -> None:
        self.key = key  #: as `FoundStream.key`
        self.source = source
        self.header = source.spec
        self.header_xml = source.header_xml
        self.lost: str = ""  #: why no sample can come any more
        self.uid = self.header.uid
        self.t_recovered = -math.inf  #: when liblsl last found the stream again
        self.n_samples = 0  #: since joined
        self._matches: dict[str, bool] = {}
        self._now = now
        self._counter_column = self.header.counter_column
        self._trigger_column = self.header.trigger_column
        self.flow = FlowWatch(now())
        self.rate = RateWatch()
        self.counter = CounterWatch(self.header.counter, self.header.rate_hz)
        self.trigger = TriggerWatch()
        self.stalled = False
        self.t_joined = now()
        self.n_recorded = 0  #: handed to the sink since the recording began
        self.n_gaps_told = 0
        self.ended = False  #: whether losses belong to no recording any more
        self._uncounted: deque[tuple[NDArray[Any], NDArray[np.float64]]] = deque()
        self._counting = threading.Lock()

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def steady(self) -> bool:
        """Whether samples must keep coming: neither irregular nor gated."""
        return self.header.rate_hz > 0 and not self.header.gated

    def matches(self, predicate: str) -> bool:
        """Whether the stream's header satisfies an XPath predicate."""
        if predicate not in self._matches:
            self._matches[predicate] = self.source.matches(predicate)
        return self._matches[predicate]

    def poll(self, sink: Sink | None, now: float) -> bool:
        """Take what has arrived by `now`, account for it, hand it to `sink`.

        Return whether there may be more.
        """
        if self.lost:
            return False
        for _ in range(MAX_PULLS):
            try:
                samples, stamps = self.source.pull(0.0)
            except ConnectionError as error:
                self.lost = str(error)
                return False
            if not len(stamps):
                return False
            self._account(samples, stamps, now)
            if sink is not None:
                self.n_recorded += len(stamps)
                sink.put(self, samples, stamps)
            if len(stamps) < self.source.max_pull:
                return False
        return True

    def begin(self) -> None:
        """Forget counts of an earlier recording."""
        self.count()
        self.ended = False
        self.n_recorded = 0
        self.trigger.restart()
        self.flow.n_flows = 0
        watch = CounterWatch(self.header.counter, self.header.rate_hz)
        self.counter, self.n_gaps_told = watch, 0

    def end(self) -> None:
        """Have what comes from now on change no count of losses of the recording."""
        self.count()
        self.ended = True

    def continue_from(self, earlier: "StreamWorker") -> None:
        """Go on counting where an inlet of the same stream, since lost, left off.

        The header stays the earlier one, which is that of the file.
        """
        earlier.count()
        self.header, self.header_xml = earlier.header, earlier.header_xml
        self.n_recorded = earlier.n_recorded
        self.counter, self.trigger = earlier.counter, earlier.trigger
        self.n_gaps_told = earlier.n_gaps_told
        self.flow.n_flows = earlier.flow.n_flows

    def _account(
        self, samples: Samples, stamps: NDArray[np.float64], now: float
    ) -> None:
        age_s = self.flow.age_s(now)
        if age_s > STALL_MIN_S and age_s > self.flow.limit_s:
            self.rate.reset()
        self.flow.add(now)
        self.n_samples += len(stamps)
        self.rate.add(len(stamps), float(stamps[-1]))
        if not isinstance(samples, list):
            self._uncounted.append((samples, stamps))
        if len(self._uncounted) > MAX_UNCOUNTED:  # whoever counts is held up
            self.count()

    def count(self) -> None:
        """Bring losses and edges up to the last sample that was taken."""
        with self._counting:
            taken = [self._uncounted.popleft() for _ in range(len(self._uncounted))]
            if not taken:
                return
            parts, stamps = zip(*taken, strict=True)
            if self._counter_column is not None and not self.ended:
                values = np.concatenate([p[:, self._counter_column] for p in parts])
                self.counter.add(values, np.concatenate(stamps))
            if self._trigger_column is not None:
                level = [part[:, self._trigger_column] for part in parts]
                self.trigger.add(np.concatenate(level))

    def state(self, now: float) -> str:
        """Return flowing | stalled | waiting | lost."""
        if self.lost:
            return "lost"
        if not self.steady:
            recent = self.flow.age_s(now) <= self.flow.limit_s
            return "flowing" if self.n_samples and recent else "waiting"
        return "stalled" if self.flow.age_s(now) > self.flow.limit_s else "flowing"

    def snapshot(self) -> dict[str, Any]:
        """Return what the window shows of this stream, as JSON-able values."""
        now = self._now()
        rate_hz, _ = self.rate.estimate()
        header = self.header
        counted = self._counter_column is not None
        return {
            "name": self.name,
            "source_id": header.source_id,
            "uid": self.uid,
            "state": self.state(now),
            "nominal_hz": header.rate_hz,
            "rate_hz": None if math.isnan(rate_hz) else round(rate_hz, 3),
            "n_samples": self.n_recorded,
            "n_received": self.n_samples,
            "n_lost": self.counter.n_lost if counted else None,
            "n_gaps": self.counter.n_gaps,
            "gaps": [list(gap) for gap in list(self.counter.gaps)[-SHOW_GAPS:]],
            "n_duplicates": self.counter.n_duplicates,
            "n_restarts": self.counter.n_restarts,
            "counter": header.counter.source,
            "last_age_s": round(self.flow.age_s(now), 3) if self.n_samples else None,
            "trigger": self._trigger(),
            "simulated": header.simulated,
            "hostname": header.hostname,
            "problem": self.lost,
        }

    def new_gaps(self) -> list[Gap]:
        """Return the gaps found since this was last asked, as far as they are kept."""
        with self._counting:
            n_new = self.counter.n_gaps - self.n_gaps_told
            self.n_gaps_told = self.counter.n_gaps
            return list(self.counter.gaps)[-n_new:] if n_new > 0 else []

    def warnings(self) -> list[str]:
        """Return what a recording of this stream lacks so far, in words."""
        found = []
        if self.stalled:
            found.append(f"{self.name}: no sample any more")
        if self.counter.n_lost:
            found.append(f"{self.name}: {self.counter.n_lost} samples lost")
        if self.counter.n_restarts:
            found.append(f"{self.name}: its numbering restarted")
        return found

    def missing_edges(self) -> list[str]:
        """Return which edges of the trigger were not seen, in words."""
        trigger = self._trigger()
        if trigger is None:
            return []
        edges = {"rise": trigger["n_rises"], "fall": trigger["n_falls"]}
        unseen = [edge for edge, n in edges.items() if not n]
        return [f"{self.name}: no {edge} of the trigger" for edge in unseen]

    def _trigger(self) -> dict[str, Any] | None:
        if self.header.trigger is None:
            return None
        if self.header.gated:  # the start of flow is the rise
            return {
                "role": "gates",
                "high": self.state(self._now()) == "flowing",
                "n_rises": self.flow.n_flows,
                "n_falls": max(
                    0, self.flow.n_flows - (self.state(self._now()) == "flowing")
                ),
            }
        return {
            "role": "recorded",
            "high": self.trigger.high,
            "n_rises": self.trigger.n_rises,
            "n_falls": self.trigger.n_falls,
        }
