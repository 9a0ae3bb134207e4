"""The client's side of the protocol, over a link whose bytes the test writes."""

import pytest

from devices.errors import DeviceTimeoutError, WireFormatError
from devices.vicon import twin_pack, wire
from devices.vicon.client import PING_PERIOD_S, PREFETCH_FRAMES, CgStreamClient
from devices.vicon.twin_pack import Object, framed
from devices.vicon.wire import ObjectId
from tests.builders.vicon_session import dynamics, loads, session, subject, sync

EVERYTHING = frozenset(range(1, 45)) | {100004}


class Script:
    """A link: `incoming` is what the server says, `sent` what the client said."""

    def __init__(self) -> None:
        self.t = 0.0
        self.incoming: list[bytes] = [framed([twin_pack.object_enums(EVERYTHING)])]
        self.sent: list[tuple[int, bytes]] = []

    def now(self) -> float:
        return self.t

    def open(self, timeout_s: float) -> None: ...
    def close(self) -> None: ...

    def send(self, data: bytes) -> None:
        (packet,) = wire.Deframer().feed(data)
        self.sent += [(id_, bytes(body)) for id_, body in wire.split_objects(packet)]

    def receive(self, timeout_s: float) -> tuple[bytes, float]:
        if self.incoming:
            return self.incoming.pop(0), self.t
        self.t += timeout_s
        return b"", self.t

    def says(self, *objects: Object) -> None:
        self.incoming.append(framed(objects))


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def client(script: Script) -> CgStreamClient:
    client = CgStreamClient(script, "vicon at test", EVERYTHING - {7, 9}, script.now)
    client.open(1.0)
    return client


def test_subscribes_to_what_there_is_of_what_is_wanted(script: Script) -> None:
    script.incoming = [framed([twin_pack.object_enums({1, 5, 6, 4711})])]
    client = CgStreamClient(script, "vicon", frozenset({1, 6, 10}), script.now)
    client.open(1.0)
    ((id_, body),) = script.sent
    assert (id_, wire.parse_enums(body)) == (ObjectId.OBJECT_ENUMS, {1, 6})


def test_silent_server_is_told_apart(script: Script) -> None:
    script.incoming = []
    client = CgStreamClient(script, "vicon at test", EVERYTHING, script.now)
    with pytest.raises(DeviceTimeoutError, match="speaks first"):
        client.open(2.0)
    assert script.t == pytest.approx(2.0)


def test_first_packet_must_be_the_hello(script: Script) -> None:
    script.incoming = [framed(dynamics(1))]
    client = CgStreamClient(script, "vicon at test", EVERYTHING, script.now)
    with pytest.raises(WireFormatError, match=r"vicon at test.*FRAME_INFO.*not OBJECT"):
        client.open(1.0)


def test_frame_and_its_statics(client: CgStreamClient, script: Script) -> None:
    script.says(*session(), *dynamics(5))
    script.says(*dynamics(6))
    first, second = client.poll(0.1) + client.poll(0.1)
    assert (first.frame_id, second.frame_id, second.number) == (5, 6, 7)
    assert first.statics is second.statics
    assert first.statics.subjects[0].name == "P43"
    assert first.latency_s == pytest.approx(0.006)


def test_equal_statics_again_change_nothing(
    client: CgStreamClient, script: Script
) -> None:
    for number in range(3):
        script.says(*session(), *dynamics(number))
    first, _, third = client.poll(0) + client.poll(0) + client.poll(0)
    assert third.statics is first.statics


def test_new_statics_replace_all_old_ones(
    client: CgStreamClient, script: Script
) -> None:
    script.says(*session(), *dynamics(1))
    script.says(subject("P44"), *dynamics(2))
    first, second = client.poll(0) + client.poll(0)
    assert first.statics.subjects[0].name == "P43"
    assert second.statics.subjects[0].name == "P44"
    assert (second.statics.devices, second.statics.period_ticks) == ((), 0)


