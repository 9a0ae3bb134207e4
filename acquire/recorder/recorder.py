"""Record streams into one XDF file, and know at any moment how well.

One thread polls every inlet, one looks after the streams, one writes: acquisition never
waits for the disk, for discovery or for a clock offset. Polling was chosen over a
thread per inlet by measurement (decision record 0010).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acquire import lsl
from acquire.recorder.checks import not_ready
from acquire.recorder.disk_guard import DiskGuard
from acquire.recorder.event_log import EventLog
from acquire.recorder.selection import Selection
from acquire.recorder.shortcomings import (
    missing_streams,
    stream_troubles,
    unseen_edges,
)
from acquire.recorder.states import (
    RecorderState,
    RecorderStateError,
    RecordingRefusedError,
)
from acquire.recorder.streams import StreamSet
from acquire.recorder.verification import verify
from acquire.recorder.writer import WriterThread
from acquire.storage.disk import bytes_per_s

log = logging.getLogger("kinemuse.recorder")

ARM_TIMEOUT_S = 10.0
START_TIMEOUT_S = 5.0
DRAIN_S = 0.15  # what was sent before the stop has arrived by then
DRAIN_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 10.0
WAIT_STEP_S = 0.05


class Recorder:
    """LSL streams into an XDF file. All methods may be called from any thread.

    `archived` says that an archive is made of each recording, which needs room
    beside it.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = lsl.local_clock,
        archived: bool = True,
        make_disk_guard: Callable[..., DiskGuard] = DiskGuard,
        make_streams: Callable[..., StreamSet] = StreamSet,
        make_writer: Callable[..., WriterThread] = WriterThread,
    ) -> None:
        self.state = RecorderState.IDLE
        self.reasons: tuple[str, ...] = ()
        self.out: Path | None = None
        self._events = EventLog(now)
        self.listeners = self._events.listeners  #: each hears every event
        self._now = now
        self._make_streams, self._make_writer = make_streams, make_writer
        self._make_disk_guard, self._archived = make_disk_guard, archived
        self._disk: DiskGuard | None = None
        self._streams: StreamSet | None = None
        self._writer: WriterThread | None = None
        self._troubles: list[str] = []  #: of the streams when a recording ended
        self._unseen: list[str] = []  #: edges of the trigger, likewise
        self._t_start = self._t_stop = 0.0
        self.excluded: frozenset[str] = frozenset()  #: source ids never joined
        self._verbs = threading.RLock()  # one verb at a time; snapshots do not take it
        self._ending = threading.Lock()  # a stop and a failure of the disk may meet

    def arm(
        self,
        out: Path,
        required: Sequence[str] = (),
        *,
        optional: Sequence[str] = (),
        expected: Mapping[str, str] | None = None,
        predicate: str = "",
        needed: Sequence[str] = (),
        host: str = "",
        timeout_s: float = ARM_TIMEOUT_S,
    ) -> list[str]:
        """Join the streams and wait until all is ready; return what is not.

        Parameters
        ----------
        out
            File to write at `start`; it must not exist.
        required, optional
            Names of streams; without a required one a recording does not start.
        expected
            Source id that a stream of that name must have.
        predicate
            XPath predicate: join whatever matches.
        needed
            XPath predicates, each of which one of these streams must satisfy.
        host
            Computer that the streams in `expected` must come from; empty: any.
        """
        with self._verbs:
            if self.state.has_open_file:
                raise RecorderStateError(f"cannot arm while {self.state}")
            selection = Selection(
                tuple(required),
                tuple(optional),
                dict(expected or {}),
                predicate,
                tuple(needed),
                host,
                self.excluded,
            )
            if self._streams is None or self._streams.selection != selection:
                self._close_streams()
                self._streams = self._make_streams(
                    selection, now=self._now, report=self._report
                )
            else:
                self._streams.count_anew()
            self._watch_disk(out.parent)
            self.out, self.reasons, self.state = out, (), RecorderState.ARMED
            return self._wait_ready(timeout_s)

    def start(
        self, override_reason: str = "", timeout_s: float = START_TIMEOUT_S
    ) -> None:
        """Open the file and write from now on.

        Raises
        ------
        RecordingRefusedError
            Something speaks against it, and `override_reason` is empty. A file that
            exists or cannot be written is never overridden.
        """
        with self._verbs:
            if self.state is not RecorderState.ARMED or self._streams is None:
                raise RecorderStateError(f"cannot start while {self.state}; arm first")
            out = self._armed_out()
            reasons = self._wait_ready(0.0 if override_reason.strip() else timeout_s)
            if reasons and not override_reason.strip():
                self.reasons = tuple(reasons)
                raise RecordingRefusedError(reasons)
            if out.exists():
                raise RecordingRefusedError([f"{out} exists already"])
            self._open(out, reasons, override_reason.strip())

    def stop(self) -> list[str]:
        """Drain, close, verify; return what is wrong with the file."""
        with self._verbs:
            with self._ending:
                if self.state is RecorderState.FAILED or self._stopped_by_disk():
                    return list(self.reasons)
                if self.state is not RecorderState.RECORDING:
                    raise RecorderStateError(f"cannot stop while {self.state}")
                streams, writer = self._running()
                self.state = RecorderState.STOPPING
            self._report("stop", {})
            time.sleep(DRAIN_S)
            if not streams.drain(DRAIN_TIMEOUT_S):
                self._report("not_drained", {"seconds": DRAIN_TIMEOUT_S})
            self._release(streams, writer)
            self._finish(writer)
            return list(self.reasons)

    def disarm(self) -> None:
        """Leave all streams; legal in any state but recording."""
        with self._verbs:
            if self.state is RecorderState.RECORDING:
                raise RecorderStateError("cannot disarm while recording; stop first")
            self._close_streams()
            if self.state is RecorderState.ARMED:
                self.state = RecorderState.IDLE

    def close(self) -> None:
        """Stop if need be, and leave all streams; legal twice."""
        with self._verbs:
            if self.state is RecorderState.RECORDING:
                self.stop()
            self._close_streams()

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Store an event in the recording, if there is one, and in the snapshot."""
        self._report(event, dict(facts))

    def snapshot(self) -> dict[str, Any]:
        """Return all that is known now, as JSON-able values; never waits."""
        streams, writer = self._streams, self._writer
        workers = streams.workers if streams else ()
        recording = self.state is RecorderState.RECORDING
        t_end = self._now() if recording else self._t_stop
        return {
            "state": str(self.state),
            "out": str(self.out) if self.out else None,
            "t_lsl": self._now(),
            "elapsed_s": round(max(0.0, t_end - self._t_start), 3),
            "bytes": writer.size if writer else 0,
            "queued_bytes": writer.queued_bytes if writer else 0,
            "sync_ms_max": _most_ms(writer.sync_times_s) if writer else 0.0,
            "poll_ms_max": _most_ms(streams.poll_times_s) if streams else 0.0,
            "streams": [worker.snapshot() for worker in workers],
            "missing": missing_streams(streams) if streams else [],
            "problems": list(self.reasons) or self._trouble(),
            "disk_free_bytes": self._disk.state.free_bytes if self._disk else None,
            "disk_minutes_left": self._disk.state.minutes_left if self._disk else None,
            "n_events": self._events.n,
            "events": self._events.latest(),
            "library": lsl.library_info(),
        }

    def not_ready(self) -> list[str]:
        """Return what speaks against starting now."""
        if self._streams is None or self.out is None:
            return ["not armed"]
        return not_ready(self._streams, self.out, self._now(), archived=self._archived)

    def warnings(self) -> list[str]:
        """Return what the recording lacks although its file is in order.

        Losses, stalls and trigger edges that a stream did not see; the latter only if
        any stream saw one. Once a recording is over, what comes later changes nothing.
        """
        if self.state.is_over or self._streams is None:
            return self._trouble() + self._unseen
        return self._trouble() + unseen_edges(self._streams)

    def settle(self, timeout_s: float) -> list[str]:
        """Wait until all streams that are found are joined; name those that are not."""
        deadline = time.monotonic() + timeout_s
        while True:
            streams = self._streams
            if streams is None:
                return []
            if streams.is_settled() or time.monotonic() >= deadline:
                late, refused = streams.unsettled(), dict(streams.joiner.refused)
                found = {one.key: one.describe() for one in streams.joiner.found}
                why = {key: refused.get(key, "no answer") for key in (*late, *refused)}
                return [f"{found.get(key, key)}: {why[key]}" for key in sorted(why)]
            time.sleep(WAIT_STEP_S)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the recording that runs or ran last, in order."""
        writer = self._writer
        return tuple(file.path for file in writer.files) if writer else ()

    def _trouble(self) -> list[str]:
        if self.state.is_over:
            return list(self._troubles)
        if not self.state.has_open_file or self._streams is None:
            return []
        disk = self._disk.problems() if self._disk else []
        return disk + stream_troubles(self._streams)

    def _wait_ready(self, timeout_s: float) -> list[str]:
        deadline = time.monotonic() + timeout_s
        while True:
            reasons = self.not_ready()
            if not reasons or time.monotonic() >= deadline:
                return reasons
            time.sleep(WAIT_STEP_S)

    def _open(self, out: Path, reasons: Sequence[str], override: str) -> None:
        streams = self._streams
        if streams is None:
            raise RecorderStateError("not armed")
        workers = streams.workers
        if override:
            streams.selection = replace(streams.selection, accept_foreign=True)
        writer = self._make_writer(
            out,
            now=self._now,
            simulated=any(worker.header.simulated for worker in workers),
            on_failure=lambda why: self._disk_failed(out, why),
        )
        for worker in workers:
            writer.put_header(worker)
        self._writer, self.reasons = writer, ()
        self._troubles, self._unseen = [], []
        if self._disk is not None:
            self._disk.begin()
        self._t_start = self._now()
        self.state = RecorderState.RECORDING
        self._report(
            "start",
            {
                "library": lsl.library_info(),
                "overridden": list(reasons),
                "override_reason": override,
            },
        )
        streams.record_into(writer)
        writer.start()

    def _release(self, streams: StreamSet, writer: WriterThread) -> None:
        """Hand no sample on any more, and keep in mind what is lacking by now."""
        streams.release(writer)
        self._t_stop = self._now()
        self._troubles, self._unseen = stream_troubles(streams), unseen_edges(streams)

    def _finish(self, writer: WriterThread) -> None:
        if not writer.close(CLOSE_TIMEOUT_S):
            late = f"the disk took longer than {CLOSE_TIMEOUT_S:g} s to close"
            self._fail([late, *([writer.error] if writer.error else [])])
            return
        if writer.error:
            return  # `_disk_failed` has said why
        self._report("closed", {"bytes": writer.size})
        try:
            reasons = verify(writer.files)
        except Exception as error:  # whatever it is, the file is not verified
            log.exception("reading %s back failed", writer.path)
            reasons = [f"the file cannot be read back: {error}"]
        if reasons:
            self._fail(reasons)
            return
        if self._disk is not None and self._disk.short:
            self.reasons = tuple(self._disk.problems())
        self.state = RecorderState.VERIFIED
        files = [str(file.path) for file in writer.files]
        self._report("verified", {"out": files[0], "files": files})

    def _watch_disk(self, folder: Path) -> None:
        if self._disk is not None and self._disk.folder == folder:
            return
        if self._disk is not None:
            self._disk.close()
        self._disk = self._make_disk_guard(
            folder,
            rate_bytes_per_s=self._rate_bytes_per_s,
            recording=lambda: self.state is RecorderState.RECORDING,
            archive_bytes=self._archive_bytes,
            queued_bytes=lambda: self._writer.queued_bytes if self._writer else 0,
            report=self._report,
            on_short=self._stop_short,
        )

    def _rate_bytes_per_s(self) -> float:
        workers = self._streams.workers if self._streams else ()
        headers = [worker.header for worker in workers]
        return bytes_per_s(headers, archived=self._archived)

    def _archive_bytes(self) -> int:
        recording = self.state is RecorderState.RECORDING
        if not (self._archived and recording and self._writer):
            return 0
        return self._writer.size

    def _stop_short(self) -> None:
        """Stop in order, while there is room for it, unless somebody does already."""
        with self._verbs:
            if self.state is RecorderState.RECORDING:
                self.stop()

    def _stopped_by_disk(self) -> bool:
        verified = self.state is RecorderState.VERIFIED
        return verified and self._disk is not None and self._disk.short

    def _disk_failed(self, out: Path, why: str) -> None:
        """End the recording to `out`, unless it is over: a disk may fail that late."""
        writer, streams = self._writer, self._streams
        if writer is None or writer.path != out or not self.state.has_open_file:
            log.error("writing %s failed after its end: %s", out, why)
            return
        try:
            if streams is not None:
                self._release(streams, writer)
        finally:
            self._fail([f"writing failed: {why}"])

    def _fail(self, reasons: Sequence[str]) -> None:
        with self._ending:
            if not self.state.has_open_file:
                return
            self.reasons, self.state = tuple(reasons), RecorderState.FAILED
        self._report("failed", {"reasons": list(reasons)})

    def _report(self, event: str, facts: dict[str, Any]) -> None:
        writer = self._writer
        if writer is not None and self.state.has_open_file:
            writer.note(event, facts)
        self._events.add(event, facts)

    def _armed_out(self) -> Path:
        if self.out is None:
            raise RecorderStateError("not armed")
        return self.out

    def _running(self) -> tuple[StreamSet, WriterThread]:
        if self._streams is None or self._writer is None:
            raise RecorderStateError("not recording")
        return self._streams, self._writer

    def _close_streams(self) -> None:
        if self._streams is not None:
            self._streams.close()
            self._streams = None
        if self._disk is not None:
            self._disk.close()
            self._disk = None


def _most_ms(times_s: Sequence[float] | deque[float]) -> float:
    return round(1000 * max(times_s, default=0.0), 2)
