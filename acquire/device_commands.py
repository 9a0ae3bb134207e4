"""Commands on their way to a device: executed between reads, stop and abort first."""

import heapq
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any

from devices.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError

URGENT = frozenset({"stop", "abort"})
HARMLESS = frozenset({"heartbeat"})  # may wait behind a stop without undoing it

Command = tuple[int, int, str, Mapping[str, Any], Future[Mapping[str, Any]]]


class OvertakenError(DeviceError):
    """A stop or abort came while the command was waiting; it was not executed."""


class CommandQueue:
    """Carries commands from the control threads to the one that owns the device.

    Whoever submits waits for the result. A command that was not begun in time is
    never executed later. A stop or abort refuses everything that waits.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._heap: list[Command] = []
        self._n = 0
        self._refusal: str | None = "not connected yet"

    def accept(self) -> None:
        """Take commands from now on."""
        self._refusal = None

    def refuse(self, why: str) -> None:
        """Refuse what waits and what comes: the device is not there."""
        with self._lock:
            self._refusal = why
            waiting, self._heap = self._heap, []
        for command in waiting:
            self._fail(command, self._not_there(why))

    def submit(
        self, verb: str, arguments: Mapping[str, Any], timeout_s: float
    ) -> Mapping[str, Any]:
        """Return what the device did, or raise the `DeviceError` it raised."""
        future: Future[Mapping[str, Any]] = Future()
        with self._lock:
            if self._refusal is not None:
                raise self._not_there(self._refusal)
            overtaken = self._overtake() if verb in URGENT else []
            self._n += 1
            order = 0 if verb in URGENT else 1
            heapq.heappush(self._heap, (order, self._n, verb, arguments, future))
        for command in overtaken:
            self._fail(command, OvertakenError(f"{command[2]}: {verb} came first"))
        try:
            return future.result(timeout_s)
        except (TimeoutError, CancelledError) as error:
            if future.cancel() or future.cancelled():
                raise DeviceTimeoutError(
                    f"{self._name}: {verb} was not executed within {timeout_s:g} s"
                ) from error
            if future.done():
                return future.result()
            raise DeviceTimeoutError(
                f"{self._name}: {verb} was begun, but did not end in {timeout_s:g} s"
            ) from error

    def execute(
        self, act: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    ) -> None:
        """Execute all that waits; the thread that owns the device calls this."""
        while True:
            with self._lock:
                if not self._heap:
                    return
                _, _, verb, arguments, future = heapq.heappop(self._heap)
            if not future.set_running_or_notify_cancel():
                continue  # its sender has given up
            try:
                future.set_result(act(verb, arguments))
            except Exception as error:  # the sender hears of it, whatever it is
                future.set_exception(error)

    def _overtake(self) -> list[Command]:
        keep = [c for c in self._heap if c[0] == 0 or c[2] in HARMLESS]
        overtaken = [c for c in self._heap if c not in keep]
        self._heap = keep
        heapq.heapify(self._heap)
        return overtaken

    def _not_there(self, why: str) -> DeviceConnectionError:
        return DeviceConnectionError(f"{self._name} takes no command: {why}")

    @staticmethod
    def _fail(command: Command, error: DeviceError) -> None:
        future = command[4]
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
