"""The vendor's SDK as a client, in a process of its own that it may take down."""

import contextlib
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from devices.errors import DeviceConnectionError, DeviceError
from devices.vicon.client import StreamMode
from devices.vicon.config import ViconConfig
from devices.vicon.describe import as_the_sdk_tells, describe
from devices.vicon.frames import Frame
from devices.vicon.objects import Statics
from devices.vicon.sdk_messages import Answer, Arrived, Request
from devices.vicon.sdk_package import load_package

log = logging.getLogger("kinemuse.vicon")

#: The SDK returns from what it waits for within this.
ANSWER_S = 10.0
#: A process starts and connects, also on a busy machine.
START_S = 40.0
END_S = 2.0


class SdkProcess:
    """Calls and frames of `SdkClient`, through the process `sdk_worker`.

    The process lives from `open` to `close`. When it ends of itself, or hangs, the
    call under way raises `DeviceConnectionError` and `died` says how it ended.
    """

    round_trip_s: float | None = None

    def __init__(
        self, config: ViconConfig, where: str, now: Callable[[], float]
    ) -> None:
        load_package()
        self._config, self._where, self._now = config, where, now
        self.died = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._statics = Statics()
        self._waiting: list[Frame] = []
        self._failure: DeviceError | None = None
        self._ahead_s = 0.0  #: host clock less the process's

    @property
    def pid(self) -> int | None:
        """Of the process there is."""
        return self._process.pid if self._process else None

    def open(self, timeout_s: float) -> None:
        """Prove the protocol, refuse what the SDK does not survive, then start it."""
        self.close()
        config = self._config
        told = describe(config.host, config.port, self._where, self._now, timeout_s)
        as_the_sdk_tells(told if config.forces else replace(told, devices=()), "")
        self._spawn()
        self._request(Request("open", timeout_s), START_S)

    def ask(self) -> None:
        self._request(Request("ask"))

    def start(self, mode: StreamMode) -> None:
        self._request(Request("start", mode))
        self._waiting, self._failure = [], None  # came before the answer

    def stop(self) -> None:
        self._request(Request("stop"))
        self._waiting, self._failure = [], None

    def poll(self, timeout_s: float) -> list[Frame]:
        """Wait once for frames; what went wrong in the process is raised here."""
        connection = self._connected()
        if not self._waiting and not self._failure:
            while connection.poll(timeout_s):
                timeout_s = 0.0
                self._take(self._receive(connection))
        frames, self._waiting = self._waiting, []
        if self._failure and not frames:
            raise self._failure
        return frames

    def close(self) -> None:
        """End the process: the SDK's own connection ends with it."""
        self._waiting, self._failure = [], None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
            self._process.kill()
            self._process.wait()
            self._process = None

    def _spawn(self) -> None:
        self._connection, theirs = Pipe()
        descriptor = theirs.fileno()
        command = [sys.executable, "-m", "devices.vicon.sdk_worker", str(descriptor)]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[descriptor], stdin=subprocess.DEVNULL
            )
        self._ahead_s = self._now() - time.monotonic()
        self._connection.send((self._config, self._where, log.getEffectiveLevel()))
        log.debug("%s: the SDK runs in process %d", self._where, self._process.pid)

    def _request(self, request: Request, timeout_s: float | None = None) -> None:
        """Send a request and wait for its answer; frames that come first are kept."""
        connection = self._connected()
        deadline = time.monotonic() + (ANSWER_S if timeout_s is None else timeout_s)
        try:
            connection.send(request)
        except OSError as error:
            raise self._dead() from error
        while connection.poll(max(deadline - time.monotonic(), 0.0)):
            message = self._receive(connection)
            if isinstance(message, Answer):
                if message.error:
                    raise message.error
                return
            self._take(message)
        raise self._dead("does not answer")

    def _receive(self, connection: Connection) -> Answer | Arrived:
        try:
            message: Answer | Arrived = connection.recv()
        except (EOFError, OSError) as error:
            raise self._dead() from error
        return message

    def _take(self, message: Answer | Arrived) -> None:
        if isinstance(message, Answer):
            return
        self._failure = message.failure or self._failure
        self._statics = message.statics or self._statics
        self._waiting += [
            replace(
                frame, statics=self._statics, arrival_s=frame.arrival_s + self._ahead_s
            )
            for frame in message.frames
        ]

    def _connected(self) -> Connection:
        if self._connection is None:
            raise DeviceError(f"{self._where} is not connected")
        return self._connection

    def _dead(self, how: str = "") -> DeviceConnectionError:
        """Say how the process ended, and leave none behind."""
        if not how and self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                how = f"ended with {_ending(self._process.wait(END_S))}"
        self.died = how or "went silent"
        self.close()
        return DeviceConnectionError(
            f"{self._where}: the process of the vendor's SDK {self.died}"
        )


def _ending(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"
