"""Polls one process's snapshot on a thread; old news is no news."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acquire.control import ControlClient, ControlError

log = logging.getLogger("kinemuse.engine")

POLL_S = 0.05
FRESH_S = 0.5


class ProcessWatch:
    """The newest snapshot of a process; nothing once it is older than `fresh_s`.

    `gone` says that the process has ended, rather than being slow to answer.
    `on_news` is called with every snapshot, on the thread. A `name` of None watches
    nothing.
    """

    def __init__(
        self,
        name: str | None,
        runtime_dir: Path,
        on_news: Callable[[Mapping[str, Any]], None] = lambda _: None,
        *,
        poll_s: float = POLL_S,
        fresh_s: float = FRESH_S,
    ) -> None:
        self.gone = False
        self._on_news = on_news
        self._client = ControlClient(name, runtime_dir) if name else None
        self._poll_s, self._fresh_s = poll_s, fresh_s
        self._seen: tuple[float, dict[str, Any]] = (0.0, {})
        self._asking = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"watch-{name}", daemon=True
        )

    def start(self) -> None:
        if self._client is not None:
            self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        if self._client is not None:
            self._client.close()

    def fresh(self) -> dict[str, Any]:
        """Return the last snapshot, or nothing when it is not fresh."""
        return self.latest() if self.silent_s() < self._fresh_s else {}

    def latest(self) -> dict[str, Any]:
        """Return the last snapshot, however old."""
        return self._seen[1]

    def silent_s(self) -> float:
        """Return for how long nothing was heard."""
        return time.monotonic() - self._seen[0]

    def refresh(self) -> None:
        """Ask now."""
        if self._client is not None:
            with self._asking:  # an older answer never replaces a newer one
                asked_s = time.monotonic()
                self._seen = (asked_s, self._client.request("snapshot", FRESH_S))
                self.gone = False

    def _run(self) -> None:
        while not self._stopping.wait(self._poll_s):
            try:
                self.refresh()
                self._on_news(self.latest())
            except ControlError as error:
                self.gone = isinstance(error.__cause__, ConnectionError)
                log.debug("%s", error)
            except Exception:  # a listener's failure does not end the watching
                log.exception("what %s said", self._client)
