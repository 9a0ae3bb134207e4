"""The one thread that writes a recording; acquisition only fills its queue."""

import contextlib
import json
import logging
import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acquire.lsl.inlet import Offset
from acquire.recorder.recording_file import RecordingFile, next_path
from acquire.recorder.stream import Samples, StreamWorker
from acquire.storage.durable import Mark
from acquire.storage.xdf import XdfWriter

log = logging.getLogger("kinemuse.recorder")

WRITE_EVERY_S = 0.05
SYNC_EVERY_S = 0.5
BOUNDARY_EVERY_S = 10.0
WALL_CLOCK_EVERY_S = 60.0
QUEUE_BYTES = 256 << 20


class _Samples(NamedTuple):
    stream: StreamWorker
    samples: Samples
    stamps: NDArray[np.float64]


class _Offset(NamedTuple):
    stream: StreamWorker
    offset: Offset


class _Note(NamedTuple):
    t_s: float
    text: str


class _Header(NamedTuple):
    stream: StreamWorker


class WriterThread:
    """Writes a queue of samples, offsets and notes to an XDF file.

    Anything may be put from any thread; putting never waits. Written when asked to and
    at least every 50 ms, forced to the disk every 0.5 s by a thread of its own, so that
    writing does not wait for a slow disk. When the queue holds more than
    `QUEUE_BYTES`, `has_room` is False and acquisition leaves samples in the inlets.
    A file longer than `roll_bytes` is closed and another goes on, with no sample
    between them lost. An error of the disk ends the thread: `error` says which, and
    the file keeps what it has.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float],
        simulated: bool = False,
        on_failure: Callable[[str], None] = lambda _: None,
        roll_bytes: float = math.inf,
        make_writer: Callable[[Path], XdfWriter] = XdfWriter,
    ) -> None:
        self.path = path  #: of the first file
        self.error = ""
        self.sync_times_s: deque[float] = deque(maxlen=64)
        self._now, self._on_failure = now, on_failure
        self._roll_bytes = roll_bytes
        self._make_file = partial(
            RecordingFile, simulated=simulated, make_writer=make_writer
        )
        self._file = self._make_file(path, t_created_s=now())
        self.files = [self._file]  #: one, or more if rolling
        self._queue: deque[_Samples | _Offset | _Note | _Header] = deque()
        self._bytes_in = 0  # counted by whoever puts, mostly the poll thread
        self._bytes_out = 0  # counted by this thread
        self._closing = threading.Event()
        self._turns: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._t_sync = self._t_boundary = now()
        self._t_wall = -WALL_CLOCK_EVERY_S
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._syncing: Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name="write", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        return max(0, self._bytes_in - self._bytes_out)

    @property
    def has_room(self) -> bool:
        return self.queued_bytes < QUEUE_BYTES

    @property
    def size(self) -> int:
        """Bytes of all files so far."""
        return sum(file.xdf.size for file in self.files)

    def put(
        self, stream: StreamWorker, samples: Samples, stamps: NDArray[np.float64]
    ) -> None:
        self._bytes_in += _size(samples, stamps)
        self._queue.append(_Samples(stream, samples, stamps))

    def write_soon(self) -> None:
        """Have what was put written now rather than at the next turn."""
        if self._turns.empty():  # while the disk hangs, one is enough
            self._turns.put(None)

    def put_offset(self, stream: StreamWorker, offset: Offset) -> None:
        self._queue.append(_Offset(stream, offset))

    def put_header(self, stream: StreamWorker) -> None:
        """Have the stream in the file even if it never sends a sample."""
        self._queue.append(_Header(stream))

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Add an event of the recorder itself to the recording."""
        t_s = self._now()
        self._queue.append(
            _Note(t_s, json.dumps({"event": event, "t_lsl": t_s, **facts}))
        )

    def close(self, timeout_s: float) -> bool:
        """Write what is queued, then footers; False when the time was too short."""
        self._closing.set()
        self._turns.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                with contextlib.suppress(queue.Empty):
                    self._turns.get(timeout=WRITE_EVERY_S)
                self._step()
            self._write_queue()
            self._file.xdf.flush_to_file()
            self._syncer.shutdown()
            self._is_synced()
            self._file.xdf.close()
        except Exception as error:
            log.exception("writing %s failed", self.path)
            self.error = str(error) or type(error).__name__
            self._abandon()
            self._on_failure(self.error)

    def _step(self) -> None:
        now = self._now()
        if now - self._t_wall >= WALL_CLOCK_EVERY_S:
            self._t_wall = now
            self.note("wall_clock", {"wall": datetime.now(UTC).isoformat()})
        self._write_queue()
        if now - self._t_boundary >= BOUNDARY_EVERY_S:
            self._t_boundary = now
            self._file.xdf.write_boundary()
        if now - self._t_sync >= SYNC_EVERY_S and self._is_synced():
            self._t_sync = now
            if self._file.xdf.size > self._roll_bytes:
                self._roll()
            mark = self._file.xdf.begin_sync()
            self._syncing = self._syncer.submit(self._sync, self._file.xdf, mark)
        else:
            self._file.xdf.flush_to_file()

    def _roll(self) -> None:
        """Go on in another file; what is queued in memory goes there."""
        earlier, path = self._file, next_path(self.path)
        later = self._make_file(path, t_created_s=self._now())
        later.begin_like(earlier)
        for file, event, other in (
            (earlier, "continues_in", later),
            (later, "continued_from", earlier),
        ):
            t_s = self._now()
            facts = {"event": event, "t_lsl": t_s, "file": other.path.name}
            file.add_note(t_s, json.dumps(facts))
        self.files.append(later)
        self._file = later
        earlier.xdf.close()
        log.info("%s goes on in %s", earlier.path, path.name)

    def _is_synced(self) -> bool:
        """Whether no sync is under way; raise what the last one failed with."""
        if self._syncing is None:
            return True
        if not self._syncing.done():
            return False
        self._syncing.result()
        return True

    def _sync(self, xdf: XdfWriter, mark: Mark) -> None:
        began = self._now()
        xdf.finish_sync(mark)
        self.sync_times_s.append(self._now() - began)

    def _write_queue(self) -> None:
        for _ in range(len(self._queue)):
            self._write(self._queue.popleft())

    def _write(self, item: _Samples | _Offset | _Note | _Header) -> None:
        match item:
            case _Samples(stream, samples, stamps):
                self._file.add_samples(stream, samples, stamps)
                self._bytes_out += _size(samples, stamps)
            case _Offset(stream, offset):
                self._file.add_offset(stream, offset)
            case _Note(t_s, text):
                self._file.add_note(t_s, text)
            case _Header(stream):
                self._file.add_stream(stream)

    def _abandon(self) -> None:
        self._syncer.shutdown()  # it uses the file that is closed now
        for file in self.files:
            try:
                file.xdf.abandon()
            except Exception as error:  # what failed first is what is told
                log.warning("closing %s: %s", file.path, error)


def _size(samples: Samples, stamps: NDArray[np.float64]) -> int:
    if isinstance(samples, list):
        return sum(map(len, samples)) + stamps.nbytes
    return samples.nbytes + stamps.nbytes
