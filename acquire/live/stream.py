"""One stream's live buffer, its counts, and the thread that fills it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.live.ring import Ring, Rows
from acquire.live.source import Source
from acquire.live.watch import LossCounter, RateMeter, TriggerWatch
from acquire.storage.stream_header import StreamHeader

logger = logging.getLogger("kinemuse.acquire.live")

PULL_TIMEOUT_S = 0.2
PAUSE_S = 0.02  #: between pulls: bounds the load, whatever the chunk size of a source
IRREGULAR_ROWS = 1024
OFFSET_EVERY_S = 2.0


@dataclass(frozen=True)
class StreamStats:
    """What is known of one stream now.

    `age_s` is the time since a sample last arrived, `latency_s` the time its stamp
    was behind the clock on arrival; both NaN before the first. `n_lost` counts by the
    counter channel; it is None where the stream has none.
    """

    name: str
    connected: bool
    nominal_hz: float
    rate_hz: float
    n_samples: int
    age_s: float
    latency_s: float
    n_lost: int | None
    n_doubled: int
    n_restarts: int
    counter_source: str
    trigger_high: bool | None
    n_rises: int
    n_falls: int
    offset_s: float
    rtt_s: float
    simulated: bool
    gated: bool
    is_text: bool = False


class LiveStream:
    """Fills a ring from a source on a thread of its own until `stop`."""

    def __init__(
        self,
        source: Source,
        *,
        uid: str,
        now: Callable[[], float],
        seconds: float,
    ) -> None:
        self.uid = uid
        self.facts: StreamHeader = source.facts
        self._source, self._now = source, now
        facts = self.facts
        self._is_text = facts.dtype == "string"
        rows = int(facts.rate_hz * seconds) if facts.rate_hz else IRREGULAR_ROWS
        self.ring = Ring(
            max(64, rows),
            0 if self._is_text else len(facts.channels),
            "float32" if self._is_text else facts.dtype,
        )
        self.texts: deque[tuple[int, float, str]] = deque(maxlen=512)
        self._texts_total = 0
        self._columns = facts.counter_column, facts.trigger_column
        self._losses = LossCounter(facts.counter.modulus)
        self._trigger = TriggerWatch(facts.trigger) if facts.trigger else None
        self._meter = RateMeter()
        self._arrived_s = self._latency_s = float("nan")
        self._offset_s = self._rtt_s = float("nan")
        self.n_restarts = 0
        self.connected = True
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin pulling."""
        self._stopping.clear()
        name = f"live-{self.facts.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop pulling and close the source; harmless when repeated."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PULL_TIMEOUT_S * 10)
            self._thread = None
        self._source.close()
        self.connected = False

    def resume(self, source: Source, uid: str) -> None:
        """Go on with another source of the same shape after a restart."""
        self.stop()
        self.facts, self._source, self.uid = source.facts, source, uid
        self._columns = self.facts.counter_column, self.facts.trigger_column
        self._losses.forget()
        self._meter.forget()
        self.n_restarts += 1
        self.connected = True
        self.start()

    def fits(self, facts: StreamHeader) -> bool:
        """Whether another source can go on in this ring."""
        mine = (self.facts.labels, self.facts.dtype, self.facts.rate_hz)
        return mine == (facts.labels, facts.dtype, facts.rate_hz)

    def poll(self, timeout_s: float) -> int:
        """Pull once; return the number of new rows."""
        samples, stamps = self._source.pull(timeout_s)
        if not len(stamps):
            return 0
        self._arrived_s = self._now()
        offset_s = self._offset_s if np.isfinite(self._offset_s) else 0.0
        self._latency_s = self._arrived_s - (float(stamps[-1]) + offset_s)
        if isinstance(samples, list):
            for stamp, text in zip(stamps, samples, strict=True):
                self._texts_total += 1
                self.texts.append((self._texts_total, float(stamp), text))
        else:
            self._take(samples, stamps)
        return len(stamps)

    def _take(self, samples: NDArray[Any], stamps: NDArray[np.float64]) -> None:
        counter, trigger = self._columns
        if counter is not None:
            self._losses.update(samples[:, counter])
        if self._trigger is not None and trigger is not None:
            self._trigger.update(samples[:, trigger])
        self.ring.append(samples, stamps)
        self._meter.update(float(stamps[-1]), self.ring.total)

    def _measure_offset(self) -> None:
        measured = self._source.offset()
        if measured is not None:
            self._offset_s, self._rtt_s = measured

    def rows(self, n: int, columns: Sequence[int] | None = None) -> Rows:
        """Copy the last `n` rows."""
        return self.ring.latest(n, columns)

    def stats(self) -> StreamStats:
        """Return what is known now."""
        facts, trigger = self.facts, self._trigger
        return StreamStats(
            name=facts.name,
            connected=self.connected,
            nominal_hz=facts.rate_hz,
            rate_hz=self._meter.rate_hz(),
            n_samples=self._texts_total if self._is_text else self.ring.total,
            age_s=self._now() - self._arrived_s,
            latency_s=self._latency_s,
            n_lost=None if self._columns[0] is None else self._losses.n_lost,
            n_doubled=self._losses.n_doubled,
            n_restarts=self.n_restarts,
            counter_source=facts.counter.source,
            trigger_high=trigger.level if trigger else None,
            n_rises=trigger.n_rises if trigger else 0,
            n_falls=trigger.n_falls if trigger else 0,
            offset_s=self._offset_s,
            rtt_s=self._rtt_s,
            simulated=facts.simulated,
            gated=facts.gated,
            is_text=self._is_text,
        )

    def _run(self) -> None:
        due_s = self._now()
        while not self._stopping.is_set():
            try:
                self.poll(PULL_TIMEOUT_S)
                if self._now() >= due_s:
                    due_s = self._now() + OFFSET_EVERY_S
                    self._measure_offset()
            except Exception:
                logger.exception("%s: live view lost its inlet", self.facts.name)
                self.connected = False  # `LiveStreams.look` opens it again
                return
            self._stopping.wait(PAUSE_S)
