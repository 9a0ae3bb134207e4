from dataclasses import replace

import pytest

from acquire.storage.stream_description import header_xml, source_id
from acquire.storage.stream_header import StreamHeaderError, parse_header
from devices.stream import Channel, Counter, StreamSpec, TriggerInput

SPEC = StreamSpec(
    "semg",
    "EMG",
    2000.0,
    (Channel("R_TA", "uV", "EMG", 0.1), Channel("sync", "V"), Channel("index")),
    serial="N7 & co",
    generation=2,
    counter=Counter("device", "index", 2**24),
    trigger=TriggerInput("sync", "digital", "gates", 0.0017, 0.05),
    metadata={
        "acquisition": {"manufacturer": "Noraxon <U.S.A.>", "compensated_lag": 0.0},
        "synchronization": {"can_drop_samples": True},
        "plates": [
            {"name": "left", "corners": ["0 0 0", "1 0 0"]},
            {"name": "right"},
        ],
    },
)
OURS = {"device": "noraxon", "kind": "noraxon", "simulated": True, "waveform": "level"}


def foreign(body: str) -> str:
    return f'<?xml version="1.0"?><info>{body}</info>'


def test_header_returns_what_the_spec_says() -> None:
    header = parse_header(
        header_xml(
            SPEC, **OURS, uid="u-1", hostname="lab", session_id="s", created_at_s=1.5
        )
    )
    assert header.channels == SPEC.channels
    assert (header.counter, header.trigger) == (SPEC.counter, SPEC.trigger)
    assert header.source_id == "kinemuse:noraxon:N7 & co:semg:2"
    assert (header.name, header.type, header.rate_hz) == ("semg", "EMG", 2000.0)
    assert (header.dtype, header.generation, header.serial) == ("float32", 2, "N7 & co")
    assert (header.device, header.kind, header.layout_version) == (
        "noraxon",
        "noraxon",
        1,
    )
    assert header.simulated
    assert header.waveform == "level"
    assert (header.uid, header.hostname, header.session_id) == ("u-1", "lab", "s")
    assert header.created_at_s == 1.5
    assert header.gated
    assert (header.counter_column, header.trigger_column) == (2, 1)


def test_metadata_comes_back_as_nested_text() -> None:
    assert parse_header(header_xml(SPEC, **OURS)).metadata == {
        "acquisition": {"manufacturer": "Noraxon <U.S.A.>", "compensated_lag": "0.0"},
        "synchronization": {"can_drop_samples": "true"},
        "plates": [
            {"name": "left", "corners": ["0 0 0", "1 0 0"]},
            {"name": "right"},
        ],
    }


def test_source_id_has_a_generation_only_once_it_changed() -> None:
    assert source_id(replace(SPEC, generation=0), "x") == "kinemuse:x:N7 & co:semg"


@pytest.mark.parametrize("key", ["channels", "kinemuse", "50 Hz", "2nd", "a:b"])
def test_metadata_keys_that_cannot_be_written_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="metadata"):
        header_xml(replace(SPEC, metadata={key: "1"}), **OURS)


def test_control_characters_do_not_break_the_header() -> None:
    spec = replace(SPEC, metadata={"note": "a\x00b\x07c"})
    assert parse_header(header_xml(spec, **OURS)).metadata == {"note": "abc"}


def test_foreign_stream_without_description() -> None:
    header = parse_header(
        foreign(
            "<name>EEG</name><type>EEG</type><channel_count>3</channel_count>"
            "<channel_format>double64</channel_format><nominal_srate>0</nominal_srate>"
        )
    )
    assert header.labels == ("ch0", "ch1", "ch2")
    assert header.dtype == "float64"
    assert header.counter == Counter("none")
    assert header.counter_column is None
    assert header.trigger is None
    assert not header.simulated
    assert (header.waveform, header.source_id) == ("unknown", "")


def test_channels_described_in_part_are_filled_up() -> None:
    header = parse_header(
        foreign(
            "<name>m</name><channel_count>2</channel_count>"
            "<channel_format>int64</channel_format><desc><channels>"
            "<channel><label>a</label><unit>V</unit></channel></channels>"
            "<marker>x</marker><marker>y</marker></desc>"
        )
    )
    assert header.channels == (Channel("a", "V"), Channel("ch1"))
    assert header.metadata == {"marker": ["x", "y"]}


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("no xml", "not XML"),
        (foreign("<name>a</name><channel_format>float16</channel_format>"), "float16"),
        (foreign("<name>a</name><channel_format>int8</channel_format>"), "count"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><info/>', "DTD"),
    ],
)
def test_unusable_headers_are_refused(xml: str, message: str) -> None:
    with pytest.raises(StreamHeaderError, match=message):
        parse_header(xml)


def test_bytes_and_padding_are_accepted() -> None:
    xml = header_xml(SPEC, **OURS).encode() + b"\x00\n"
    assert parse_header(xml).name == "semg"
