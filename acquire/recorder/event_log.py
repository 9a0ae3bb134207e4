"""What happened to a recorder, numbered, and told to whoever listens."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

log = logging.getLogger("kinemuse.recorder")

KEEP_EVENTS = 20

Listener = Callable[[str, Mapping[str, Any]], None]


class EventLog:
    """Takes events from any thread; each has a number of its own.

    Each of `listeners` hears every event as it happens; what it raises is logged.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.listeners: list[Listener] = []
        self.n = 0  #: events so far
        self._now = now
        self._latest: deque[dict[str, Any]] = deque(maxlen=KEEP_EVENTS)
        self._numbering = threading.Lock()

    def add(self, event: str, facts: Mapping[str, Any]) -> None:
        entry = {"event": event, "t_lsl": self._now(), **facts}
        with self._numbering:
            self.n += 1
            self._latest.append({**entry, "n": self.n})
        log.info("%s %s", event, facts)
        for listener in list(self.listeners):
            try:
                listener(event, entry)
            except Exception:
                log.exception("a listener failed on %s", event)

    def latest(self) -> list[dict[str, Any]]:
        """Return the last events, the newest at the end."""
        return list(self._latest)
