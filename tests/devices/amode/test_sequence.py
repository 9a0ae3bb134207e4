"""Sequence numbers: losses are counted exactly."""

import numpy as np
import pytest

from devices.amode.sequence import Numbers
from devices.amode.stream import HEAD, rows, stream_dtype
from devices.amode.wire import Frame
from devices.errors import WireFormatError


def frame(seq, tick_ns=0, flags=0, dtype="int16"):
    return Frame(seq, tick_ns, flags, np.arange(6, dtype=dtype).reshape(2, 3))


def runs(numbers, *seqs):
    found = numbers.runs([frame(seq) for seq in seqs])
    return [[one.seq for one in run] for run in found]


def told(numbers):
    return [(notice.code, dict(notice.data)) for notice in numbers.notices]


def test_a_gap_is_counted_exactly_and_cuts_the_run():
    numbers = Numbers()
    assert runs(numbers, 5, 6, 9, 10) == [[5, 6], [9, 10]]
    assert told(numbers) == [("gap", {"n_missing": 2, "first_missing": 7})]


def test_a_gap_between_reads_is_seen_too():
    numbers = Numbers()
    runs(numbers, 5)
    assert runs(numbers, 7) == [[7]]
    assert told(numbers) == [("gap", {"n_missing": 1, "first_missing": 6})]


def test_the_number_may_wrap():
    numbers = Numbers()
    assert runs(numbers, 2**32 - 1, 0, 2) == [[2**32 - 1, 0], [2]]
    assert told(numbers) == [("gap", {"n_missing": 1, "first_missing": 1})]


def test_duplicates_and_late_frames_are_told_and_left_out():
    numbers = Numbers()
    assert runs(numbers, 5, 5, 6) == [[5, 6]]
    assert numbers.runs([frame(4, flags=2)]) == []
    assert runs(numbers, 7) == [[7]]
    assert [code for code, _ in told(numbers)] == ["duplicate", "late"]


def test_a_restart_is_not_a_gap_of_billions():
    for last in (100_000, 50):
        numbers = Numbers()
        assert runs(numbers, last, 0, 1) == [[last], [0, 1]]
        assert told(numbers) == [("restart", {"seq": 0, "last": last})]


def test_ticks_are_cut_into_15_bits_least_first():
    tick_us = 3 + 5 * 2**15 + 7 * 2**30 + 9 * 2**45
    row = rows([frame(2**15 + 4, tick_us * 1000 + 999, flags=3)], "int16")[0]
    assert dict(zip(HEAD, row[:7].tolist(), strict=True)) == {
        "seq": 4,
        "trigger": 1,
        "flags": 3,
        "tick_0": 3,
        "tick_1": 5,
        "tick_2": 7,
        "tick_3": 9,
    }
    assert row[7:].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("source", "stream"),
    [("uint8", "int16"), ("int16", "int16"), ("uint16", "int32"), ("int32", "int32")],
)
def test_sources_are_held_without_loss(source, stream):
    assert stream_dtype(np.dtype(source)) == stream
    limits = np.iinfo(source)
    lines = np.array([[limits.min, limits.max]], source)
    row = rows([Frame(0, 0, 0, lines)], stream)[0]
    assert row[7:].tolist() == [limits.min, limits.max]


@pytest.mark.parametrize("source", ["uint32", "float32", "float64"])
def test_what_fits_neither_is_refused(source):
    with pytest.raises(WireFormatError, match=source):
        stream_dtype(np.dtype(source))
