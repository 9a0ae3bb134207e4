"""A CGStream server in one thread: any number of clients, none can block it."""

import logging
import selectors
import socket
from collections.abc import Callable, Iterable, Sequence

from devices.errors import WireFormatError
from devices.vicon import twin_pack, wire
from devices.vicon.twin_pack import Object
from devices.vicon.wire import Deframer, ObjectId

log = logging.getLogger("kinemuse.vicon.twin")

MAX_QUEUED_BYTES = 256 << 10
SEND_BUFFER_BYTES = 128 << 10
MAX_QUEUED_REQUESTS = 1000


class Client:
    """One connection: what it wants, what it was sent, what still waits to go out."""

    def __init__(self, connection: socket.socket, peer: str) -> None:
        self.connection, self.peer = connection, peer
        self.deframer = Deframer()
        self.wanted: frozenset[int] | None = None  #: None before the first ObjectEnums
        self.described: tuple[int, frozenset[int]] | None = None
        self.streaming = False
        self.pull = False
        self.n_next = 0
        self.last_frame: int | None = None
        self.queue = bytearray()
        self.n_lost = 0
        self.events = selectors.EVENT_READ  #: what it is registered for

    @property
    def asks(self) -> bool:
        """Whether the next frame should go to it."""
        if self.streaming:
            return True
        return self.wanted is not None and (self.pull or self.n_next > 0)


