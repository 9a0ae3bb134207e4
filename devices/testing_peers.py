"""Peers for tests of adapters: a proxy that mangles timing, and wrong protocols."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, Self


class Steps(Protocol):
    """What `serving` runs: a twin."""

    def step(self, timeout_s: float) -> None: ...
    def close(self) -> None: ...


class Proxy:
    """A TCP proxy to a local port that splits, merges and delays what passes.

    Bytes keep their order and none is lost: only an adapter that takes one segment
    for one message can tell. Each direction waits up to `delay_s`, then sends what has
    gathered in random pieces.
    """

    def __init__(self, port: int, *, seed: int = 1, delay_s: float = 0.02) -> None:
        self._target, self._seed, self._delay_s = port, seed, delay_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        _shut(self._listener)
        for pair in self._pairs:
            for end in pair:
                _shut(end)
        for thread in self._threads:
            thread.join(2.0)

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 2.0)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            for ends in ((client, server), (server, client)):
                thread = threading.Thread(target=self._pump, args=ends, daemon=True)
                thread.start()
                self._threads.append(thread)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        chance = random.Random(self._seed)
        try:
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := source.recv(1 << 16):
                self._ended.wait(chance.random() * self._delay_s)
                while data:
                    n = chance.choice((1, 3, 31, 257, len(data)))
                    sink.sendall(data[:n])
                    data = data[n:]
        except OSError:
            pass
        finally:
            _shut(source)
            _shut(sink)


@contextlib.contextmanager
def serving(twin: Steps) -> Iterator[None]:
    """Step a twin in a thread of its own while the block runs."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def steps() -> None:
        try:
            while not ended.is_set():
                twin.step(0.01)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=steps, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5.0)
        twin.close()
    if failed:
        raise failed[0]


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """Give a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    yield port


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """Accept connections and never say a word."""
    with _answering(None) as port:
        yield port


@contextlib.contextmanager
def garbage() -> Iterator[int]:
    """Greet with bytes of no protocol."""
    with _answering(random.Random(7).randbytes(4096)) as port:
        yield port


@contextlib.contextmanager
def closing() -> Iterator[int]:
    """Close every connection at once."""
    with _answering(b"") as port:
        yield port


@contextlib.contextmanager
def http() -> Iterator[int]:
    """Serve the web, but no path of ours."""
    server = _WebServer(("127.0.0.1", 0), _NotFound)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2.0)


@contextlib.contextmanager
def _answering(greeting: bytes | None) -> Iterator[int]:
    """Serve connections: greet and keep (bytes), keep (None), or close (empty)."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                kept.append(client)
                if greeting:
                    client.sendall(greeting)
                elif greeting is not None:
                    _shut(client)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        _shut(listener)
        for client in kept:
            _shut(client)
        thread.join(2.0)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True


class _NotFound(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""
