"""What processes have in common that serve until they are told to stop."""

import contextlib
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acquire.control import ControlServer


def stop_on_signals() -> threading.Event:
    """Return what SIGINT (Ctrl-C) and SIGTERM set from now on."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def answer_until(
    stop: threading.Event,
    name: str,
    snapshot: Callable[[], dict[str, Any]],
    runtime: Path | None,
) -> None:
    """Wait for `stop`; meanwhile answer as `name`, where there is a `runtime` folder.

    The verbs are ``snapshot`` and ``shutdown``, which sets `stop`.
    """

    def shutdown(_: Mapping[str, Any]) -> dict[str, Any]:
        stop.set()
        return {}

    verbs = {"snapshot": lambda _: snapshot(), "shutdown": shutdown}
    with ControlServer(name, verbs, runtime) if runtime else contextlib.nullcontext():
        stop.wait()
