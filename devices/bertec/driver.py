"""What speaks to a treadmill for its adapter; above it nobody knows which it is."""

from collections.abc import Callable
from typing import Protocol

from devices.bertec.config import BertecConfig
from devices.bertec.wire import Command, Status, StatusParser, pack_command
from devices.link import TcpLink
from devices.stream import Notice


class Driver(Protocol):
    """One connection to a treadmill. Every error is a `DeviceError`.

    `send` carries out a whole `Command` and never waits for an answer: a stop must not
    stand behind one.
    """

    def open(self, timeout_s: float) -> None: ...
    def receive(self, timeout_s: float) -> tuple[list[Status], float]:
        """Return what was reported, oldest first, and the host time it arrived."""
        ...

    def send(self, command: Command) -> None: ...
    def notices(self) -> list[Notice]:
        """Return what happened since the last call."""
        ...

    def silence(self) -> str:
        """Say what may be wrong when a connection brings no status."""
        ...

    def close(self) -> None: ...


class PanelDriver:
    """The Treadmill Control Panel's remote port: one packet carries everything."""

    def __init__(
        self, name: str, config: BertecConfig, now: Callable[[], float]
    ) -> None:
        self._config = config
        self._link = TcpLink(
            config.host, config.port, now=now, port_option=f"{name}.port"
        )
        self._parser = StatusParser()
        self._n_said = 0

    def open(self, timeout_s: float) -> None:
        self._parser, self._n_said = StatusParser(), 0
        self._link.open(timeout_s)

    def receive(self, timeout_s: float) -> tuple[list[Status], float]:
        data, arrived_s = self._link.receive(timeout_s)
        return self._parser.feed(data), arrived_s

    def send(self, command: Command) -> None:
        self._link.send(pack_command(command))

    def notices(self) -> list[Notice]:
        n, self._n_said = (
            self._parser.n_skipped_bytes - self._n_said,
            self._parser.n_skipped_bytes,
        )
        if n == 0:
            return []
        what = f"{n} bytes of the treadmill's status did not fit and were skipped"
        return [Notice("warning", "resync", what, {"n_bytes": n})]

    def silence(self) -> str:
        return (
            f"{self._config.host}:{self._config.port} accepts connections but sends no "
            "treadmill status; is this the Bertec panel, is its remote control enabled "
            "over TCP, is another client connected?"
        )

    def close(self) -> None:
        self._link.close()
