"""A `Link` over a serial port, with what POSIX systems bring."""

import contextlib
import os
import select
import sys
from collections.abc import Callable

from devices.errors import DeviceConnectionError

RECEIVE_BYTES = 4096


class SerialLink:
    """Raw bytes over a serial port: 8 data bits, no parity, no echo, no flow control.

    Not on Windows: there a box is reached over TCP, through a program or a device
    server that passes a serial port on.
    """

    def __init__(
        self, path: str, baud: int, *, now: Callable[[], float], option: str
    ) -> None:
        self._path, self._baud, self._now, self._option = path, baud, now, option
        self._file: int | None = None

    def open(self, timeout_s: float) -> None:  # noqa: ARG002 (opening never waits)
        self.close()
        if sys.platform == "win32":
            raise DeviceConnectionError(
                f"{self._option}: serial ports are opened on Linux and macOS only; "
                "give host and port of a program that passes the port on over TCP"
            )
        import termios
        import tty

        speed = getattr(termios, f"B{self._baud}", None)
        if speed is None:
            raise DeviceConnectionError(f"no serial port runs at {self._baud} baud")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._file)
            settings = termios.tcgetattr(self._file)
            settings[4] = settings[5] = speed
            settings[2] |= termios.CLOCAL | termios.CREAD
            termios.tcsetattr(self._file, termios.TCSANOW, settings)
            termios.tcflush(self._file, termios.TCIFLUSH)
        except (OSError, termios.error) as error:
            self.close()
            raise DeviceConnectionError(
                f"{self._path} cannot be opened ({error}); is the box plugged in, and "
                f"is {self._option} right?"
            ) from error

    def send(self, data: bytes) -> None:
        try:
            n_sent = os.write(self._open_file(), data)
        except OSError as error:
            raise self._lost(str(error)) from error
        if n_sent != len(data):
            raise self._lost("it takes no more bytes")

    def receive(self, timeout_s: float) -> tuple[bytes, float]:
        file = self._open_file()
        try:
            ready, _, _ = select.select([file], [], [], max(timeout_s, 0.0))
            data = os.read(file, RECEIVE_BYTES) if ready else b""
        except OSError as error:
            raise self._lost(str(error)) from error
        if ready and not data:
            raise self._lost("the box was unplugged")
        return data, self._now()

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _open_file(self) -> int:
        if self._file is None:
            raise DeviceConnectionError(f"{self._path} is not open")
        return self._file

    def _lost(self, why: str) -> DeviceConnectionError:
        return DeviceConnectionError(f"connection to {self._path} lost: {why}")
