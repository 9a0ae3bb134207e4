"""A TCP server for one client at a time, as most instruments are."""

import contextlib
import selectors
import socket

MOST_UNSENT_BYTES = 16 << 20
RECEIVE_BYTES = 1 << 16


class OneClientServer:
    """Listens, keeps one client, and never blocks on it.

    A second client is held in the listen queue until the first leaves. `split_bytes`
    above 0 sends at most so many bytes at once: a client must not take one segment
    for one packet. A client that stops reading is dropped once `MOST_UNSENT_BYTES`
    wait for it.
    """

    def __init__(self, host: str, port: int, *, split_bytes: int = 0) -> None:
        self._listener = socket.create_server((host, port), backlog=4)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._split_bytes = split_bytes
        self._client: socket.socket | None = None
        self._unsent = bytearray()
        self.n_clients = 0  #: so far; changes when a new one is there
        self.refuses = False

    @property
    def has_client(self) -> bool:
        return self._client is not None

    def poll(self, timeout_s: float) -> bytes:
        """Wait for something to do; return what the client sent."""
        with selectors.DefaultSelector() as selector:
            if self._client is None:
                selector.register(self._listener, selectors.EVENT_READ)
            else:
                wanted = selectors.EVENT_READ
                wanted |= selectors.EVENT_WRITE if self._unsent else 0
                selector.register(self._client, wanted)
            ready = selector.select(timeout_s)
        if not ready:
            return b""
        if self._client is None:
            self._accept()
            return b""
        self._flush()
        return self._receive()

    def send(self, data: bytes) -> None:
        """Queue bytes for the client, if there is one."""
        if self._client is None:
            return
        self._unsent += data
        if len(self._unsent) > MOST_UNSENT_BYTES:
            self.drop()
        else:
            self._flush()

    def drop(self) -> None:
        """Close the connection to the client."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._unsent.clear()

    def close(self) -> None:
        self.drop()
        self._listener.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if self.refuses:
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self.n_clients += 1

    def _receive(self) -> bytes:
        if self._client is None:
            return b""
        try:
            data = self._client.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            data = b""
        if not data:
            self.drop()
        return data

    def _flush(self) -> None:
        while self._client is not None and self._unsent:
            most = self._split_bytes or len(self._unsent)
            try:
                n_sent = self._client.send(self._unsent[:most])
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                with contextlib.suppress(OSError):
                    self._client.close()
                self.drop()
                return
            del self._unsent[:n_sent]
