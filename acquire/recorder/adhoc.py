"""Record any LSL streams, whoever publishes them: the library behind a command."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquire import lsl
from acquire.recorder import Recorder, RecorderState
from acquire.recorder.checks import file_reasons
from acquire.recorder.selection import any_of, as_predicate

FIND_TIMEOUT_S = 3.0
JOIN_TIMEOUT_S = 5.0
PROGRESS_EVERY_S = 0.2


class StreamNotFoundError(LookupError):
    """Nothing on the network matches a predicate."""


@dataclass(frozen=True)
class RecordResult:
    """What was recorded, and whether the file holds it."""

    path: Path
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

    Raises
    ------
    StreamNotFoundError
        A predicate matches nothing; the message lists what there is.
    RecordingRefusedError
        The file exists, the disk is short, or a source id is published twice.
    """
    if not lsl.is_configured():
        lsl.configure(session_id, scope)
    if reasons := file_reasons(out):
        raise FileExistsError(reasons[0]) if out.exists() else OSError(reasons[0])
    keys = _find(predicates, find_timeout_s)
    recorder = Recorder()
    stop = stop or threading.Event()
    try:
        recorder.arm(out, predicate=any_of(predicates), timeout_s=JOIN_TIMEOUT_S)
        late = _wait_joined(recorder, keys)
        recorder.start()
        _follow(recorder, seconds, stop, progress)
        problems = recorder.stop()
        snapshot, warnings = recorder.snapshot(), recorder.warnings()
    finally:
        recorder.close()
    return RecordResult(
        path=out,
        verified=recorder.state is RecorderState.VERIFIED,
        problems=(*problems, *late),
        seconds=float(snapshot["elapsed_s"]),
        n_bytes=out.stat().st_size,
        streams=tuple(snapshot["streams"]),
        warnings=tuple(warnings),
    )


def _find(predicates: Sequence[str], timeout_s: float) -> dict[str, str]:
    """Return the streams to wait for: key → description."""
    keys: dict[str, str] = {}
    for text in predicates or ("true()",):
        found = lsl.discover(timeout_s, 1, as_predicate(text))
        if not found:
            there = [stream.describe() for stream in lsl.discover(1.0, 1)]
            raise StreamNotFoundError(
                f"no stream matches {text!r} within {timeout_s:g} s; there is "
                + ("; ".join(there) or "none at all: `kinemuse streams` says why")
            )
        keys.update({stream.key: stream.describe() for stream in found})
    return keys


def _wait_joined(recorder: Recorder, keys: Mapping[str, str]) -> list[str]:
    deadline = time.monotonic() + JOIN_TIMEOUT_S
    while True:
        missing = set(keys) - recorder.joined_keys()
        if not missing or time.monotonic() >= deadline:
            return [f"{keys[key]} could not be opened" for key in sorted(missing)]
        time.sleep(0.05)


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
