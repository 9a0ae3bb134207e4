"""The control panel's remote port, simulated: one client, packets in, status out."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from devices.bertec.twin_mill import Belts, Mill
from devices.bertec.wire import COMMAND_BYTES, Status, pack_status, unpack_command
from devices.errors import WireFormatError
from devices.sim.one_client import OneClientServer


class Front(Protocol):
    """The interface of a simulated treadmill: commands in, status out."""

    port: int
    more_ports: Mapping[str, int]
    n_bad_packets: int

    def poll(self, timeout_s: float, mill: Mill) -> None:
        """Wait for commands and have the mill carry them out."""
        ...

    def send(self, statuses: Sequence[Status]) -> None: ...
    def refuse(self, refuses: bool) -> None:
        """Drop the client and take no other, or take one again."""
        ...

    def close(self) -> None: ...


class PanelFront:
    """A bad packet is dropped without a word, as the panel does, and counted.

    Options: ``split_bytes``, ``backlog`` (old statuses a new client gets first).
    """

    def __init__(self, host: str, port: int, options: dict[str, Any]) -> None:
        self._backlog = int(options.pop("backlog", 0))
        split_bytes = int(options.pop("split_bytes", 0))
        self._server = OneClientServer(host, port, split_bytes=split_bytes)
        self.port = self._server.port
        self.more_ports: Mapping[str, int] = {}
        self._buffer = bytearray()
        self._recent: deque[bytes] = deque(maxlen=1000)
        self._greeted = 0
        self.n_bad_packets = 0

    def poll(self, timeout_s: float, mill: Mill) -> None:
        self._buffer += self._server.poll(timeout_s)
        if self._server.n_clients != self._greeted:
            self._greet()
        while len(self._buffer) >= COMMAND_BYTES:
            self._take(bytes(self._buffer[:COMMAND_BYTES]), mill)
            del self._buffer[:COMMAND_BYTES]

    def send(self, statuses: Sequence[Status]) -> None:
        packets = [pack_status(status) for status in statuses]
        self._recent.extend(packets)
        self._server.send(b"".join(packets))

    def refuse(self, refuses: bool) -> None:
        self._server.refuses = refuses
        if refuses:
            self._server.drop()

    def close(self) -> None:
        self._server.close()

    def _greet(self) -> None:
        self._greeted = self._server.n_clients
        self._buffer.clear()
        if self._backlog:
            self._server.send(b"".join([*self._recent][-self._backlog :]))

    def _take(self, packet: bytes, mill: Mill) -> None:
        """Carry out a packet; the incline of every one is obeyed."""
        try:
            command = unpack_command(packet)
        except WireFormatError:
            self.n_bad_packets += 1
            return
        mill.run(
            Belts(
                command.left_mmps / 1000.0,
                command.right_mmps / 1000.0,
                command.accel_left_mmps2 / 1000.0,
                command.accel_right_mmps2 / 1000.0,
            )
        )
        mill.tilt(command.incline_cdeg / 100.0)
