"""The one thread that writes a recording; acquisition only fills its queue."""

import contextlib
import json
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acquire.lsl.inlet import Offset
from acquire.recorder.stream import Samples, StreamWorker
from acquire.storage.durable import Mark
from acquire.storage.stream_description import header_xml
from acquire.storage.xdf import XdfWriter
from devices.stream import Channel, StreamSpec

log = logging.getLogger("kinemuse.recorder")

WRITE_EVERY_S = 0.05
SYNC_EVERY_S = 0.5
BOUNDARY_EVERY_S = 10.0
WALL_CLOCK_EVERY_S = 60.0
QUEUE_BYTES = 256 << 20

OFFSETS = StreamSpec(
    "kinemuse-offsets",
    "ClockOffsets",
    0.0,
    (
        Channel("stream_id"),
        Channel("local_time", "s"),
        Channel("offset", "s"),
        Channel("rtt", "s"),
    ),
    dtype="float64",
)
NOTES = StreamSpec(
    "kinemuse-recorder", "Markers", 0.0, (Channel("event", "", "JSON"),), dtype="string"
)


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


@dataclass
class WrittenStream:
    """What went into the file from one stream."""

    stream_id: int
    worker: StreamWorker
    n_samples: int = 0
    n_offsets: int = 0


class WriterThread:
    """Writes a queue of samples, offsets and notes to one XDF file.

    Anything may be put from any thread; putting never waits. Written when asked to and
    at least every 50 ms, forced to the disk every 0.5 s by a thread of its own, so that
    writing does not wait for a slow disk. When the queue holds more
    than `QUEUE_BYTES`, `has_room` is False and acquisition leaves samples in the
    inlets. An error of the disk ends the thread: `error` says which, and the file
    keeps what it has.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float],
        simulated: bool = False,
        on_failure: Callable[[str], None] = lambda _: None,
        make_writer: Callable[[Path], XdfWriter] = XdfWriter,
    ) -> None:
        self.path = path
        self.error = ""
        self.written: dict[str, WrittenStream] = {}
        self.sync_times_s: deque[float] = deque(maxlen=64)
        self._now, self._on_failure = now, on_failure
        self._writer = make_writer(path)
        own = {"device": "recorder", "kind": "recorder", "simulated": simulated}
        self._offsets_id = self._add_own(OFFSETS, own)
        self._notes_id = self._add_own(NOTES, own)
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
        """Bytes of the file so far."""
        return int(self._writer.size)

    def put(
        self, stream: StreamWorker, samples: Samples, stamps: NDArray[np.float64]
    ) -> None:
        self._bytes_in += _size(samples, stamps)
        self._queue.append(_Samples(stream, samples, stamps))

    def write_soon(self) -> None:
        """Have what was put written now rather than at the next turn."""
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
            self._writer.flush_to_file()
            self._syncer.shutdown()
            self._is_synced()
            self._writer.close()
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
            self._writer.write_boundary()
        if now - self._t_sync >= SYNC_EVERY_S and self._is_synced():
            self._t_sync = now
            self._syncing = self._syncer.submit(self._sync, self._writer.begin_sync())
        else:
            self._writer.flush_to_file()

    def _is_synced(self) -> bool:
        """Whether no sync is under way; raise what the last one failed with."""
        if self._syncing is None:
            return True
        if not self._syncing.done():
            return False
        self._syncing.result()
        return True

    def _sync(self, mark: Mark) -> None:
        began = self._now()
        self._writer.finish_sync(mark)
        self.sync_times_s.append(self._now() - began)

    def _write_queue(self) -> None:
        for _ in range(len(self._queue)):
            self._write(self._queue.popleft())

    def _write(self, item: _Samples | _Offset | _Note | _Header) -> None:
        match item:
            case _Samples(stream, samples, stamps):
                written = self._written(stream)
                rows = _rows(samples, len(stream.header.channels))
                self._writer.write_samples(written.stream_id, rows, stamps)
                written.n_samples += len(stamps)
                self._bytes_out += _size(samples, stamps)
            case _Offset(stream, offset):
                self._write_offset(self._written(stream), offset)
            case _Note(t_s, text):
                self._writer.write_samples(self._notes_id, [text], [t_s])
            case _Header(stream):
                self._written(stream)

    def _write_offset(self, written: WrittenStream, offset: Offset) -> None:
        local_time_s = offset.remote_time_s + offset.offset_s
        self._writer.write_offset(
            written.stream_id, offset.remote_time_s, offset.offset_s
        )
        row = [written.stream_id, local_time_s, offset.offset_s, offset.rtt_s]
        self._writer.write_samples(
            self._offsets_id, np.array([row], dtype=np.float64), [local_time_s]
        )
        written.n_offsets += 1

    def _written(self, stream: StreamWorker) -> WrittenStream:
        if stream.key not in self.written:
            header = stream.header
            stream_id = self._writer.add_stream(
                stream.header_xml, header.dtype, len(header.channels), header.rate_hz
            )
            self.written[stream.key] = WrittenStream(stream_id, stream)
        self.written[stream.key].worker = stream  # another inlet may have taken over
        return self.written[stream.key]

    def _add_own(self, spec: StreamSpec, own: Mapping[str, Any]) -> int:
        xml = header_xml(spec, **own, created_at_s=self._now())
        return int(
            self._writer.add_stream(xml, spec.dtype, len(spec.channels), spec.rate_hz)
        )

    def _abandon(self) -> None:
        self._syncer.shutdown()  # it uses the file that is closed now
        try:
            self._writer.abandon()
        except OSError as error:
            log.warning("closing %s: %s", self.path, error)


def _rows(samples: Samples, n_channels: int) -> Any:  # noqa: ANN401 (as XdfWriter)
    if not isinstance(samples, list) or n_channels == 1:
        return samples
    return [samples[k : k + n_channels] for k in range(0, len(samples), n_channels)]


def _size(samples: Samples, stamps: NDArray[np.float64]) -> int:
    if isinstance(samples, list):
        return sum(map(len, samples)) + stamps.nbytes
    return samples.nbytes + stamps.nbytes