class CgStreamServer:
    """Speaks first, keeps subscriptions, sends frames; a slow client loses frames.

    Call `poll` often; it does all reading and writing. `publish` hands out a frame.
    Other sockets may share the selector through `watch`.
    """

    def __init__(self, host: str, port: int, supported: Iterable[int]) -> None:
        self._supported = frozenset(supported)
        self._selector = selectors.DefaultSelector()
        self._clients: list[Client] = []
        self._statics: Sequence[Object] = ()
        self.version = -1
        self._latest: tuple[int, Sequence[Object]] | None = None
        self._host = host
        self._listener: socket.socket | None = None
        self.port = port
        self.listen()

    def listen(self) -> None:
        """Accept clients (again); a taken port raises OSError."""
        if self._listener is None:
            listener = _listener(self._host, self.port)
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self._selector.register(listener, selectors.EVENT_READ, self._accept)
            self._listener = listener

    def refuse(self) -> None:
        """Drop all clients and accept none until `listen`."""
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for client in list(self._clients):
            self._drop(client, "the server went away")

    def watch(self, source: socket.socket, on_ready: Callable[[], None]) -> None:
        """Call `on_ready` from `poll` when `source` can be read."""
        self._selector.register(source, selectors.EVENT_READ, on_ready)

    @property
    def clients(self) -> Sequence[Client]:
        return self._clients

    @property
    def wants_frames(self) -> bool:
        """Whether a frame would be seen by anyone."""
        return bool(self._clients)

    def describe(self, statics: Sequence[Object], version: int) -> None:
        """Set the description; every client gets it with its next frame."""
        self._statics, self.version = statics, version

    def publish(self, frame_id: int, dynamics: Sequence[Object]) -> list[Client]:
        """Send a frame to whom it is due; return the clients that lost it."""
        self._latest = frame_id, dynamics
        ready: dict[tuple[frozenset[int] | None, bool], bytes] = {}
        lost = []
        for client in [client for client in self._clients if client.asks]:
            if not client.streaming:
                client.pull, client.n_next = False, max(client.n_next - 1, 0)
            if len(client.queue) > MAX_QUEUED_BYTES:
                client.n_lost += 1
                lost.append(client)
                continue
            key = client.wanted, self._needs_statics(client)
            if key not in ready:
                ready[key] = self._packet(*key, dynamics)
            self._send_frame(client, frame_id, ready[key])
        return lost

    def skip(self) -> None:
        """Let a frame pass that nobody is there to see."""
        self._latest = None

    def poll(self, timeout_s: float) -> None:
        """Wait for the network at most this long and do what there is to do."""
        for key, events in self._selector.select(max(timeout_s, 0.0)):
            if isinstance(key.data, Client):
                if events & selectors.EVENT_WRITE:
                    self._flush(key.data)
                if events & selectors.EVENT_READ:
                    self._read(key.data)
            else:
                key.data()

    def close(self) -> None:
        self.refuse()
        self._selector.close()

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, address = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        client = Client(connection, f"{address[0]}:{address[1]}")
        self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, client)
        log.info("%s connected", client.peer)
        self._send(client, [twin_pack.object_enums(self._supported)])

    def _read(self, client: Client) -> None:
        if client not in self._clients:
            return
        try:
            data = client.connection.recv(1 << 16)
            if not data:
                self._drop(client, "it closed the connection")
                return
            for packet in client.deframer.feed(data):
                for object_id, body in wire.split_objects(packet):
                    self._obey(client, object_id, body)
        except BlockingIOError:
            return
        except (OSError, WireFormatError) as error:
            self._drop(client, str(error))

    def _obey(self, client: Client, object_id: int, body: memoryview) -> None:
        if object_id == ObjectId.OBJECT_ENUMS:
            client.wanted = wire.parse_enums(body) & self._supported
            self._answer_pull(client)
        elif object_id == ObjectId.REQUEST_FRAME:
            client.streaming = wire.parse_request(body)
            client.pull = not client.streaming
            self._answer_pull(client)
        elif object_id == ObjectId.REQUEST_NEXT_FRAME:
            asked = wire.parse_request_next(body)
            client.n_next = min(client.n_next + asked, MAX_QUEUED_REQUESTS)
        elif object_id == ObjectId.PING:
            self._send(client, [twin_pack.ping(wire.parse_ping(body))])

    def _answer_pull(self, client: Client) -> None:
        """Send the latest frame at once, unless it has been seen."""
        if not client.pull or client.wanted is None or self._latest is None:
            return
        frame_id, dynamics = self._latest
        if client.last_frame != frame_id and len(client.queue) <= MAX_QUEUED_BYTES:
            client.pull = False
            with_statics = self._needs_statics(client)
            packet = self._packet(client.wanted, with_statics, dynamics)
            self._send_frame(client, frame_id, packet)

    def _needs_statics(self, client: Client) -> bool:
        now = (self.version, client.wanted) if client.wanted is not None else None
        return now is not None and client.described != now

    def _packet(
        self,
        wanted: frozenset[int] | None,
        with_statics: bool,
        dynamics: Sequence[Object],
    ) -> bytes:
        objects = [*self._statics, *dynamics] if with_statics else dynamics
        return twin_pack.framed(o for o in objects if o[0] in (wanted or ()))

    def _send_frame(self, client: Client, frame_id: int, packet: bytes) -> None:
        if client.wanted is not None:
            client.described = self.version, client.wanted
        client.last_frame = frame_id
        self._enqueue(client, packet)

    def _send(self, client: Client, objects: Sequence[Object]) -> None:
        if len(client.queue) <= MAX_QUEUED_BYTES:
            self._enqueue(client, twin_pack.framed(objects))

    def _enqueue(self, client: Client, packet: bytes) -> None:
        client.queue += packet
        self._flush(client)

    def _flush(self, client: Client) -> None:
        if client not in self._clients:
            return
        try:
            sent = client.connection.send(client.queue) if client.queue else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._drop(client, str(error))
            return
        del client.queue[:sent]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.queue else 0)
        if events != client.events:
            client.events = events
            self._selector.modify(client.connection, events, client)

    def _drop(self, client: Client, why: str) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.connection.close()
            log.info(
                "%s dropped: %s; it lost %d frames", client.peer, why, client.n_lost
            )


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=16)
    except OSError as error:
        raise OSError(f"TCP port {port} of {host} is not free: {error}") from error
