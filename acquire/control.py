"""The one request/reply channel between processes: loopback, token, deadline.

A server answers verbs with JSON objects, each acknowledged after the act. It leaves
its port and token in ``<runtime_dir>/<name>.json`` (readable by the owner alone), so
a client needs the folder and the name, and a restarted server is found again.
"""

import contextlib
import json
import logging
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger("kinemuse.control")

HOST = "127.0.0.1"
MAX_LINE_BYTES = 1 << 20
Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class ControlError(ConnectionError):
    """The other process cannot be reached, or did not answer in time."""


class ControlRefusedError(ControlError):
    """The other process answered, and refused; the message is its own."""


class ControlServer:
    """Answers verbs on a loopback port, each connection on a thread of its own.

    `handlers` map a verb to a function of its arguments. Handlers run concurrently
    and must guard their own state; what they raise reaches the client as
    `ControlRefusedError` with the same message. ``ping`` is always there.
    """

    def __init__(
        self, name: str, handlers: Mapping[str, Handler], runtime_dir: Path
    ) -> None:
        self.name = name
        self._handlers = {"ping": lambda _: {"name": name}, **handlers}
        self._token = secrets.token_hex(16)
        self._server = _Server((HOST, 0), _Connection)
        self._server.answer = self._answer
        self.port = int(self._server.server_address[1])
        self._file = runtime_dir / f"{name}.json"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name=f"control-{name}",
            daemon=True,
        )

    def start(self) -> None:
        """Begin to answer, and leave port and token in the runtime folder."""
        self._thread.start()
        facts = {"host": HOST, "port": self.port, "token": self._token}
        write_private(
            self._file, json.dumps({**facts, "pid": os.getpid(), "name": self.name})
        )

    def close(self) -> None:
        """Stop answering and take the port out of the runtime folder."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=2.0)
        self._server.hang_up()
        self._server.server_close()
        if _read(self._file).get("token") == self._token:
            self._file.unlink(missing_ok=True)

    def __enter__(self) -> "ControlServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        reply: dict[str, Any] = {"id": request.get("id"), "ok": False}
        given = str(request.get("token", ""))
        if not secrets.compare_digest(given, self._token):
            return {**reply, "error": "wrong token"}
        verb = request.get("verb")
        handler = self._handlers.get(str(verb))
        if handler is None:
            have = ", ".join(sorted(self._handlers))
            return {
                **reply,
                "error": f"{self.name} has no verb {verb!r}; it has {have}",
            }
        try:
            result = dict(handler(request.get("arguments") or {}))
        except Exception as error:
            log.info("%s: %s refused: %s", self.name, verb, error)
            return {**reply, "error": str(error) or type(error).__name__}
        return {**reply, "ok": True, "result": result}


class ControlClient:
    """Sends verbs to one server; reconnects by itself when the server restarted.

    Thread-safe; requests are answered one at a time.
    """

    def __init__(self, name: str, runtime_dir: Path) -> None:
        self.name = name
        self._file = runtime_dir / f"{name}.json"
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._token = ""
        self._next_id = 0

    def request(
        self, verb: str, /, timeout_s: float = 5.0, **arguments: object
    ) -> dict[str, Any]:
        """Return the result once the other process has done what was asked.

        Raises
        ------
        ControlRefusedError
            It answered with an error; the message is the one it gave.
        ControlError
            It is not running, or did not answer within `timeout_s`. Whether it
            acted is then unknown.
        """
        with self._lock:
            try:
                reply = self._exchange(verb, timeout_s, arguments)
            except (OSError, ValueError) as error:
                self._drop()
                raise ControlError(
                    f"{self.name} did not answer {verb!r} within {timeout_s:g} s: "
                    f"{error}"
                ) from error
        if not reply.get("ok"):
            raise ControlRefusedError(str(reply.get("error", "no reason given")))
        result = reply.get("result")
        return result if isinstance(result, dict) else {}

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _exchange(
        self, verb: str, timeout_s: float, arguments: Mapping[str, object]
    ) -> dict[str, Any]:
        if self._socket is not None:
            try:
                return self._ask(self._socket, verb, timeout_s, arguments)
            except ConnectionError:  # that server is gone; another may have come
                self._drop()
        return self._ask(self._connect(timeout_s), verb, timeout_s, arguments)

    def _ask(
        self,
        connection: socket.socket,
        verb: str,
        timeout_s: float,
        arguments: Mapping[str, object],
    ) -> dict[str, Any]:
        connection.settimeout(timeout_s)
        self._next_id += 1
        request = {"id": self._next_id, "token": self._token, "verb": verb}
        connection.sendall(json.dumps({**request, "arguments": arguments}).encode())
        connection.sendall(b"\n")
        while b"\n" not in self._buffer:
            data = connection.recv(1 << 16)
            if not data:
                raise ConnectionError("it closed the connection")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        reply = json.loads(line)
        if not isinstance(reply, dict) or reply.get("id") != self._next_id:
            raise ConnectionError(f"answer to another request: {line[:80]!r}")
        return reply

    def _connect(self, timeout_s: float) -> socket.socket:
        facts = _read(self._file)
        if not facts:
            raise ConnectionError(f"it is not running (no {self._file.name})")
        self._token = str(facts["token"])
        address = (str(facts["host"]), int(facts["port"]))
        self._socket = socket.create_connection(address, timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    answer: Callable[[Mapping[str, Any]], dict[str, Any]]

    def __init__(self, address: tuple[str, int], handler: type["_Connection"]) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(address, handler)

    def hang_up(self) -> None:
        """End every conversation, so that clients look for the next server."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = self.server
        if not isinstance(server, _Server):
            raise TypeError(type(server))
        server.connections.add(self.connection)
        try:
            while line := self.rfile.readline(MAX_LINE_BYTES):
                self.wfile.write(json.dumps(_reply(server, line)).encode() + b"\n")
        except OSError as error:
            log.debug("a client went away: %s", error)
        finally:
            server.connections.discard(self.connection)


def _reply(server: _Server, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError:
        return {"id": None, "ok": False, "error": "not a line of JSON"}
    if not isinstance(request, dict):
        return {"id": None, "ok": False, "error": "not a JSON object"}
    return server.answer(request)
