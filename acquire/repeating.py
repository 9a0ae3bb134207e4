"""A thread that does one thing again and again until it is closed."""

import logging
import threading
from collections.abc import Callable


class Repeating:
    """Calls `act` on a thread of its own, from `start` to `close`.

    Parameters
    ----------
    name
        Of the thread.
    act
        What to do; what it raises is logged as `failed`, and it is done again.
    pause_s
        How long to wait between two turns, asked anew each time.
    failed
        Says in the log what could not be done.
    log
        Where to say it.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[], object],
        pause_s: Callable[[], float],
        failed: str,
        log: logging.Logger,
    ) -> None:
        self._act, self._pause_s = act, pause_s
        self._failed, self._log = failed, log
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop; waits for a turn under way, unless that calls. Legal twice."""
        self._stopping.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                self._act()
            except Exception:  # what failed is in the log; the next turn may succeed
                self._log.exception(self._failed)
            if self._stopping.wait(self._pause_s()):
                return
