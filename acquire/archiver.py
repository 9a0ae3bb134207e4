"""Archives takes in a process of its own: the session's must never be busy.

    python -m acquire.archiver

It reads requests from its standard input, one line of JSON each, answers each with one
line, and ends when the input does. Reading a recording and writing its archive takes
seconds of pure computing, during which the threads of one process would starve one
another: in the session's own process the heartbeat of the treadmill beats.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from acquire.archive import archive_take
from acquire.storage.layout import TrialKey

NICENESS = 5  #: recording and belts come first


class ArchiveError(RuntimeError):
    """A take could not be archived; its recording is as it was."""


class Archiver:
    """Asks the process, starting it when it is not there. One request at a time."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Have the process ready before the first take."""
        with self._lock:
            self._running()

    def archive(
        self, key: TrialKey, dataset: Path, session_folder: Path, *, facing: str
    ) -> Path:
        """Return the archive of a take; waits until it is written.

        Raises
        ------
        ArchiveError
            It cannot be written, or the process has ended.
        """
        request = {
            "key": key.attributes(),
            "dataset": str(dataset),
            "folder": str(session_folder),
            "facing": facing,
        }
        with self._lock:
            answer = self._ask(request)
        if "archive" not in answer:
            raise ArchiveError(answer.get("error", "no reason given"))
        return Path(answer["archive"])

    def close(self) -> None:
        """End the process once it has done what it was asked."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError, ValueError):
                process.communicate(timeout=30.0)

    def _ask(self, request: Mapping[str, object]) -> dict[str, str]:
        process = self._running()
        try:
            _pipe(process.stdin).write(json.dumps(request) + "\n")
            _pipe(process.stdin).flush()
            line = _pipe(process.stdout).readline()
        except OSError as error:
            line = ""
            reason = str(error)
        else:
            reason = f"exit {process.poll()}"
        if not line:
            self._process = None
            process.kill()
            with contextlib.suppress(OSError, ValueError):
                process.communicate()
            raise ArchiveError(
                f"the archiving process ended ({reason}); what it said is in "
                f"{self._log_file}, and `kinemuse recover` archives the recording"
            )
        answer: dict[str, str] = json.loads(line)
        return answer

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            with self._log_file.open("a", encoding="utf-8") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "acquire.archiver"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    start_new_session=True,
                )
        return self._process


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise OSError("no pipe")
    return pipe


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until there are no more."""
    for line in requests:
        try:
            request = json.loads(line)
            path = archive_take(
                TrialKey(**request["key"]),
                Path(request["dataset"]),
                Path(request["folder"]),
                facing=request["facing"],
            )
            answer = {"archive": str(path)}
        except Exception as error:  # whatever it is, the session hears of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    serve(sys.stdin, sys.stdout)
