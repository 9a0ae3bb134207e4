"""The recorder as a process of its own, driven through its control channel."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from acquire.control import ControlClient, ControlError
from acquire.storage.xdf_reader import read_xdf


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; tell whether it did in time."""
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


class RecorderProcess:
    """``python -m acquire.recorder`` with a client, as a context manager."""

    def __init__(self, runtime: Path, session_id: str, **environment: str) -> None:
        runtime.mkdir(parents=True, exist_ok=True)
        self.runtime = runtime
        self.client = ControlClient("recorder", runtime)
        arguments = ["--runtime", str(runtime), "--session-id", session_id]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "acquire.recorder", *arguments],
            env={**os.environ, **environment},
        )

    def __enter__(self) -> "RecorderProcess":
        if not within(15.0, self.answers):
            self.process.kill()
            raise AssertionError("the recorder did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        try:
            self.client.request("ping", 1.0)
        except ControlError:
            return False
        return True

    def record(self, out: Path, *required: str, **more: Any) -> None:
        """Arm and start, and see to it that both were done."""
        said = self.client.request(
            "arm", 20.0, out=str(out), required=list(required), **more
        )
        assert said["ready"], said
        assert self.client.request("start", 10.0)["state"] == "recording"

    def snapshot(self) -> dict[str, Any]:
        return self.client.request("snapshot", 2.0)

    def stream(self, name: str) -> dict[str, Any]:
        found = [s for s in self.snapshot()["streams"] if s["name"] == name]
        return found[0] if found else {}

    def told(self) -> list[dict[str, Any]]:
        """Return the events since the recording began."""
        events: list[dict[str, Any]] = self.snapshot()["events"]
        starts = [k for k, entry in enumerate(events) if entry["event"] == "start"]
        return events[starts[-1] :] if starts else events

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.told()]

    def silent_s(self, stream: str) -> float:
        """Return how long a stream had been silent when the alarm came."""
        alarms = [
            entry["silent_s"]
            for entry in self.told()
            if entry["event"] == "stream_stalled" and entry["stream"] == stream
        ]
        return float(alarms[0])

    def stop(self) -> dict[str, Any]:
        return self.client.request("stop", 20.0)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def notes(path: Path) -> list[dict[str, Any]]:
    """Return the recorder's own events in a file."""
    stream = read_xdf(path)["kinemuse-recorder"]
    return [json.loads(row[0]) for row in stream.data]
