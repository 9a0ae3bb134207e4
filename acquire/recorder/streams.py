"""The streams of a selection: found, joined, polled, watched, until closed.

Two threads. `poll` takes samples from every inlet every 36 ms and hands them on; it
never waits for anything. `keep` does what may wait: it looks who is on the network,
opens inlets of streams that are wanted, asks for clock offsets, and notices stalls and
restarts. The list of workers is replaced, never changed; the one lock is taken once per
poll round, and by others only for the moment that exchanges the list or the sink.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from acquire.lsl.discovery import Discovery, FoundStream
from acquire.lsl.inlet import Inlet, Offset
from acquire.recorder.memory import return_free_memory
from acquire.recorder.selection import Selection, Sightings
from acquire.recorder.stream import Sink, Source, StreamWorker

log = logging.getLogger("kinemuse.recorder")

POLL_S = 0.036
WATCH_S = 0.1
TRIM_EVERY_S = 60.0
OPEN_TIMEOUT_S = 3.0
RETRY_AFTER_S = 2.0
INLET_BUFFER_S = 120.0
FORGET_AFTER_S = 2.0
SETTLE_S = 0.6  # all streams of a network are found within this of the first
TELL_GAPS_S = 0.5  # at most so often, however many there are
GAPS_PER_EVENT = 20
RECOVERY_S = 3.0  # the uid of an outlet that was found again is known by then

Report = Callable[[str, dict[str, Any]], None]


class RecordingSink(Sink, Protocol):
    """A `Sink` that can be full, and takes clock offsets too."""

    @property
    def has_room(self) -> bool: ...
    def write_soon(self) -> None: ...
    def put_offset(self, stream: StreamWorker, offset: Offset) -> None: ...


class Finder(Protocol):
    """What the recorder needs of `Discovery`."""

    def streams(self) -> list[FoundStream]: ...
    def close(self) -> None: ...


def open_inlet(found: FoundStream) -> Source:
    """Open an inlet for recording; waits for the outlet."""
    inlet = Inlet(found, INLET_BUFFER_S)
    inlet.open(OPEN_TIMEOUT_S)
    return inlet


class StreamSet:
    """Keeps every stream of a `Selection` joined, and tells what happens to them.

    `report` is called with the name of an event and its facts, on the keep thread.
    Without `threads` the caller runs `poll` and `keep` itself.
    """

    def __init__(
        self,
        selection: Selection,
        *,
        now: Callable[[], float],
        report: Report,
        find: Callable[[str], Finder] | None = None,
        open_source: Callable[[FoundStream], Source] = open_inlet,
        threads: bool = True,
    ) -> None:
        self.selection = selection
        self.workers: tuple[StreamWorker, ...] = ()
        self.found: list[FoundStream] = []
        self.refused: dict[str, str] = {}  #: key → why it could not be joined
        self._now, self._report, self._open = now, report, open_source
        find = find or (lambda query: Discovery(query, FORGET_AFTER_S))
        self._discovery = find(selection.query)
        self._sightings = Sightings()
        self._joining: dict[str, Future[StreamWorker]] = {}
        self._retry_at: dict[str, float] = {}
        self._offset_times: dict[str, float] = {}
        self._latest_offsets: dict[str, Offset] = {}
        self._t_gaps_told = now()
        self._foreign_told: set[str] = set()  #: uids
        self.duplicated: frozenset[str] = frozenset()  #: source ids published twice
        self._found_keys: frozenset[str] = frozenset()
        self._t_found = now()  #: when they last changed
        self._dropped: dict[str, StreamWorker] = {}  #: in this recording
        self._sink: RecordingSink | None = None
        self._stop = threading.Event()
        self._poll_now = threading.Lock()
        self.poll_times_s: deque[float] = deque(maxlen=400)
        self._openers = ThreadPoolExecutor(8, thread_name_prefix="open-inlet")
        self._threads = [
            threading.Thread(target=self._poll_loop, name="poll", daemon=True),
            threading.Thread(target=self._keep_loop, name="keep", daemon=True),
        ]
        for thread in self._threads if threads else ():
            thread.start()

    def record_into(self, sink: RecordingSink | None) -> None:
        """Hand samples to `sink` from the next poll on; None discards them again."""
        with self._poll_now:
            for worker in self.workers if sink is not None else ():
                worker.begin()
            self._sink = sink
            self._dropped.clear()
        self._count()
        self._tell_gaps(self._now())
        if sink is not None:
            for worker in self.workers:
                latest = self._latest_offsets.get(worker.key)
                if latest is not None:
                    sink.put_offset(worker, latest)

    def poll(self) -> None:
        """Take what the inlets hold right now; the poll thread does so all the time."""
        with self._poll_now:
            sink = self._sink
            if sink is not None and not sink.has_room:
                return  # the inlets hold the samples until the disk is back
            started = self._now()
            for worker in self.workers:
                try:
                    worker.poll(sink, started)
                except Exception as error:
                    _give_up(worker, error)
            self.poll_times_s.append(self._now() - started)
        if sink is not None:
            sink.write_soon()  # last, so that the writer does not wait for this thread

    def keep(self) -> None:
        """Look after the streams once; the keep thread does so all the time."""
        now = self._now()
        self.found = self._discovery.streams()
        self._note_found(now)
        self._sightings.update(self.found, now)
        self._drop_lost()
        self._start_joining(now)
        self._finish_joining(now)
        self._watch_restarts(now)
        self._watch_others()
        for worker in self.workers:
            self._watch_offset(worker)
        self._count()
        self.watch()

    def watch(self) -> None:
        """Notice stalls; part of `keep`, and done more often."""
        now = self._now()
        for worker in self.workers:
            self._watch_stall(worker, now)
        if now - self._t_gaps_told >= TELL_GAPS_S:
            self._tell_gaps(now)

    def _tell_gaps(self, now: float) -> None:
        """Report which samples are missing, by their own numbers."""
        self._t_gaps_told = now
        for worker in self.workers:
            gaps = worker.new_gaps()
            if gaps:
                told = [list(gap) for gap in gaps[-GAPS_PER_EVENT:]]
                n_missing = sum(gap.n for gap in gaps)
                more = {"n_gaps": len(gaps), "n_missing": n_missing}
                facts = self._facts(worker, **more, gaps=told)
                self._report("samples_missing", facts)

    def _count(self) -> None:
        for worker in self.workers:
            try:
                worker.count()
            except Exception as error:
                _give_up(worker, error)

    def unsettled(self) -> frozenset[str]:
        """Return the keys of streams that are found, but neither joined nor refused."""
        joined = {worker.key for worker in self.workers}
        return self._found_keys - joined - set(self.refused)

    def is_settled(self) -> bool:
        """Whether all found streams are joined, and no other came for a while."""
        quiet = self._now() - self._t_found >= SETTLE_S
        return bool(self._found_keys) and quiet and not self.unsettled()

    def _note_found(self, now: float) -> None:
        keys = frozenset(f.key for f in self.found if self.selection.joins(f))
        if keys != self._found_keys:
            self._found_keys, self._t_found = keys, now

    def duplicates(self) -> list[str]:
        return self._sightings.duplicates(self.found, self._now())

    def foreign(self) -> list[FoundStream]:
        return [found for found in self.found if self.selection.is_foreign(found)]

    def close(self) -> None:
        """Leave every stream; legal twice."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=OPEN_TIMEOUT_S)
        self._openers.shutdown(wait=True, cancel_futures=True)
        for future in self._joining.values():
            if not future.cancelled() and future.exception() is None:
                future.result().source.close()
        for worker in self.workers:
            worker.source.close()
        self.workers, self._joining = (), {}
        self._discovery.close()

    def _poll_loop(self) -> None:
        while not self._stop.is_set():
            time.sleep(POLL_S)  # cheaper than to wait for an event
            self.poll()

    def _keep_loop(self) -> None:
        turns = itertools.cycle((self.keep, self.watch, self.watch))
        trim_at = time.monotonic() + TRIM_EVERY_S
        while not self._stop.wait(WATCH_S):
            try:
                next(turns)()
                if time.monotonic() >= trim_at:
                    trim_at = time.monotonic() + TRIM_EVERY_S
                    return_free_memory()
            except Exception:  # the recording goes on; what failed is in the log
                log.exception("looking after the streams failed")

    def _drop_lost(self) -> None:
        """Forget streams that cannot recover, so that a new outlet can be joined."""
        lost = [worker for worker in self.workers if worker.lost]
        if not lost:
            return
        with self._poll_now:
            self.workers = tuple(w for w in self.workers if not w.lost)
        for worker in lost:
            worker.source.close()
            self._dropped[worker.key] = worker
            self._report("stream_lost", self._facts(worker, reason=worker.lost))

    def _start_joining(self, now: float) -> None:
        known = {worker.key for worker in self.workers} | set(self._joining)
        for found in self.found:
            if found.key in known or not self.selection.joins(found):
                continue
            if now < self._retry_at.get(found.key, 0.0):
                continue
            known.add(found.key)
            self._joining[found.key] = self._openers.submit(self._join, found)

    def _join(self, found: FoundStream) -> StreamWorker:
        return StreamWorker(found.key, self._open(found), self._now)

    def _finish_joining(self, now: float) -> None:
        for key in [key for key, future in self._joining.items() if future.done()]:
            future = self._joining.pop(key)
            error = future.exception()
            if error is not None:
                self._retry_at[key] = now + RETRY_AFTER_S
                if self.refused.get(key) != str(error):
                    self.refused[key] = str(error)
                    self._report("stream_refused", {"stream": key, "why": str(error)})
                continue
            self.refused.pop(key, None)
            worker = future.result()
            worker.source.offset(0.0)  # starts the measuring
            earlier = self._dropped.pop(key, None)
            if earlier is not None:
                worker.continue_from(earlier)
            self.workers = (*self.workers, worker)
            self._report("stream_joined", self._facts(worker, uid=worker.uid))

    def _watch_restarts(self, now: float) -> None:
        newest: dict[str, FoundStream] = {}
        for found in self.found:
            if found.created_at_s >= newest.get(found.key, found).created_at_s:
                newest[found.key] = found
        duplicates = self.duplicates()
        for worker in self.workers:
            if worker.source.recovered():
                worker.t_recovered = now
            seen = newest.get(worker.key)
            if seen is None or seen.uid == worker.uid or seen.source_id in duplicates:
                continue
            again = now - worker.t_recovered < RECOVERY_S
            interrupted = worker.stalled or again
            if any(f.uid == worker.uid for f in self.found) and not interrupted:
                continue  # the old outlet still answers: a second one, not a restart
            was, worker.uid = worker.uid, seen.uid
            self._report(
                "stream_restarted", self._facts(worker, uid=seen.uid, earlier_uid=was)
            )

    def _watch_others(self) -> None:
        """Tell once of each outlet that takes our streams' ids or names."""
        twice = frozenset(self.duplicates())
        for source_id in sorted(twice - self.duplicated):
            self._report("stream_duplicated", {"source_id": source_id})
        self.duplicated = twice
        joined = {worker.uid for worker in self.workers}
        for found in self.foreign():
            if found.uid not in self._foreign_told and found.uid not in joined:
                self._foreign_told.add(found.uid)
                where = {"source_id": found.source_id, "host": found.hostname}
                self._report("stream_foreign", {"stream": found.name, **where})

    def _watch_stall(self, worker: StreamWorker, now: float) -> None:
        if self._sink is not None and not self._sink.has_room:
            return  # nothing is pulled: the disk is slow, not the stream
        stalled = worker.state(now) == "stalled"
        if stalled and not worker.stalled:
            silent_s = round(worker.flow.age_s(now), 3)
            self._report("stream_stalled", self._facts(worker, silent_s=silent_s))
        elif worker.stalled and not stalled:
            self._report("stream_back", self._facts(worker))
        worker.stalled = stalled

    def _watch_offset(self, worker: StreamWorker) -> None:
        offset = worker.source.offset(0.0)
        if offset is None or offset.remote_time_s == self._offset_times.get(worker.key):
            return  # nothing new was measured
        self._offset_times[worker.key] = offset.remote_time_s
        self._latest_offsets[worker.key] = offset
        sink = self._sink
        if sink is not None:
            sink.put_offset(worker, offset)

    @staticmethod
    def _facts(worker: StreamWorker, **more: object) -> dict[str, Any]:
        return {
            "stream": worker.name,
            "source_id": worker.header.source_id,
            "n_lost": worker.counter.n_lost,
            **more,
        }


def _give_up(worker: StreamWorker, error: Exception) -> None:
    """Have a stream joined anew whose samples are not understood; the others go on."""
    log.error("taking samples of %s failed", worker.name, exc_info=error)
    worker.lost = f"{type(error).__name__}: {error}"
