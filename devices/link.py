"""Byte transport to a device: what a TCP connection is to an adapter."""

import socket
from collections.abc import Callable
from typing import Protocol

from devices.errors import DeviceConnectionError

RECEIVE_BYTES = 1 << 18


class Link(Protocol):
    """An ordered byte stream. Every error is a `DeviceError`."""

    def open(self, timeout_s: float) -> None: ...
    def send(self, data: bytes) -> None: ...
    def receive(self, timeout_s: float) -> tuple[bytes, float]:
        """Return bytes and the host time they arrived; ``b""`` when the time is up."""
        ...

    def close(self) -> None: ...


class TcpLink:
    """A `Link` over TCP. `port_option` names the rig key to change when it fails."""

    def __init__(
        self, host: str, port: int, *, now: Callable[[], float], port_option: str
    ) -> None:
        self.host, self.port = host, port
        self._now, self._port_option = now, port_option
        self._socket: socket.socket | None = None

    def open(self, timeout_s: float) -> None:
        self.close()
        try:
            self._socket = socket.create_connection((self.host, self.port), timeout_s)
        except OSError as error:
            raise DeviceConnectionError(
                f"no connection to {self.host}:{self.port} ({error}); "
                f"is the device on, and is {self._port_option} right?"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        try:
            self._open_socket().sendall(data)
        except OSError as error:
            raise self._lost(str(error)) from error

    def receive(self, timeout_s: float) -> tuple[bytes, float]:
        connection = self._open_socket()
        connection.settimeout(max(timeout_s, 1e-6))
        try:
            data = connection.recv(RECEIVE_BYTES)
        except TimeoutError:
            return b"", self._now()
        except OSError as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("the device closed it")
        return data, self._now()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise DeviceConnectionError(f"{self.host}:{self.port} is not open")
        return self._socket

    def _lost(self, why: str) -> DeviceConnectionError:
        return DeviceConnectionError(
            f"connection to {self.host}:{self.port} lost: {why}"
        )
