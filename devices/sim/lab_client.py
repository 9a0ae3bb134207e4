"""A twin's connection to the lab server."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from devices.errors import DeviceConnectionError, DeviceTimeoutError
from devices.sim import lab_wire
from devices.sim.config import LabConfig
from devices.sim.faults import FaultSpec
from devices.sim.history import History
from devices.sim.world import LAG_S, MARGIN_S, all_faults

_log = logging.getLogger("kinemuse.sim")
ANSWER_TIMEOUT_S = 5.0


class LabClient:
    """Implements `devices.sim.world.Lab` over the loopback.

    One thread of its own receives inputs and watermarks; `append` waits for the
    server's answer. Address: ``host:port``.
    """

    config: LabConfig

    def __init__(
        self,
        address: str,
        now: Callable[[], float] = time.perf_counter,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.history = History()
        self.address = address
        self._now, self._timeout_s = now, timeout_s
        self._watermark_s = 0.0
        self._answers: dict[int, dict[str, Any]] = {}
        self._asked = 0
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._socket = _connect(address, timeout_s)
        self._buffer = lab_wire.LineBuffer()
        self._alive = True
        hello = self._hello()
        self.config = LabConfig.model_validate(hello["config"])
        self.epoch_host_s = float(hello["epoch_host_s"])
        self._thread = threading.Thread(
            target=self._receive, name="lab-client", daemon=True
        )
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._alive

    def world_now(self) -> float:
        return self._now() - self.epoch_host_s - LAG_S

    def horizon(self) -> float:
        return min(self.world_now(), self._watermark_s - MARGIN_S)

    def append(self, kind: str, value: Mapping[str, Any]) -> float:
        """Send an input; return when it takes effect. A bad one raises ValueError."""
        with self._changed:
            self._asked += 1
            number = self._asked
        self._send({"append": {"kind": kind, "value": dict(value)}, "id": number})
        with self._changed:
            self._changed.wait_for(
                lambda: number in self._answers or not self._alive, self._timeout_s
            )
            answer = self._answers.pop(number, None)
        if answer is None and not self._alive:
            raise DeviceConnectionError(f"the lab at {self.address} is gone")
        if answer is None:
            raise DeviceTimeoutError(
                f"the lab at {self.address} did not answer {kind!r} "
                f"within {self._timeout_s} s"
            )
        if "error" in answer:
            raise ValueError(str(answer["error"]))
        return float(answer["t_s"])

    def truth(self, record: Mapping[str, Any]) -> None:
        self._send({"truth": dict(record)})

    def faults(self, device: str) -> list[FaultSpec]:
        return all_faults(self.config, self.history, device)

    def close(self) -> None:
        self._alive = False
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("lab connection was closed already")
        self._socket.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._timeout_s)

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            with self._sending:
                self._socket.sendall(lab_wire.encode(message))
        except OSError as error:
            raise DeviceConnectionError(
                f"the lab at {self.address} is gone ({error})"
            ) from error

    def _hello(self) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            try:
                data = self._socket.recv(1 << 16)
            except OSError as error:
                self._socket.close()
                raise DeviceConnectionError(
                    f"the lab at {self.address} did not say hello: {error}"
                ) from error
            if not data:
                break
            messages = [lab_wire.decode(line) for line in self._buffer.feed(data)]
            if messages:
                for message in messages[1:]:
                    self._take(message)
                self._socket.settimeout(None)
                return messages[0]
        self._socket.close()
        raise DeviceConnectionError(
            f"what listens at {self.address} is not a simulated lab"
        )

    def _receive(self) -> None:
        try:
            while data := self._socket.recv(1 << 16):
                for line in self._buffer.feed(data):
                    self._take(lab_wire.decode(line))
        except (OSError, ValueError) as error:
            if self._alive:
                _log.warning("lab connection lost: %s", error)
        with self._changed:
            self._alive = False
            self._changed.notify_all()

    def _take(self, message: Mapping[str, Any]) -> None:
        if "input" in message:
            item = message["input"]
            self.history.append(item["t_s"], item["kind"], item["value"])
        if "watermark_s" in message:
            self._watermark_s = float(message["watermark_s"])
        if "id" in message:
            with self._changed:
                self._answers[int(message["id"])] = dict(message)
                self._changed.notify_all()
        elif "error" in message:
            _log.error("the lab refused a message: %s", message["error"])


def _connect(address: str, timeout_s: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"lab address {address!r} is not host:port")
    try:
        connection = socket.create_connection((host, int(port)), timeout_s)
    except OSError as error:
        raise DeviceConnectionError(
            f"no simulated lab at {address} ({error})"
        ) from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
