"""The twin's server, step by step: raw clients, no thread."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from devices.vicon import twin_pack, wire
from devices.vicon.twin_server import MAX_QUEUED_BYTES, CgStreamServer
from tests.builders.vicon_session import dynamics, session, subject

SUPPORTED = frozenset(range(1, 41))


@pytest.fixture
def server() -> Iterator[CgStreamServer]:
    server = CgStreamServer("127.0.0.1", 0, SUPPORTED)
    server.describe(session(), 0)
    yield server
    server.close()


class RawClient:
    """Says and hears bytes; `server` is stepped whenever something is due."""

    def __init__(self, server: CgStreamServer) -> None:
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(0.0)
        self.deframer = wire.Deframer()

    def says(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(messages))
        for _ in range(3):
            self.server.poll(0.02)

    def hears(self) -> list[list[int]]:
        """Ids of the objects of each packet that has come."""
        for _ in range(3):
            self.server.poll(0.01)
        found = []
        try:
            while data := self.socket.recv(1 << 20):
                packets = [wire.split_objects(p) for p in self.deframer.feed(data)]
                found += [[id_ for id_, _ in objects] for objects in packets]
        except BlockingIOError:
            pass
        return found


@pytest.fixture
def client(server: CgStreamServer) -> Iterator[RawClient]:
    client = RawClient(server)
    assert client.hears() == [[100001]]
    yield client
    client.socket.close()
    server.poll(0.01)


def test_empty_packets_before_a_subscription(
    server: CgStreamServer, client: RawClient
) -> None:
    client.says(wire.pack_request(streaming=True))
    server.publish(1, dynamics(1))
    assert client.hears() == [[]]
    client.says(wire.pack_enums({}))
    server.publish(2, dynamics(2))
    assert client.hears() == [[]]


def test_all_statics_once_after_each_subscription(
    server: CgStreamServer, client: RawClient
) -> None:
    client.says(wire.pack_enums({1, 2, 5}), wire.pack_request(streaming=True))
    for number in (1, 2):
        server.publish(number, dynamics(number))
    assert client.hears() == [[1, 2, 5], [5]]
    client.says(wire.pack_enums({1, 2, 5, 6}))
    for number in (3, 4):
        server.publish(number, dynamics(number))
    assert client.hears() == [[1, 2, 5, 6], [5, 6]]


def test_statics_again_when_the_session_changes(
    server: CgStreamServer, client: RawClient
) -> None:
    client.says(wire.pack_enums({2, 5}), wire.pack_request(streaming=True))
    server.publish(1, dynamics(1))
    server.describe(session(subject("P44")), 1)
    for number in (2, 3):
        server.publish(number, dynamics(number))
    assert client.hears() == [[2, 5], [2, 5], [5]]


def test_pull_waits_for_a_subscription_and_sends_a_frame_once(
    server: CgStreamServer, client: RawClient
) -> None:
    server.publish(1, dynamics(1))
    client.says(wire.pack_request(streaming=False))
    assert client.hears() == []
    client.says(wire.pack_enums({5}))
    assert client.hears() == [[5]]
    client.says(wire.pack_request(streaming=False))
    assert client.hears() == []
    server.publish(2, dynamics(2))
    server.publish(3, dynamics(3))
    assert client.hears() == [[5]]


def test_next_frames_are_counted(server: CgStreamServer, client: RawClient) -> None:
    client.says(wire.pack_enums({5}), wire.pack_request_next(2))
    for number in range(4):
        server.publish(number, dynamics(number))
    assert client.hears() == [[5], [5]]


def test_ping_comes_back(client: RawClient) -> None:
    client.says(wire.pack_ping(77))
    assert client.hears() == [[42]]


def test_leaving_push_asks_for_one_more(
    server: CgStreamServer, client: RawClient
) -> None:
    client.says(wire.pack_enums({5}), wire.pack_request(streaming=True))
    server.publish(1, dynamics(1))
    client.says(wire.pack_request(streaming=False))
    for number in (2, 3):
        server.publish(number, dynamics(number))
    assert client.hears() == [[5], [5]]


def test_slow_client_loses_whole_frames_and_delays_nobody(
    server: CgStreamServer, client: RawClient
) -> None:
    fast = RawClient(server)
    fast.hears()
    for one in (client, fast):
        one.says(wire.pack_enums({5, 13}), wire.pack_request(streaming=True))
    big = twin_pack.samples(13, 1, 1, 1, np.zeros((20_000, 3)))
    n_heard = 0
    for number in range(60):
        server.publish(number, [twin_pack.frame_info(number), big])
        n_heard += len(fast.hears())
    assert n_heard == 60
    slow, _ = server.clients
    assert slow.n_lost > 10
    assert len(slow.queue) < MAX_QUEUED_BYTES + 300_000
    heard = []
    while more := client.hears():
        heard += more
    assert len(heard) == 60 - slow.n_lost  # and every one of them is whole
    assert slow.queue == b""
    fast.socket.close()
    server.poll(0.01)
    assert list(server.clients) == [slow]


def test_refuse_and_listen_again(server: CgStreamServer, client: RawClient) -> None:
    port = server.port
    server.refuse()
    assert client.socket.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1.0)
    server.listen()
    assert server.port == port
    again = RawClient(server)
    assert again.hears() == [[100001]]
    again.socket.close()
