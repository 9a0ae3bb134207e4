"""Bounded live views of every stream, for the window and the quality monitor."""

import logging
import threading
from collections.abc import Callable, Mapping

from acquire.live.ring import Rows
from acquire.live.source import Candidate, Finder
from acquire.live.stream import LiveStream, StreamStats
from acquire.storage.stream_header import StreamHeader

logger = logging.getLogger("kinemuse.acquire.live")

SECONDS = 12.0  #: what the rings hold
LOOK_EVERY_S = 0.5
CLOSE_TIMEOUT_S = 5.0


class LiveStreams:
    """Follows streams by name as they appear, restart and vanish.

    Reading never waits for the network and never reaches back to a device: inlets
    have threads of their own, and a reader copies rows out of a bounded ring. A
    stream that comes back with other channels gets a new ring; `generation` tells a
    reader which one it looks at.
    """

    def __init__(
        self,
        finder: Finder,
        *,
        now: Callable[[], float],
        seconds: float = SECONDS,
        ignore: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        self._finder, self._now = finder, now
        self._seconds, self._ignore = seconds, ignore
        self._streams: dict[str, LiveStream] = {}
        self._generations: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._looking = threading.Thread(
            target=self._keep_looking, name="live-look", daemon=True
        )

    def start(self) -> "LiveStreams":
        """Begin to look for streams."""
        self._looking.start()
        return self

    def close(self) -> None:
        """Stop every thread, and close every inlet and the finder."""
        self._stopping.set()
        if self._looking.is_alive():
            self._looking.join(CLOSE_TIMEOUT_S)
        with self._lock:
            streams = list(self._streams.values())
            self._streams.clear()
        for stream in streams:
            stream.stop()
        self._finder.close()

    def names(self) -> tuple[str, ...]:
        """Streams seen so far, sorted."""
        with self._lock:
            return tuple(sorted(self._streams))

    def facts(self, name: str) -> StreamHeader | None:
        """Return what the stream's header says; None before it is seen."""
        stream = self._get(name)
        return stream.facts if stream else None

    def generation(self, name: str) -> int:
        """Return a number that changes when row numbers of a stream start again."""
        with self._lock:
            return self._generations.get(name, 0)

    def latest(self, name: str, seconds: float) -> Rows | None:
        """Copy the last `seconds` of a stream (irregular: that many rows)."""
        stream = self._get(name)
        if stream is None:
            return None
        return stream.rows(max(1, round(seconds * (stream.facts.rate_hz or 1.0))))

    def since(self, name: str, first: int) -> Rows | None:
        """Copy the rows from number `first` on that are still held."""
        stream = self._get(name)
        return stream.ring.since(first) if stream else None

    def texts(self, name: str, after: int = 0) -> list[tuple[int, float, str]]:
        """Return (number, stamp, text) of a text stream's samples after `after`."""
        stream = self._get(name)
        return (
            [text for text in list(stream.texts) if text[0] > after] if stream else []
        )

    def stats(self) -> Mapping[str, StreamStats]:
        """Return what is known of every stream now."""
        with self._lock:
            streams = list(self._streams.values())
        return {stream.facts.name: stream.stats() for stream in streams}

    def look(self) -> None:
        """Open what is new; go on with what has restarted."""
        candidates = self._newest()
        for name, candidate in candidates.items():
            current = self._get(name)
            if current and current.connected and current.uid == candidate.uid:
                continue
            try:
                self._adopt(candidate, current)
            except (OSError, RuntimeError, ValueError, LookupError) as error:
                logger.warning("%s cannot be opened yet: %s", name, error)

    def _adopt(self, candidate: Candidate, current: LiveStream | None) -> None:
        source = candidate.open()
        if current is not None and current.fits(source.facts):
            current.resume(source, candidate.uid)
            return
        stream = LiveStream(
            source, uid=candidate.uid, now=self._now, seconds=self._seconds
        )
        if current is not None:
            current.stop()
            stream.n_restarts = current.n_restarts + 1
        with self._lock:
            self._streams[candidate.name] = stream
            self._generations[candidate.name] = (
                self._generations.get(candidate.name, 0) + 1
            )
        stream.start()

    def _newest(self) -> dict[str, Candidate]:
        newest: dict[str, Candidate] = {}
        for candidate in self._finder.candidates():
            known = newest.get(candidate.name)
            if self._ignore(candidate.name):
                continue
            if known is None or candidate.created_at_s > known.created_at_s:
                newest[candidate.name] = candidate
        return newest

    def _get(self, name: str) -> LiveStream | None:
        with self._lock:
            return self._streams.get(name)

    def _keep_looking(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(LOOK_EVERY_S)
