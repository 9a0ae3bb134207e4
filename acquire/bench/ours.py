"""Our recorder, in the process it has in a session, driven as a session drives it."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from acquire import lsl
from acquire.control import ControlClient, ControlError

_STARTS_WITHIN_S = 20.0
_STOPS_WITHIN_S = 120.0  # a recording of hours is read back whole


class Ours:
    """A recorder process; `start` and `stop` return when it says so."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", client: ControlClient
    ) -> None:
        self._process, self._client = process, client

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, out: Path, streams: Sequence[str]) -> None:
        """Record `streams` into `out` from now on."""
        self._client.request("arm", 30.0, out=str(out), required=list(streams))
        self._client.request("start", 10.0)

    def stop(self) -> Mapping[str, Any]:
        """Stop and verify; return the reply, and how long that took.

        `closed_s` is until the file was complete and on the disk, `seconds` until it
        was read back too.
        """
        began, asked_s = time.monotonic(), lsl.local_clock()
        reply = self._client.request("stop", _STOPS_WITHIN_S)
        seconds = time.monotonic() - began
        times = {e["event"]: e["t_lsl"] for e in self.snapshot()["events"]}
        closed_s = times.get("closed", math.nan) - asked_s
        return {**reply, "seconds": seconds, "closed_s": closed_s}

    def snapshot(self) -> Mapping[str, Any]:
        return self._client.request("snapshot")

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def our_recorder(session_id: str) -> Iterator[Ours]:
    """Run a recorder process while the context lasts."""
    with TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "acquire.recorder", "--runtime", folder,
             "--session-id", session_id],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with closing(ControlClient("recorder", Path(folder))) as client:
                _wait_for(client)
                yield Ours(process, client)
                if process.poll() is None:
                    client.request("shutdown")
                    process.wait(_STOPS_WITHIN_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _wait_for(client: ControlClient) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            client.request("ping")
        except ControlError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)
        else:
            return
