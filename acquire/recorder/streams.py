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
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from acquire.lsl.discovery import FoundStream
from acquire.lsl.inlet import Offset
from acquire.recorder.joining import (
    OPEN_TIMEOUT_S,
    Finder,
    Joiner,
    Report,
    find_streams,
    open_inlet,
)
from acquire.recorder.memory import return_free_memory
from acquire.recorder.selection import Selection
from acquire.recorder.stream import Sink, Source, StreamWorker

log = logging.getLogger("kinemuse.recorder")

POLL_S = 0.036
WATCH_S = 0.1
TRIM_EVERY_S = 60.0
TELL_GAPS_S = 0.5  # at most so often, however many there are
GAPS_PER_EVENT = 20
RECOVERY_S = 3.0  # the uid of an outlet that was found again is known by then


class RecordingSink(Sink, Protocol):
    """A `Sink` that can be full, and takes clock offsets too."""

    @property
    def has_room(self) -> bool: ...
    def write_soon(self) -> None: ...
    def put_offset(self, stream: StreamWorker, offset: Offset) -> None: ...


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
        find: Callable[[str], Finder] = find_streams,
        open_source: Callable[[FoundStream], Source] = open_inlet,
        threads: bool = True,
    ) -> None:
        self.selection = selection
        self.workers: tuple[StreamWorker, ...] = ()
        self.joiner = Joiner(find(selection.query), open_source, now=now, report=report)
        self.duplicated: frozenset[str] = frozenset()  #: source ids published twice
        self.poll_times_s: deque[float] = deque(maxlen=400)
        self._now, self._report = now, report
        self._latest_offsets: dict[str, Offset] = {}  #: by key
        self._t_gaps_told = now()
        self._foreign_told: set[str] = set()  #: uids
        self._dropped: dict[str, StreamWorker] = {}  #: in this recording
        self._sink: RecordingSink | None = None
        self._held_up = False  #: by the disk, at the last poll
        self._stop = threading.Event()
        self._poll_now = threading.Lock()
        self._threads = [
            threading.Thread(target=self._poll_loop, name="poll", daemon=True),
            threading.Thread(target=self._keep_loop, name="keep", daemon=True),
        ]
        for thread in self._threads if threads else ():
            thread.start()

    def count_anew(self) -> None:
        """Forget what was counted in an earlier recording."""
        with self._poll_now:
            _each(self.workers, StreamWorker.begin)

    def record_into(self, sink: RecordingSink) -> None:
        """Hand samples to `sink` from the next poll on, counted from zero."""
        with self._poll_now:
            _each(self.workers, StreamWorker.begin)
            self._sink = sink
            self._dropped.clear()
            workers = self.workers
        for worker in workers:
            latest = self._latest_offsets.get(worker.key)
            if latest is not None:
                sink.put_offset(worker, latest)

    def drain(self, timeout_s: float) -> bool:
        """Take all that has arrived, whether the sink is full or not; False: not all.

        For the end of a recording: what lies in the inlets belongs to it.
        """
        deadline = self._now() + timeout_s
        while self._now() < deadline:
            with self._poll_now:
                if not self._poll_once(self._sink):
                    return True
        return False

    def release(self, sink: RecordingSink) -> None:
        """Hand nothing more to `sink`; what comes later changes no count of it."""
        with self._poll_now:
            if self._sink is not sink:
                return
            self._sink = None
            _each((*self.workers, *self._dropped.values()), StreamWorker.end)
            self._dropped.clear()
        self._tell_gaps(self._now())

    def poll(self) -> None:
        """Take what the inlets hold right now; the poll thread does so all the time."""
        with self._poll_now:
            sink = self._sink
            if sink is not None and not sink.has_room:
                self._held_up = True
                return  # the inlets hold the samples until the disk is back
            started = self._now()
            self._poll_once(sink)
            self._held_up = False  # only now is known which streams have stalled
            self.poll_times_s.append(self._now() - started)
        if sink is not None:
            sink.write_soon()  # last, so that the writer does not wait for this thread

    def keep(self) -> None:
        """Look after the streams once; the keep thread does so all the time."""
        now = self._now()
        self.joiner.look(self.selection)
        self._drop_lost()
        self.joiner.start(self.selection, self._keys())
        for worker in self.joiner.finished():
            self._join(worker)
        self._watch_restarts(now)
        self._watch_others()
        _each(self.workers, self._watch_offset)
        _each(self.workers, StreamWorker.count)
        self.watch()

    def watch(self) -> None:
        """Notice stalls; part of `keep`, and done more often."""
        now = self._now()
        for worker in self.workers:
            self._watch_stall(worker, now)
        if now - self._t_gaps_told >= TELL_GAPS_S:
            self._tell_gaps(now)

    def unsettled(self) -> frozenset[str]:
        """Return the keys of streams that are found, but neither joined nor refused."""
        return self.joiner.unsettled(self._keys())

    def is_settled(self) -> bool:
        """Whether all found streams are joined, and no other came for a while."""
        return self.joiner.is_settled(self._keys())

    def foreign(self) -> list[FoundStream]:
        """Return the streams that have the name of an expected one, but are others."""
        return [f for f in self.joiner.found if self.selection.is_foreign(f)]

    def close(self) -> None:
        """Leave every stream; legal twice."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=OPEN_TIMEOUT_S)
        self.joiner.close()
        for worker in self.workers:
            worker.source.close()
        self.workers = ()

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

    def _keys(self) -> set[str]:
        return {worker.key for worker in self.workers}

    def _poll_once(self, sink: RecordingSink | None) -> bool:
        """Poll every stream; return whether one may hold more. With the lock."""
        now, more = self._now(), False
        for worker in self.workers:
            try:
                more |= worker.poll(sink, now)
            except Exception as error:
                _give_up(worker, error)
        return more

    def _poll_loop(self) -> None:
        while not self._stop.is_set():
            time.sleep(POLL_S)  # cheaper than to wait for an event
            try:
                self.poll()
            except Exception:  # the recording goes on; what failed is in the log
                log.exception("taking samples failed")

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
            if self._sink is not None:
                self._dropped |= {worker.key: worker for worker in lost}
        for worker in lost:
            worker.source.close()
            self._report("stream_lost", self._facts(worker, reason=worker.lost))

    def _join(self, worker: StreamWorker) -> None:
        with self._poll_now:
            earlier = self._dropped.pop(worker.key, None)
            if earlier is not None:
                worker.continue_from(earlier)
            self.workers = (*self.workers, worker)
        self._report("stream_joined", self._facts(worker, uid=worker.uid))

    def _watch_restarts(self, now: float) -> None:
        newest: dict[str, FoundStream] = {}
        for found in self.joiner.found:
            if found.created_at_s >= newest.get(found.key, found).created_at_s:
                newest[found.key] = found
        duplicates = self.joiner.duplicates()
        for worker in self.workers:
            if worker.source.recovered():
                worker.t_recovered = now
            seen = newest.get(worker.key)
            if seen is None or seen.uid == worker.uid or seen.source_id in duplicates:
                continue
            again = now - worker.t_recovered < RECOVERY_S
            interrupted = worker.stalled or again
            still_there = any(f.uid == worker.uid for f in self.joiner.found)
            if still_there and not interrupted:
                continue  # the old outlet still answers: a second one, not a restart
            was, worker.uid = worker.uid, seen.uid
            self._report(
                "stream_restarted", self._facts(worker, uid=seen.uid, earlier_uid=was)
            )

    def _watch_others(self) -> None:
        """Tell once of each outlet that takes our streams' ids or names."""
        twice = frozenset(self.joiner.duplicates())
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
        if self._held_up:
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
        latest = self._latest_offsets.get(worker.key)
        if offset is None or (latest and offset.remote_time_s == latest.remote_time_s):
            return  # nothing new was measured
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


def _each(
    workers: Iterable[StreamWorker], act: Callable[[StreamWorker], object]
) -> None:
    """Do something to every stream; one that fails does not keep the others from it."""
    for worker in workers:
        try:
            act(worker)
        except Exception as error:
            _give_up(worker, error)


def _give_up(worker: StreamWorker, error: Exception) -> None:
    """Have a stream joined anew whose samples are not understood; the others go on."""
    log.error("%s cannot be followed", worker.name, exc_info=error)
    worker.lost = f"{type(error).__name__}: {error}"
