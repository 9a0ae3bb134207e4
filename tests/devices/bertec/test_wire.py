"""Golden vectors in both directions, and a parser that survives any split."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.bertec.wire import (
    STATUS_BYTES,
    Command,
    Status,
    StatusParser,
    pack_command,
    pack_status,
    unpack_command,
    unpack_status,
)
from devices.errors import WireFormatError

GOLDEN_COMMANDS = [
    (
        Command(800, 1200, 500, 500, 0),
        "0004b003200000000001f401f4000000000000fb4ffcdffffffffffe0bfe0bffffffffffff",
    ),
    (
        Command(0, 0, 1000, 1000, 0),
        "00000000000000000003e803e8000000000000fffffffffffffffffc17fc17ffffffffffff",
    ),
    (
        Command(-500, -500, 250, 250, 500),
        "00fe0cfe0c0000000000fa00fa0000000001f401f301f3ffffffffff05ff05fffffffffe0b",
    ),
]
GOLDEN_STATUS = (
    Status(801, 1198, 500),
    bytes.fromhex("0004ae03210000000001f4") + bytes(21),
)

statuses = st.builds(
    Status,
    st.integers(-12_000, 12_000),
    st.integers(-12_000, 12_000),
    st.integers(-4_500, 4_500),
)


@pytest.mark.parametrize(("command", "text"), GOLDEN_COMMANDS)
def test_golden_commands(command, text):
    packet = bytes.fromhex(text) + bytes(27)
    assert pack_command(command) == packet
    assert unpack_command(packet) == command


def test_golden_status():
    status, packet = GOLDEN_STATUS
    assert len(packet) == STATUS_BYTES
    assert pack_status(status) == packet
    assert unpack_status(packet) == status
    assert (status.left_mps, status.right_mps, status.incline_deg) == (0.801, 1.198, 5)


def test_a_speed_that_does_not_fit_is_an_error_not_a_wrap():
    with pytest.raises(struct.error):
        pack_command(Command(40_000, 0, 1, 1, 0))


@given(st.integers(1, 36), st.integers(1, 255))
def test_any_flipped_byte_of_a_command_is_refused(at, flip):
    packet = bytearray(pack_command(Command(800, 1200, 500, 500, 250)))
    packet[at] ^= flip
    with pytest.raises(WireFormatError):
        unpack_command(bytes(packet))


@pytest.mark.parametrize("packet", [b"", bytes(63), bytes(65), b"\x01" + bytes(63)])
def test_a_command_of_wrong_length_or_format_is_refused(packet):
    with pytest.raises(WireFormatError):
        unpack_command(packet)


@given(st.lists(statuses, max_size=20), st.data())
def test_any_split_gives_the_same_statuses(sent, data):
    stream = b"".join(pack_status(status) for status in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    parser, found = StatusParser(), []
    for first, last in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[first:last])
    assert found == sent
    assert parser.n_skipped_bytes == 0


@given(st.binary(min_size=1, max_size=200))
def test_garbage_gives_statuses_or_a_wire_error_and_nothing_else(data):
    parser = StatusParser()
    try:
        found = parser.feed(data)
    except WireFormatError:
        return
    assert len(found) <= len(data) // STATUS_BYTES


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0", b"\xff" * 32, b"\0abc" * 8],
)
def test_another_protocol_is_named_at_once(data):
    with pytest.raises(WireFormatError, match="not a Bertec status"):
        StatusParser().feed(data)


def test_bytes_lost_in_the_middle_are_skipped_and_counted():
    status = Status(1000, 1003, 517)
    packets = [pack_status(status)] * 6
    parser = StatusParser()
    found = parser.feed(packets[0] + packets[1][:13] + b"".join(packets[2:]))
    assert found == [status] * 5
    assert parser.n_skipped_bytes == 13


def test_endless_garbage_after_a_good_start_is_given_up():
    parser = StatusParser()
    assert parser.feed(pack_status(Status(0, 0, 0)))
    with pytest.raises(WireFormatError):
        parser.feed(b"\x07" * 400)
