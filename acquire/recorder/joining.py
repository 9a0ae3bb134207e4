"""From who is on the network to open inlets: found, opened, tried again."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from acquire.lsl.discovery import Discovery, FoundStream
from acquire.lsl.inlet import Inlet
from acquire.recorder.selection import Selection, Sightings
from acquire.recorder.stream import Source, StreamWorker

OPEN_TIMEOUT_S = 3.0
RETRY_AFTER_S = 2.0
INLET_BUFFER_S = 120.0
FORGET_AFTER_S = 2.0
SETTLE_S = 0.6  # all streams of a network are found within this of the first
OPENERS = 8

Report = Callable[[str, dict[str, Any]], None]


class Finder(Protocol):
    """What the recorder needs of `Discovery`."""

    def streams(self) -> list[FoundStream]: ...
    def close(self) -> None: ...


def find_streams(query: str) -> Finder:
    """Begin to look for streams that match an XPath predicate."""
    return Discovery(query, FORGET_AFTER_S)


def open_inlet(found: FoundStream) -> Source:
    """Open an inlet for recording; waits for the outlet."""
    inlet = Inlet(found, INLET_BUFFER_S)
    inlet.open(OPEN_TIMEOUT_S)
    return inlet


class Joiner:
    """Opens an inlet for every stream that a `Selection` wants, and is not joined yet.

    One thread makes the calls; `found` and `refused` may be read by any. Opening waits,
    so it has threads of its own.
    """

    def __init__(
        self,
        finder: Finder,
        open_source: Callable[[FoundStream], Source],
        *,
        now: Callable[[], float],
        report: Report,
    ) -> None:
        self.found: list[FoundStream] = []
        self.refused: dict[str, str] = {}  #: key → why it could not be joined
        self.pending: dict[str, Future[StreamWorker]] = {}
        self._finder, self._open = finder, open_source
        self._now, self._report = now, report
        self._sightings = Sightings()
        self._retry_at: dict[str, float] = {}
        self._wanted: frozenset[str] = frozenset()  #: keys
        self._t_wanted = now()  #: when they last changed
        self._openers = ThreadPoolExecutor(OPENERS, thread_name_prefix="open-inlet")

    def look(self, selection: Selection) -> None:
        """See who is on the network."""
        now = self._now()
        self.found = self._finder.streams()
        wanted = frozenset(f.key for f in self.found if selection.joins(f))
        if wanted != self._wanted:
            self._wanted, self._t_wanted = wanted, now
        self._sightings.update(self.found, now)

    def start(self, selection: Selection, joined: Collection[str]) -> None:
        """Begin to open what is wanted and not among the keys `joined`."""
        now = self._now()
        known = {*joined, *self.pending}
        for found in self.found:
            if found.key in known or not selection.joins(found):
                continue
            if now < self._retry_at.get(found.key, 0.0):
                continue
            known.add(found.key)
            self.pending[found.key] = self._openers.submit(self._join, found)

    def finished(self) -> Iterator[StreamWorker]:
        """Yield what has been opened; tell of what could not be."""
        for key in [key for key, future in self.pending.items() if future.done()]:
            future = self.pending.pop(key)
            error = future.exception()
            if error is None:
                self.refused.pop(key, None)
                yield future.result()
                continue
            self._retry_at[key] = self._now() + RETRY_AFTER_S
            if self.refused.get(key) != str(error):
                self.refused[key] = str(error)
                self._report("stream_refused", {"stream": key, "why": str(error)})

    def unsettled(self, joined: Collection[str]) -> frozenset[str]:
        """Return the keys of streams that are found, but neither joined nor refused."""
        return self._wanted - set(joined) - set(self.refused)

    def is_settled(self, joined: Collection[str]) -> bool:
        """Whether all found streams are joined, and no other came for a while."""
        quiet = self._now() - self._t_wanted >= SETTLE_S
        return bool(self._wanted) and quiet and not self.unsettled(joined)

    def duplicates(self) -> list[str]:
        """Return source ids that two living outlets of one stream have at once."""
        return self._sightings.duplicates(self.found, self._now())

    def close(self) -> None:
        """Open no more, and leave what was opened meanwhile; legal twice."""
        self._openers.shutdown(wait=True, cancel_futures=True)
        for future in self.pending.values():
            if not future.cancelled() and future.exception() is None:
                future.result().source.close()
        self.pending = {}
        self._finder.close()

    def _join(self, found: FoundStream) -> StreamWorker:
        return StreamWorker(found.key, self._open(found), self._now)
