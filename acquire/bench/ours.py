"""Our recorder, in the process it has in a session, driven as a session drives it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

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
        """Stop and verify; return the reply, with how long it took as `seconds`."""
        began = time.monotonic()
        reply = self._client.request("stop", _STOPS_WITHIN_S)
        return {**reply, "seconds": time.monotonic() - began}

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
