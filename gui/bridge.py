"""Between the control channel and Qt: polls on a thread, commands never block."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from gui.models.session import SessionView

logger = logging.getLogger("kinemuse.gui.bridge")

POLL_S = 0.2
POLL_TIMEOUT_S = 1.0
COMMAND_TIMEOUT_S = 5.0
START_TIMEOUT_S = 15.0  #: every device is looked at first
ABORT_TIMEOUT_S = 1.0
ESTOP = "use the hardware e-stop"


class Client(Protocol):
    """What `acquire.control.ControlClient` offers."""

    def request(
        self, verb: str, /, timeout_s: float = ..., **arguments: object
    ) -> dict[str, Any]: ...

    def close(self) -> None: ...


class SessionBridge(QObject):
    """Emits `viewed` with a `SessionView` per poll, and the fate of every command.

    `make_client` builds a client by server name; each thread has one of its own, so
    an abort never waits behind another request. An abort that the session does not
    take goes to the process of the `treadmill` itself.
    """

    viewed = Signal(object)
    done = Signal(str)  #: verb
    refused = Signal(str, str)  #: verb, reason

    def __init__(
        self,
        make_client: Callable[[str], Client],
        treadmill: str | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_client, self._treadmill = make_client, treadmill
        self._commands = ThreadPoolExecutor(2, "gui-command")
        self._aborts = ThreadPoolExecutor(1, "gui-abort")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gui-poll", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def close(self) -> None:
        """Stop polling; commands under way are left to their deadline."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * POLL_TIMEOUT_S + 1.0)
        for pool in (self._commands, self._aborts):
            pool.shutdown(wait=True, cancel_futures=True)

    def send(self, verb: str, **arguments: object) -> None:
        """Send a command and return at once; `done` or `refused` follows."""
        if verb == "abort":
            future = self._aborts.submit(self._abort)
        else:
            future = self._commands.submit(self._command, verb, arguments)
        future.add_done_callback(_log_failure)

    def _command(self, verb: str, arguments: Mapping[str, object]) -> None:
        timeout_s = START_TIMEOUT_S if verb == "start" else COMMAND_TIMEOUT_S
        self._tell(verb, self._failure("session", verb, timeout_s, **arguments))

    def _abort(self) -> None:
        reason = self._failure("session", "abort", ABORT_TIMEOUT_S)
        if reason and self._treadmill:
            belts = self._failure(
                self._treadmill, "command", ABORT_TIMEOUT_S, verb="abort", arguments={}
            )
            told = f"its treadmill did not take it either: {belts}; {ESTOP}"
            reason += f"; {told if belts else 'the treadmill was told by itself'}"
        self._tell("abort", reason)

    def _failure(
        self, server: str, verb: str, timeout_s: float, /, **arguments: object
    ) -> str:
        """Return why a request failed; empty when it did not."""
        client = self._make_client(server)
        try:
            client.request(verb, timeout_s, **arguments)
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        finally:
            client.close()
        return ""

    def _tell(self, verb: str, reason: str) -> None:
        if self._stopping.is_set():
            return  # the window is closing: Qt may have deleted us
        if reason:
            self.refused.emit(verb, reason)
        else:
            self.done.emit(verb)

    def _run(self) -> None:
        session, recorder = self._make_client("session"), self._make_client("recorder")
        while not self._stopping.is_set():
            view = self._poll(session, recorder)
            if not self._stopping.is_set():
                self.viewed.emit(view)
            self._stopping.wait(POLL_S)
        session.close()
        recorder.close()

    def _poll(self, session: Client, recorder: Client) -> SessionView:
        try:
            told = session.request("snapshot", POLL_TIMEOUT_S)
        except (OSError, ValueError) as error:
            return SessionView.unreachable(str(error))
        try:
            recording = recorder.request("snapshot", POLL_TIMEOUT_S)
        except (OSError, ValueError):
            recording = {}
        return SessionView.parse(told, recording)


def _log_failure(future: "Future[None]") -> None:
    if not future.cancelled() and future.exception() is not None:
        logger.error("a command failed unexpectedly", exc_info=future.exception())