def test_unchanged_statics_are_kept(client: CgStreamClient, script: Script) -> None:
    script.says(*session(), *dynamics(1))
    script.says(twin_pack.contents({}, [1, 3, 4]), subject("P44"), *dynamics(2))
    _, second = client.poll(0) + client.poll(0)
    assert second.statics.subjects[0].name == "P44"
    assert len(second.statics.devices) == 2
    assert second.statics.period_ticks == 1_350_000


def test_unchanged_dynamics_but_never_samples(
    client: CgStreamClient, script: Script
) -> None:
    script.says(*session(), *dynamics(1))
    script.says(twin_pack.contents({}, [6, 10]), twin_pack.frame_info(2), sync(2))
    _, second = client.poll(0) + client.poll(0)
    assert second.labeled["position_mm"][0, 0] == 1.0
    assert [samples.object_id for samples in second.samples] == [13]


def test_what_is_absent_is_empty(client: CgStreamClient, script: Script) -> None:
    script.says(*session(), *dynamics(1))
    script.says(twin_pack.frame_info(2))
    _, second = client.poll(0) + client.poll(0)
    assert second.labeled.size == 0
    assert second.samples == ()


def test_packets_without_a_frame(client: CgStreamClient, script: Script) -> None:
    script.incoming.append(wire.packet())
    script.says(*session())
    script.says(*loads(3))
    script.says(twin_pack.frame_info(wire.NO_FRAME), *loads(3))
    script.says((ObjectId.KEEP_ALIVE, b""))
    for _ in range(5):
        assert client.poll(0) == []
    assert client.statics.subjects[0].name == "P43"


def test_two_frames_in_one_read(client: CgStreamClient, script: Script) -> None:
    script.incoming.append(framed(dynamics(1)) + framed(dynamics(2)))
    assert [frame.frame_id for frame in client.poll(0)] == [1, 2]


def requests(script: Script) -> list[tuple[int, bytes]]:
    return [item for item in script.sent if item[0] not in (100001, 42)]


def test_push(client: CgStreamClient, script: Script) -> None:
    client.start("push")
    script.says(*dynamics(1))
    client.poll(0)
    client.stop()
    assert requests(script) == [(100002, b"\1"), (100002, b"\0")]


def test_pull_asks_for_each_frame(client: CgStreamClient, script: Script) -> None:
    client.start("pull")
    script.says(*dynamics(1))
    client.poll(0)
    client.stop()
    assert requests(script) == [(100002, b"\0")] * 2


def test_prefetch_keeps_some_under_way(client: CgStreamClient, script: Script) -> None:
    client.start("prefetch")
    script.says(*dynamics(1))
    client.poll(0)
    assert requests(script) == [
        (100008, bytes([PREFETCH_FRAMES, 0, 0, 0])),
        (100008, b"\1\0\0\0"),
    ]


def test_start_drops_what_was_under_way(client: CgStreamClient, script: Script) -> None:
    script.says(*session(), *dynamics(1))
    client.start("push")
    script.says(*dynamics(9))
    assert [frame.frame_id for frame in client.poll(0)] == [9]
    assert client.statics.subjects[0].name == "P43"


def test_pings_measure_the_round_trip(client: CgStreamClient, script: Script) -> None:
    client.poll(0)
    number = wire.parse_ping(script.sent[-1][1])
    script.t += 0.003
    script.says(twin_pack.ping(number + 17))
    script.says(twin_pack.ping(number))
    client.poll(0)
    assert client.round_trip_s is None
    client.poll(0)
    assert client.round_trip_s == pytest.approx(0.003)
    script.t += PING_PERIOD_S
    client.poll(0)
    assert [id_ for id_, _ in script.sent].count(42) == 2


def test_damage_is_told_with_the_place(client: CgStreamClient, script: Script) -> None:
    script.says((6, b"\1\0\0\0short"))
    with pytest.raises(WireFormatError, match=r"vicon at test: LABELED_RECONS"):
        client.poll(0)
