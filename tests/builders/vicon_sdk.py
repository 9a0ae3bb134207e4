"""Skips tests of the vendor's SDK where it is not installed; a server under load."""

import importlib.util
import threading

import pytest

from devices.vicon.load import LoadScene, LoadServer

needs_sdk = pytest.mark.skipif(
    importlib.util.find_spec("pyvicon_datastream") is None,
    reason="the vendor's SDK is not installed (make vicon-sdk)",
)


class RunningLoad:
    """Context manager: a `LoadServer` on a thread of its own."""

    def __init__(self, scene: LoadScene, rate_hz: float = 100.0) -> None:
        self._source = LoadServer(scene, rate_hz)
        self.port = self._source.server.port
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "RunningLoad":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5.0)
        self._source.server.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._source.step()
