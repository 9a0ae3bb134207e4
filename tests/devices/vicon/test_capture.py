"""The capture datagram: strict when sent, forgiving when received."""

import contextlib
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import DeviceConnectionError, WireFormatError
from devices.sim.config import LabConfig
from devices.sim.lab import LocalLab
from devices.vicon.capture import (
    CaptureMessage,
    CaptureSender,
    pack_start,
    pack_stop,
    parse_capture,
)
from devices.vicon.config import ViconConfig
from devices.vicon.twin_capture import CaptureListener

PROLOGUE = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
START = (
    f'{PROLOGUE}<CaptureStart><Name VALUE="Trial01"/><Notes VALUE=""/>'
    '<Description VALUE=""/><DatabasePath VALUE="C:/Data/P01/"/><Delay VALUE="33"/>'
    '<PacketID VALUE="1234"/></CaptureStart>\0'
).encode()
STOP = (
    f'{PROLOGUE}<CaptureStop RESULT="SUCCESS"><Name VALUE="Trial01"/>'
    '<DatabasePath VALUE="C:/Data/P01/"/><Delay VALUE="33"/><PacketID VALUE="1235"/>'
    "</CaptureStop>\0"
).encode()
BEGIN = CaptureMessage("start", "Trial01", "", "", "C:/Data/P01/", 33, 1234)
END = CaptureMessage("stop", "Trial01", "", "", "C:/Data/P01/", 33, 1235, "SUCCESS")


def test_as_vicon_prints_it() -> None:
    assert (pack_start(BEGIN), pack_stop(END)) == (START, STOP)
    assert (parse_capture(START), parse_capture(STOP)) == (BEGIN, END)


def test_senders_omit_the_result() -> None:
    assert b"<CaptureStop><Name" in pack_stop(CaptureMessage("stop", "x"))


LOOSE = b"""<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<CaptureStart>
  <PacketID VALUE="7"/>
  <Strange VALUE="1"><Deep/></Strange>
  <Name VALUE="a &amp; b"/>
  <DatabasePath VALUE="D:/"/>
</CaptureStart>
"""


def test_other_senders_are_understood() -> None:
    found = parse_capture(LOOSE)
    assert (found.kind, found.name, found.packet_id) == ("start", "a & b", 7)
    assert parse_capture(b"\0 <CaptureStop/>\0\0").kind == "stop"
    assert parse_capture(b"<CaptureComplete/>").kind == "complete"
    odd = b'<CaptureStart><Delay VALUE="-5"/><PacketID VALUE="many"/></CaptureStart>'
    assert (parse_capture(odd).delay_ms, parse_capture(odd).packet_id) == (0, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello",
        b"<CaptureStart>",
        b"<Other/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><CaptureStart a="&a;"/>',
        b'<!DOCTYPE CaptureStart SYSTEM "file:///etc/passwd"><CaptureStart/>',
        b'<?xml version="1.0" encoding="nonsense"?><CaptureStart/>',
        b"<CaptureStart>" + b" " * 9000 + b"</CaptureStart>",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(WireFormatError):
        parse_capture(data)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_datagram_crashes_the_parser(data: bytes) -> None:
    for attempt in (data, b"<CaptureStart>" + data + b"</CaptureStart>"):
        with contextlib.suppress(WireFormatError):
            parse_capture(attempt)


printable = st.text(st.characters(codec="utf-8"), max_size=20).map(
    lambda text: "".join(c for c in text if c.isprintable())
)


@settings(max_examples=60)
@given(printable, printable, st.integers(0, 2**32 - 1))
def test_round_trip(name: str, notes: str, packet_id: int) -> None:
    sent = CaptureMessage("start", name, notes, "", "C:/", 0, packet_id)
    data = pack_start(sent)
    assert data.endswith(b"\0")
    assert data.count(b"\0") == 1
    assert parse_capture(data) == sent


@pytest.fixture
def listener():
    lab = LocalLab(LabConfig(), Clock())
    listener = CaptureListener(lab, "127.0.0.1", 0)
    yield listener
    listener.close()


class Clock:
    def __init__(self) -> None:
        self.t = 100.0

    def __call__(self) -> float:
        return self.t


def hear(listener: CaptureListener, data: bytes) -> list[tuple[bool, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(data, ("127.0.0.1", listener.port))
    listener.socket.settimeout(2.0)
    listener.socket.recvfrom(1, socket.MSG_PEEK)
    listener.socket.setblocking(False)
    listener.receive()
    listener.advance()
    inputs = listener._lab.history.inputs
    return [(item.value["high"], item.value["name"]) for item in inputs]


def quick(kind: str, packet_id: int | None, delay_ms: int = 0) -> bytes:
    message = CaptureMessage(kind, "T1", delay_ms=delay_ms, packet_id=packet_id)
    return (pack_start if kind == "start" else pack_stop)(message)


def test_line_follows_start_and_stop(listener: CaptureListener) -> None:
    assert hear(listener, quick("start", 1)) == [(True, "T1")]
    assert hear(listener, quick("stop", 2)) == [(True, "T1"), (False, "T1")]


def test_repeated_packets_and_repeated_wishes(listener: CaptureListener) -> None:
    hear(listener, quick("start", 1))
    hear(listener, quick("start", 3))  # already capturing
    hear(listener, quick("stop", 4))
    assert len(hear(listener, quick("start", 1))) == 2  # came again
    assert len(hear(listener, quick("stop", 5))) == 2
    assert len(hear(listener, quick("start", 6))) == 3


def test_nonsense_is_survived(listener: CaptureListener, caplog) -> None:
    assert hear(listener, b"nonsense") == []
    assert "no capture datagram" in caplog.text
    assert hear(listener, b"<CaptureStart/>") == [(True, "")]


def test_delay_is_honoured(listener: CaptureListener) -> None:
    assert hear(listener, quick("start", 1, delay_ms=500)) == []
    listener._lab._now.t += 0.6
    listener.advance()
    assert listener.capturing


def test_sender_counts_and_reaches(listener: CaptureListener) -> None:
    sender = CaptureSender("127.0.0.1", listener.port, first_packet_id=2**32 - 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(2.0)
        sender.port = receiver.getsockname()[1]
        sender.start("T 1", notes="first")
        sender.stop("T 1")
        first, second = (parse_capture(receiver.recv(4096)) for _ in range(2))
    sender.close()
    assert (first.kind, first.notes, first.packet_id) == ("start", "first", 2**32 - 1)
    assert (second.kind, second.packet_id) == ("stop", 0)


def test_sender_of_a_config() -> None:
    config = ViconConfig(host="10.0.0.5")
    senders = [
        CaptureSender.of(config),
        CaptureSender.of(
            config.model_copy(update={"capture": _capture(broadcast=True)})
        ),
        CaptureSender.of(
            config.model_copy(update={"capture": _capture(host="10.0.0.9")})
        ),
    ]
    assert [s.host for s in senders] == ["10.0.0.5", "255.255.255.255", "10.0.0.9"]
    assert {s.port for s in senders} == {30}
    for sender in senders:
        sender.close()


def _capture(**settings: object):
    from devices.vicon.config import CaptureConfig

    return CaptureConfig.model_validate(settings)


def test_sender_errors() -> None:
    sender = CaptureSender("no.such.host.invalid", 30)
    with pytest.raises(ValueError, match="needs a name"):
        sender.start(" ")
    with pytest.raises(DeviceConnectionError, match=r"capture\.host"):
        sender.stop("T1")
    sender.close()
