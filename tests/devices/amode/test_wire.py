"""The frame parser, against vectors and packing that are not its own."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.amode.wire import HEADER_BYTES, SEARCH_BYTES, FrameParser
from devices.errors import WireFormatError

#: written down by hand: 2 probes of 3 int16 samples, seq 0x01020304, tick 1 500 000 000
#: ns = 0x59682F00, flags 1 (trigger); the CRC from the polynomial, bit by bit, below
GOLDEN_BODY = bytes.fromhex(
    "414d5553"  # AMUS
    "01"  # version
    "01"  # flags
    "2000"  # header 32 bytes
    "04030201"  # seq
    "002f685900000000"  # tick, ns
    "0200"  # probes
    "0300"  # samples per line
    "01"  # int16
    "000000"  # reserved
    "0c000000"  # payload 12 bytes
    "0100feff0300fcff0500faff"  # 1 -2 3 / -4 5 -6
)


def crc32_by_hand(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def pack(seq=0, flags=0, tick_ns=0, values=((1, 2, 3),), code=1):
    payload = np.array(values, {0: "u1", 1: "<i2", 2: "<u2", 3: "<i4"}[code])
    body = b"AMUS" + struct.pack(
        "<BBHIQHHB3xI",
        1,
        flags,
        32,
        seq,
        tick_ns,
        *payload.shape,
        code,
        payload.nbytes,
    )
    body += payload.tobytes()
    return body + struct.pack("<I", zlib.crc32(body))


def test_golden_frame():
    assert len(GOLDEN_BODY) == HEADER_BYTES + 12
    packet = GOLDEN_BODY + crc32_by_hand(GOLDEN_BODY).to_bytes(4, "little")
    (frame,) = FrameParser().feed(packet)
    assert frame.seq == 0x01020304
    assert frame.tick_ns == 1_500_000_000
    assert frame.trigger
    assert not frame.refilled
    np.testing.assert_array_equal(frame.lines, [[1, -2, 3], [-4, 5, -6]])
    assert pack(0x01020304, 1, 1_500_000_000, [[1, -2, 3], [-4, 5, -6]]) == packet


frames = st.builds(
    pack,
    seq=st.integers(0, 2**32 - 1),
    flags=st.integers(0, 7),
    tick_ns=st.integers(0, 2**64 - 1),
    values=st.lists(
        st.lists(st.integers(0, 255), min_size=4, max_size=4), min_size=1, max_size=3
    ),
    code=st.integers(0, 3),
)


@given(st.lists(frames, max_size=6), st.data())
def test_any_split_gives_the_same_frames(packets, data):
    stream = b"".join(packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser, found = FrameParser(), []
    for first, last in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[first:last])
    assert [frame.seq for frame in found] == [
        struct.unpack_from("<I", packet, 8)[0] for packet in packets
    ]
    assert parser.n_crc_errors == parser.n_skipped_bytes == 0


@given(st.binary(max_size=60), st.lists(frames, min_size=1, max_size=3))
@settings(max_examples=50)
def test_frames_after_garbage_are_found(garbage, packets):
    found = FrameParser(1000).feed(garbage + b"".join(packets) + bytes(1100))
    assert [frame.seq for frame in found[-len(packets) :]] == [
        struct.unpack_from("<I", packet, 8)[0] for packet in packets
    ]


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_wrong_byte_loses_that_frame_and_no_other(at, flip):
    packets = [pack(seq=k, values=[[k] * 20]) for k in range(4)]
    damaged = bytearray(packets[1])
    damaged[at % len(damaged)] ^= flip
    stream = packets[0] + bytes(damaged) + packets[2] + packets[3] + bytes(300)
    parser = FrameParser(200)
    assert [frame.seq for frame in parser.feed(stream)] == [0, 2, 3]
    assert parser.n_skipped_bytes >= len(packets[1])


def test_a_frame_hidden_behind_a_false_magic_is_found():
    packet = pack(seq=7)
    assert FrameParser().feed(b"AMUS" + packet)[0].seq == 7
    false = packet[:32]  # a whole header that belongs to nothing
    parser = FrameParser()
    assert [frame.seq for frame in parser.feed(false + packet)] == [7]
    assert parser.n_crc_errors == 1


def test_a_header_that_promises_too_much_is_no_header():
    body = b"AMUS" + struct.pack(
        "<BBHIQHHB3xI", 1, 0, 32, 1, 0, 9000, 9000, 0, 81000000
    )
    assert FrameParser().feed(body + pack(seq=3))[0].seq == 3


@pytest.mark.parametrize("text", [b"HTTP/1.1 200 OK\r\n", b"\0", b"AMU"])
def test_endless_bytes_without_a_frame_are_another_protocol(text):
    parser = FrameParser()
    data = text * ((SEARCH_BYTES + 1000) // len(text))
    with pytest.raises(WireFormatError, match="another program"):
        parser.feed(data)
