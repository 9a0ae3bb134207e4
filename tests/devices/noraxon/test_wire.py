"""MR's JSON: what is accepted, what is refused, and channels that stay aligned."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import WireFormatError
from devices.noraxon.config import NoraxonConfig
from devices.noraxon.merge import MOST_WAITING, Merger
from devices.noraxon.stream import choose, spec
from devices.noraxon.wire import Batch, Header, parse_headers, parse_samples

HEADERS = (
    b'{"headers":[{"name":"R_TA","type":"real.emg","samplerate":2000,"units":"uV",'
    b'"index":0},{"name":"Sync","type":"switch","samplerate":2000,"units":"","index":7}'
    b',{"name":"acc","type":"vector3.accel","samplerate":200,"units":"g","index":9}]}'
)
ONE = NoraxonConfig(channels={"R_TA": "R_TA"})


def test_golden_headers():
    assert parse_headers(HEADERS) == [
        Header("R_TA", "real.emg", 2000.0, "uV", 0),
        Header("Sync", "switch", 2000.0, "", 7),
        Header("acc", "vector3.accel", 200.0, "g", 9),
    ]
    assert parse_headers(b'{"headers":[]}') == []


def test_golden_samples():
    batches = parse_samples(
        b'{"channels":[{"index":0,"samples":[1.5,-2]},'
        b'{"index":7,"samples":[0,1],"sampleindex":400}]}'
    )
    assert [batch.index for batch in batches] == [0, 7]
    assert batches[0].samples.tolist() == [1.5, -2.0]
    assert batches[0].sample_index is None
    assert batches[1].sample_index == 400
    assert parse_samples(b'{"channels":[]}') == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"channels":{}}',
        b'{"channels":[1]}',
        b'{"channels":[{"index":"0","samples":[]}]}',
        b'{"channels":[{"index":0,"samples":["a"]}]}',
        b'{"channels":[{"index":0,"samples":3}]}',
        b'{"channels":[{"samples":[]}]}',
    ],
)
def test_other_replies_are_wire_errors(body):
    with pytest.raises(WireFormatError):
        parse_samples(body)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.binary())
def test_any_reply_parses_or_is_a_wire_error(reply):
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    for parse in (parse_headers, parse_samples):
        try:
            parse(body)
        except WireFormatError:
            continue


def test_channels_are_chosen_by_name():
    chosen = choose(ONE, parse_headers(HEADERS))
    assert [header.index for header in chosen] == [0, 7]
    stream = spec(ONE, chosen[-1])
    assert [channel.label for channel in stream.channels] == ["R_TA", "sync", "index"]
    assert stream.trigger.kind == "digital"
    assert stream.counter.source == "adapter"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"channels": {"R_TA": "R_TA", "R_MG": "R_MG"}}, r"no channel \['R_MG'\]"),
        ({"channels": {"R_TA": "acc"}}, "vector3.accel"),
        ({"channels": {"R_TA": "R_TA"}, "rate_hz": 4000.0}, "2000 Hz"),
        ({"channels": {"R_TA": "R_TA"}, "unit": "mV"}, "'uV'"),
        ({"channels": {"R_TA": "R_TA"}, "sync": {"channel": "TTL"}}, "TTL"),
    ],
)
def test_what_does_not_fit_the_rig_is_refused(change, names):
    with pytest.raises(WireFormatError, match=names):
        choose(NoraxonConfig(**change), parse_headers(HEADERS))


def test_a_micro_sign_is_a_u():
    headers = parse_headers(HEADERS.replace(b"uV", "µV".encode()))
    assert choose(ONE, headers)


def test_a_channel_of_mr_cannot_serve_twice():
    with pytest.raises(ValueError, match="named twice"):
        NoraxonConfig(channels={"R_TA": "A", "L_TA": "A"})


def batch(index, first, last):
    return Batch(index, np.arange(first, last, dtype=np.float32))


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), max_size=20))
def test_uneven_batches_never_misalign(sizes):
    merger, done, rows = Merger([4, 5, 6]), [3, 3, 3], []
    rows.append(merger.add([batch(index, 0, 3) for index in (4, 5, 6)]))
    for row in sizes:
        batches = []
        for k, n in enumerate(row):
            batches.append(batch(4 + k, done[k], done[k] + n))
            done[k] += n
        rows.append(merger.add(batches))
    whole = np.concatenate(rows)
    assert len(whole) == min(done)
    np.testing.assert_array_equal(whole, np.arange(min(done))[:, None] * np.ones(3))


def test_the_first_reply_is_aligned_at_its_end():
    merger = Merger([0, 1])  # channel 0 was enabled three samples earlier
    rows = merger.add([batch(0, 97, 110), batch(1, 100, 110)])
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])
    rows = merger.add([batch(0, 110, 113), batch(1, 110, 112)])
    np.testing.assert_array_equal(rows, [[110, 110], [111, 111]])


def test_a_channel_enabled_at_the_instant_of_the_first_reply():
    merger = Merger([0, 1])
    assert len(merger.add([batch(0, 97, 100), batch(1, 100, 100)])) == 0
    rows = merger.add([batch(0, 100, 105), batch(1, 100, 105)])
    np.testing.assert_array_equal(rows[:, 0], rows[:, 1])


def test_an_empty_first_reply_means_that_all_begin_together():
    merger = Merger([0, 1])
    merger.add([batch(0, 0, 0), batch(1, 0, 0)])
    rows = merger.add([batch(0, 0, 5), batch(1, 0, 3)])
    np.testing.assert_array_equal(rows, [[0, 0], [1, 1], [2, 2]])


def test_a_channel_that_dies_is_an_error():
    merger = Merger([0, 1])
    merger.add([batch(0, 0, 1), batch(1, 0, 1)])
    with pytest.raises(WireFormatError, match="channel 1"):
        merger.add([batch(0, 0, MOST_WAITING + 1)])
