"""Framing and control messages: real bytes in both directions, and damage."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import WireFormatError
from devices.vicon import frames, objects, twin_pack, wire
from devices.vicon.client import CgStreamClient
from devices.vicon.wire import Deframer, ObjectId

HELLO = bytes.fromhex(
    "01002b1a 14000000 a1860100 0c000000 02000000 05000000 06000000".replace(" ", "")
)
PUSH = bytes.fromhex("01002b1a 09000000 a2860100 01000000 01".replace(" ", ""))
PING = bytes.fromhex(
    "01002b1a 10000000 2a000000 08000000 01ac1b059a7f0000".replace(" ", "")
)
FRAME = (
    bytes.fromhex("01002b1ac2000000")
    + bytes.fromhex("0100000008000000 7099140000000000".replace(" ", ""))
    + bytes.fromhex("020000001e000000 01000000 01000000".replace(" ", ""))
    + b"S"
    + bytes.fromhex("00000000 01000000 01000000 01000000".replace(" ", ""))
    + b"a"
    + bytes.fromhex("00000000")
    + bytes.fromhex("0500000004000000 05000000".replace(" ", ""))
    + bytes.fromhex("0600000078000000 01000000 01000000 01000000".replace(" ", ""))
    + struct.pack("<13d", 7.0, 1.0, 2.0, 3.0, *[0.0] * 9)
    + bytes(4)
)


def only(data: bytes) -> list[tuple[int, bytes]]:
    (packet,) = Deframer().feed(data)
    return [(id_, bytes(body)) for id_, body in wire.split_objects(packet)]


def test_hello() -> None:
    assert wire.pack_enums({6, 5}) == HELLO
    assert twin_pack.framed([twin_pack.object_enums({6, 5})]) == HELLO
    ((id_, body),) = only(HELLO)
    assert id_ == ObjectId.OBJECT_ENUMS
    assert wire.parse_enums(body) == {5, 6}


def test_push_request() -> None:
    assert wire.pack_request(streaming=True) == PUSH
    ((id_, body),) = only(PUSH)
    assert id_ == ObjectId.REQUEST_FRAME
    assert wire.parse_request(body) is True


def test_ping() -> None:
    number = 0x7F9A051BAC01
    assert wire.pack_ping(number) == PING
    assert twin_pack.framed([twin_pack.ping(number)]) == PING
    ((id_, body),) = only(PING)
    assert (id_, wire.parse_ping(body)) == (ObjectId.PING, number)


def test_next_request() -> None:
    ((id_, body),) = only(wire.pack_request_next(3))
    assert (id_, body) == (100008, b"\3\0\0\0")
    assert wire.parse_request_next(body) == 3


def test_real_frame_is_read() -> None:
    assert len(FRAME) == 202
    found = dict(only(FRAME))
    assert objects.stream_period(found[1]) == 1_350_000
    subject = objects.subject(found[2])
    assert (subject.name, subject.markers, subject.segments) == ("S", ((1, "a"),), ())
    frame = frames.decode_frame(only(FRAME), objects.Statics(), 0.0)
    assert frame is not None
    assert frame.number == 6
    (recon,) = frame.labeled
    assert (recon["subject"], recon["marker"], recon["radius_mm"]) == (1, 1, 7.0)
    assert recon["position_mm"].tolist() == [1.0, 2.0, 3.0]


def test_real_frame_is_packed() -> None:
    packed = twin_pack.framed(
        [
            twin_pack.stream_info(1_350_000),
            twin_pack.subject_info(1, "S", [(1, "a")]),
            twin_pack.frame_info(5),
            twin_pack.labeled_recons([(1, 1, (1.0, 2.0, 3.0))], 7.0),
        ]
    )
    assert packed == FRAME


def test_records_have_the_sizes_of_the_wire() -> None:
    sizes = [d.itemsize for d in (frames.LABELED, frames.UNLABELED)]
    assert sizes == [116, 108]
    assert frames.SEGMENT_POSE.itemsize == 100
    assert objects.TOPOLOGY.itemsize == 100


def test_empty_packet_is_legal() -> None:
    assert Deframer().feed(wire.packet()) == [b""]
    assert wire.split_objects(b"") == []


def test_unknown_objects_and_trailing_bytes_pass() -> None:
    data = twin_pack.framed([(999, b"??"), (5, struct.pack("<I", 7) + b"more")])
    frame = frames.decode_frame(only(data), objects.Statics(), 0.0)
    assert frame is not None
    assert frame.frame_id == 7


def test_lying_length_is_refused_before_it_is_buffered() -> None:
    header = struct.pack("<II", wire.PACKET_ID, wire.MAX_PACKET_BYTES + 1)
    with pytest.raises(WireFormatError, match="taken for damage"):
        Deframer().feed(header)


@pytest.mark.parametrize("peer", [b"SSH-2.0-OpenSSH", b"HTTP/1.1 400 Bad Request"])
def test_another_protocol_is_named(peer: bytes) -> None:
    with pytest.raises(WireFormatError, match=r"not a CGStream packet.*(SSH|HTTP)"):
        Deframer().feed(peer)


def test_truncated_objects_are_named_with_their_offset() -> None:
    body = FRAME[8:]
    with pytest.raises(WireFormatError, match=r"LABELED_RECONS \(6\) at offset 74"):
        wire.split_objects(body[:-1])
    with pytest.raises(WireFormatError, match=r"object header at offset 66"):
        wire.split_objects(body[:70])
    labeled = dict(only(FRAME))[6]
    with pytest.raises(WireFormatError, match=r"LABELED_RECONS \(6\) ends early.*off"):
        frames.labeled(labeled[:-1])


def test_lying_count_allocates_nothing() -> None:
    with pytest.raises(WireFormatError, match=r"4294967295 items of 116 bytes"):
        frames.labeled(b"\xff\xff\xff\xff")
    with pytest.raises(WireFormatError, match=r"SUBJECT_INFO"):
        objects.subject(struct.pack("<II", 1, 0) + b"\xff\xff\xff\xff")


@settings(max_examples=60)
@given(st.lists(st.integers(1, 60), max_size=30))
def test_any_split_gives_the_same_packets(cuts: list[int]) -> None:
    data = HELLO + FRAME + wire.packet() + PING
    deframer, packets, at = Deframer(), [], 0
    for cut in [*cuts, len(data)]:
        packets += deframer.feed(data[at : at + cut])
        at += cut
    assert packets == Deframer().feed(data)
    assert len(packets) == 4


DECODERS = [
    objects.stream_period,
    objects.application_y_up,
    objects.subject,
    objects.topology,
    objects.subject_health,
    objects.object_quality,
    objects.device,
    objects.device_start,
    objects.channel,
    objects.channel_unit,
    objects.plate_pose,
    frames.frame_id,
    frames.hardware_frame,
    frames.timecode,
    frames.latency,
    frames.frame_rates,
    frames.labeled,
    frames.unlabeled,
    lambda body: frames.segments(body, ObjectId.GLOBAL_SEGMENTS),
    lambda body: frames.samples(body, ObjectId.FORCE_FRAME),
    wire.parse_enums,
    wire.parse_request,
    wire.parse_request_next,
    wire.parse_ping,
    wire.parse_unchanged,
]


@settings(max_examples=60)
@given(st.sampled_from(DECODERS), st.binary(max_size=400))
def test_any_body_is_read_or_refused(decode, body: bytes) -> None:
    with suppress(WireFormatError):
        decode(body)


class DeafLink:
    """A link that delivers chosen bytes and swallows what is sent."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def open(self, timeout_s: float) -> None: ...
    def send(self, data: bytes) -> None: ...
    def close(self) -> None: ...

    def receive(self, timeout_s: float) -> tuple[bytes, float]:  # noqa: ARG002
        return (self.pieces.pop(0) if self.pieces else b""), 0.0


junk = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda id_, body: twin_pack.framed([(id_, body)]),
        st.sampled_from([*(int(i) for i in ObjectId), 999]),
        st.binary(max_size=200),
    ),
)


@settings(max_examples=60)
@given(st.lists(junk, max_size=12))
def test_client_survives_any_bytes(pieces: list[bytes]) -> None:
    link = DeafLink([HELLO, *pieces])
    client = CgStreamClient(link, "test", frozenset(range(50)), lambda: 0.0)
    client.open(1.0)
    with suppress(WireFormatError):
        while link.pieces:
            client.poll(0.0)


@settings(max_examples=60)
@given(st.binary(min_size=8, max_size=300), st.lists(st.integers(1, 50), max_size=20))
def test_deframer_survives_any_bytes(data: bytes, cuts: list[int]) -> None:
    deframer, at = Deframer(), 0
    with suppress(WireFormatError):
        for cut in [*cuts, len(data)]:
            deframer.feed(data[at : at + cut])
            at += cut
