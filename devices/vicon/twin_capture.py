"""The twin's ear for capture datagrams: they raise and lower the lab's trigger line."""

import logging
import socket
from collections import deque

from devices.errors import WireFormatError
from devices.sim.lab import Lab
from devices.vicon.capture import CaptureMessage, parse_capture

log = logging.getLogger("kinemuse.vicon.twin")

REMEMBERED_PACKETS = 64


class CaptureListener:
    """Listens on UDP; repeats of a PacketID are ignored, `Delay` is honoured.

    Call `receive` when the socket can be read and `advance` often.
    """

    def __init__(self, lab: Lab, host: str, port: int) -> None:
        self._lab = lab
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((host, port))
        except OSError as error:
            self.socket.close()
            raise OSError(
                f"UDP port {port} of {host} is not free for capture datagrams "
                f"(option capture_port): {error}"
            ) from error
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.capturing = False
        self._seen: deque[tuple[str, int]] = deque(maxlen=REMEMBERED_PACKETS)
        self._pending: list[tuple[float, CaptureMessage]] = []

    def receive(self) -> None:
        """Take in every datagram that waits; what is none is logged and ignored."""
        while True:
            try:
                data, _ = self.socket.recvfrom(1 << 16)
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("capture socket: %s", error)
                return
            try:
                self._take(parse_capture(data))
            except WireFormatError as error:
                log.warning("%s", error)

    def advance(self) -> None:
        """Act on what is due."""
        now = self._lab.world_now()
        due = [message for at, message in self._pending if at <= now]
        self._pending = [item for item in self._pending if item[0] > now]
        for message in due:
            self._act(message)

    def close(self) -> None:
        self.socket.close()

    def _take(self, message: CaptureMessage) -> None:
        if message.packet_id is not None:
            key = message.kind, message.packet_id
            if key in self._seen:
                log.info("capture %s %d came again", *key)
                return
            self._seen.append(key)
        at = self._lab.world_now() + message.delay_ms / 1000.0
        self._pending.append((at, message))
        self.advance()

    def _act(self, message: CaptureMessage) -> None:
        if message.kind == "complete" or self.capturing == (message.kind == "start"):
            log.info("capture %s %r changes nothing", message.kind, message.name)
            return
        self.capturing = message.kind == "start"
        self._lab.append("line", {"high": self.capturing, "name": message.name})
        log.info("capture %s %r", message.kind, message.name)
