"""Record any LSL streams, whoever publishes them: the library behind a command."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from acquire import lsl
from acquire.recorder import Recorder, RecorderState
from acquire.recorder.checks import file_reasons
from acquire.recorder.selection import any_of, as_predicate
from acquire.recorder.state_stream import StateStream
from acquire.recorder.writer import WriterThread

FIND_TIMEOUT_S = 3.0
PROGRESS_EVERY_S = 0.2


class StreamNotFoundError(LookupError, ConnectionError):
    """Nothing on the network matches a predicate."""


@dataclass(frozen=True)
class RecordResult:
    """What was recorded, and whether the file holds it."""

    path: Path
    paths: tuple[Path, ...]  #: `path`, and those that go on with it
    verified: bool
    problems: tuple[str, ...]
    seconds: float
    n_bytes: int
    streams: tuple[Mapping[str, Any], ...]  #: as in `Recorder.snapshot`
    warnings: tuple[str, ...] = ()  #: losses, stalls, trigger edges not seen


def record(
    out: Path,
    predicates: Sequence[str] = (),
    seconds: float | None = None,
    session_id: str | None = None,
    progress: Callable[[Mapping[str, Any]], None] | None = None,
    *,
    scope: str = "machine",
    stop: threading.Event | None = None,
    find_timeout_s: float = FIND_TIMEOUT_S,
    override_reason: str = "",
    roll_bytes: float = math.inf,
) -> RecordResult:
    """Record every stream that matches, until the time is up or `stop` is set.

    Parameters
    ----------
    out
        XDF file to write; it must not exist.
    predicates
        Each a stream's name or an XPath predicate (``type='EMG'``). None given:
        every stream there is. Streams that appear later join.
    seconds
        How long; None until `stop` or an interrupt, which both end it cleanly.
    session_id, scope
        LSL session and scope; ignored when this process is configured already.
    progress
        Called several times a second with `Recorder.snapshot`.
    override_reason
        Record although something speaks against it (a predicate that matches nothing,
        a source id published twice); both are stored in the file.
    roll_bytes
        Go on in another file (``<out>_part2.xdf``...) when one is longer than that.

    Raises
    ------
    StreamNotFoundError
        A predicate matches nothing, or all do; the message lists what there is.
    RecordingRefusedError
        The file exists, the disk is short, or a source id is published twice.
    """
    if not lsl.is_configured():
        lsl.configure(session_id, scope)
    if reasons := file_reasons(out):
        raise FileExistsError(reasons[0]) if out.exists() else OSError(reasons[0])
    make_writer = partial(WriterThread, roll_bytes=roll_bytes)
    recorder = Recorder(archived=False, make_writer=make_writer)
    state_stream = StateStream(recorder)
    stop = stop or threading.Event()
    try:
        needed = [as_predicate(text) for text in predicates]
        recorder.arm(out, predicate=any_of(predicates), needed=needed, timeout_s=0.0)
        late = _find(recorder, find_timeout_s, predicates, override_reason)
        recorder.start(override_reason)
        _follow(recorder, seconds, stop, progress)
        problems = recorder.stop()
        snapshot, warnings = recorder.snapshot(), recorder.warnings()
    finally:
        state_stream.close()
        recorder.close()
    return RecordResult(
        path=out,
        paths=recorder.files,
        verified=recorder.state is RecorderState.VERIFIED,
        problems=(*problems, *(f"{text}; it could not be opened" for text in late)),
        seconds=float(snapshot["elapsed_s"]),
        n_bytes=sum(path.stat().st_size for path in recorder.files),
        streams=tuple(snapshot["streams"]),
        warnings=tuple(warnings),
    )


def _find(
    recorder: Recorder, timeout_s: float, predicates: Sequence[str], override: str
) -> list[str]:
    """Wait for every stream there is; return those that cannot be opened."""
    refused = recorder.settle(timeout_s)
    missing = [text for text in recorder.not_ready() if "no stream matches" in text]
    if missing and not (override and recorder.snapshot()["streams"]):
        there = [stream.describe() for stream in lsl.discover(1.0, 1000)]
        asked = "; ".join(missing) if predicates else "no stream was found"
        raise StreamNotFoundError(
            f"{asked} within {timeout_s:g} s; there is "
            + ("; ".join(there) or "none at all: `kinemuse streams` says why")
        )
    return refused


def _follow(
    recorder: Recorder,
    seconds: float | None,
    stop: threading.Event,
    progress: Callable[[Mapping[str, Any]], None] | None,
) -> None:
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    try:
        while recorder.state is RecorderState.RECORDING:
            left_s = end - time.monotonic()
            if left_s <= 0 or stop.wait(min(PROGRESS_EVERY_S, left_s)):
                return
            if progress is not None:
                progress(recorder.snapshot())
    except KeyboardInterrupt:
        return
