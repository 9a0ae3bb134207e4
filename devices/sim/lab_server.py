"""The lab server: owns the epoch, the configuration, the history and the truth."""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devices.sim import lab_wire
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.truth import TruthFile
from devices.sim.world import LAG_S, MARGIN_S

_log = logging.getLogger("kinemuse.sim")
WATERMARK_PERIOD_S = 0.02
TRUTH_PERIOD_S = 1.0
MAX_UNSENT_BYTES = 1 << 22


class _Client:
    """One connection and the bytes it has not yet taken."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.buffer = lab_wire.LineBuffer()
        self.unsent = b""


class LabServer:
    """Serves one lab on the loopback until closed; one thread does it all.

    Every input gets the server's time, later than any watermark sent before; a
    watermark says that no earlier input can follow.
    """

    def __init__(
        self,
        config: LabConfig,
        port: int = 0,
        truth: Path | None = None,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.config, self.history = config, History()
        self._now = now
        try:
            self._listener = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise OSError(
                error.errno, f"port {port} cannot be used ({error}); choose --port"
            ) from error
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.epoch_host_s = now()
        self._watermark_s = 0.0
        self._clients: dict[socket.socket, _Client] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._truth = TruthFile(truth, config, self.history) if truth else None
        self._record(
            {
                "kind": "lab",
                "epoch_host_s": self.epoch_host_s,
                "lag_s": LAG_S,
                "seed": config.seed,
            }
        )

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="lab", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask `run` to end; safe in a signal handler."""
        self._stop.set()

    def close(self) -> None:
        """End the thread that `start` made."""
        self.stop()
        if self._thread is not None:
            self._thread.join(10.0)

    def run(self) -> None:
        """Serve until `stop`."""
        next_watermark = next_truth = self._now()
        try:
            while not self._stop.is_set():
                self._serve(max(next_watermark - self._now(), 0.0))
                if self._now() >= next_watermark:
                    next_watermark = self._now() + WATERMARK_PERIOD_S
                    self._tell_watermark()
                if self._truth and self._now() >= next_truth:
                    next_truth = self._now() + TRUTH_PERIOD_S
                    self._truth.advance(self._settled_s())
        finally:
            self._end()

    def _serve(self, timeout_s: float) -> None:
        for key, events in self._selector.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept()
                continue
            client: _Client = key.data
            if events & selectors.EVENT_WRITE:
                self._flush(client)
            if events & selectors.EVENT_READ:
                self._receive(client)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(connection)
        self._clients[connection] = client
        self._selector.register(connection, selectors.EVENT_READ, client)
        self._tell(
            client,
            {
                "kind": "hello",
                "epoch_host_s": self.epoch_host_s,
                "config": self.config.model_dump(mode="json"),
            },
        )
        for item in self.history.inputs:
            self._tell(client, _input_message(item.t_s, item.kind, item.value))
        self._tell(client, {"watermark_s": self._watermark_s})

    def _receive(self, client: _Client) -> None:
        try:
            data = client.connection.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        try:
            lines = list(client.buffer.feed(data))
        except lab_wire.LineError as error:
            self._tell(client, {"error": str(error)})
            self._flush(client)
            self._drop(client)
            return
        for line in lines:
            self._answer(client, line)

    def _answer(self, client: _Client, line: bytes) -> None:
        try:
            message = lab_wire.decode(line)
        except lab_wire.LineError as error:
            self._tell(client, {"error": str(error)})
            return
        number = {"id": message["id"]} if isinstance(message.get("id"), int) else {}
        try:
            self._take(client, message, number)
        except (ValueError, TypeError) as error:
            self._tell(client, {"error": str(error), **number})

    def _take(
        self, client: _Client, message: Mapping[str, Any], number: Mapping[str, int]
    ) -> None:
        if isinstance(message.get("append"), dict):
            t_s = self._append(**message["append"])
            self._tell(client, {"t_s": t_s, **number})
        elif isinstance(message.get("truth"), dict):
            self._record(message["truth"])
        else:
            raise TypeError(
                "a message is {append: {kind, value}} or {truth: {...}}; "
                f"this one has {sorted(message)}"
            )

    def _append(self, kind: str, value: Mapping[str, Any]) -> float:
        if not isinstance(kind, str) or not isinstance(value, dict):
            raise TypeError("append needs a text 'kind' and an object 'value'")
        t_s = max(self._now() - self.epoch_host_s, self._watermark_s + 1e-6)
        self.history.append(t_s, kind, value)
        self._watermark_s = t_s
        for client in list(self._clients.values()):
            self._tell(client, _input_message(t_s, kind, value))
        self._record({"kind": "input", "t_s": t_s, "input": kind, "value": value})
        return t_s

    def _tell_watermark(self) -> None:
        now_s = self._now() - self.epoch_host_s
        self._watermark_s = max(self._watermark_s, now_s)
        for client in list(self._clients.values()):
            self._tell(client, {"watermark_s": self._watermark_s})

    def _tell(self, client: _Client, message: Mapping[str, Any]) -> None:
        client.unsent += lab_wire.encode(message)
        self._flush(client)

    def _flush(self, client: _Client) -> None:
        if client.connection not in self._clients:
            return
        try:
            sent = client.connection.send(client.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return
        client.unsent = client.unsent[sent:]
        if len(client.unsent) > MAX_UNSENT_BYTES:
            _log.warning("a client does not read what the lab sends: dropped")
            self._drop(client)
            return
        wanted = selectors.EVENT_READ
        if client.unsent:
            wanted |= selectors.EVENT_WRITE
        if self._selector.get_key(client.connection).events != wanted:
            self._selector.modify(client.connection, wanted, client)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.connection, None) is not None:
            self._selector.unregister(client.connection)
            client.connection.close()

    def _record(self, record: Mapping[str, Any]) -> None:
        if self._truth is not None:
            self._truth.write(record)

    def _settled_s(self) -> float:
        now_s = self._now() - self.epoch_host_s
        return min(now_s - LAG_S, self._watermark_s - MARGIN_S)

    def _end(self) -> None:
        for client in list(self._clients.values()):
            self._drop(client)
        self._selector.close()
        self._listener.close()
        if self._truth is not None:
            self._truth.advance(self._settled_s())
            self._truth.close()


def _input_message(t_s: float, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"input": {"t_s": t_s, "kind": kind, "value": dict(value)}}
