"""Torn, damaged and foreign XDF files: all that is whole comes back, and no more."""

import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.errors import NotARecordingError
from acquire.storage.recording import Recording
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import (
    add,
    foreign,
    spec,
    values,
    write_all_kinds,
    write_counted,
)

RELAXED = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    path = tmp_path_factory.mktemp("kinds") / "a.xdf"
    truth = write_all_kinds(path, 60)
    return path.read_bytes(), truth


def assert_prefix(recording: Recording, truth: dict[str, Any]) -> None:
    for stream in recording.streams:
        data, t = truth[stream.name]
        n = len(stream.t_lsl)
        np.testing.assert_array_equal(stream.t_lsl, t[:n])
        if stream.dtype == "string":
            assert stream.data[:, 0].tolist() == data[:n]
        else:
            np.testing.assert_array_equal(stream.data, data[:n])


@RELAXED
@given(data=st.data())
def test_every_prefix_opens(
    tmp_path: Path, kinds: tuple[bytes, dict[str, Any]], data: st.DataObject
) -> None:
    whole, truth = kinds
    length = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path / "a.xdf"
    path.write_bytes(whole[:length])
    recording = read_xdf(path)
    assert_prefix(recording, truth)
    assert not recording.complete
    if length == 0:
        assert recording.problems


def test_cut_in_the_last_chunk_keeps_its_whole_rows(tmp_path: Path) -> None:
    data, t = write_counted(tmp_path / "a.xdf", journal=False)
    whole = (tmp_path / "a.xdf").read_bytes()
    row = struct.pack("<Bd", 8, t[1503]) + data[1503].tobytes()
    at = whole.index(row)
    for cut, n in ((at, 1503), (at + len(row) - 1, 1503), (at + len(row), 1504)):
        (tmp_path / "a.xdf").write_bytes(whole[:cut])
        recording = read_xdf(tmp_path / "a.xdf")
        assert len(recording["counted"].t_lsl) == n
        assert any("cut off" in problem for problem in recording.problems)


def _assert_true_rows(
    recording: Recording, data: NDArray[Any], t: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Every row read is one that was written, in order; return which."""
    stream = recording["counted"]
    rows = np.searchsorted(t, stream.t_lsl)
    np.testing.assert_array_equal(t[rows], stream.t_lsl)
    np.testing.assert_array_equal(data[rows], stream.data)
    assert (np.diff(rows) > 0).all()
    return rows


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "alone"])
@pytest.mark.parametrize("page", [1, 5, 9])
def test_zeroed_pages_are_never_data(tmp_path: Path, page: int, journal: bool) -> None:
    path = tmp_path / "a.xdf"
    data, t = write_counted(path, journal=journal)
    torn = bytearray(path.read_bytes())
    torn[page * 4096 : (page + 1) * 4096] = bytes(4096)
    path.write_bytes(torn)
    recording = read_xdf(path)
    rows = _assert_true_rows(recording, data, t)
    assert 1 <= 2000 - rows.size <= 4096 / 21 + 220  # to the next boundary at most
    assert not recording.complete
    assert any("damaged" in problem for problem in recording.problems)
    assert journal == any("CRC32" in problem for problem in recording.problems)


@pytest.mark.parametrize("width", [8, 0], ids=["stamped", "deduced"])
def test_a_zero_page_inside_one_chunk(tmp_path: Path, width: int) -> None:
    stream = spec("echo", "int16", 3000, 20.0)  # rows of 6000 bytes hold whole pages
    data = values("int16", (10, 3000))
    stamps = [1.0 + k / 20 if width or not k else None for k in range(10)]
    foreign(tmp_path / "a.xdf", stream, [(data, stamps)], footer=False)
    torn = bytearray((tmp_path / "a.xdf").read_bytes())
    at = torn.index(data[4, :100].tobytes()) // 4096 + 1
    torn[at * 4096 : (at + 1) * 4096] = bytes(4096)
    (tmp_path / "a.xdf").write_bytes(torn)
    recording = read_xdf(tmp_path / "a.xdf")
    kept = recording["echo"]
    assert 8 <= len(kept.data) <= 9
    rows = np.rint((kept.t_lsl - 1.0) * 20).astype(int)
    np.testing.assert_array_equal(kept.data, data[rows])
    assert 4 not in rows
    assert any("left out" in problem for problem in recording.problems)


def test_zeros_of_a_foreign_file_that_was_closed_are_data(tmp_path: Path) -> None:
    stream = spec("echo", "int16", 3000, 20.0)
    data = np.zeros((10, 3000), np.int16)
    foreign(tmp_path / "a.xdf", stream, [(data, [1.0 + k / 20 for k in range(10)])])
    recording = read_xdf(tmp_path / "a.xdf")
    np.testing.assert_array_equal(recording["echo"].data, data)
    assert recording.complete


def test_zeros_that_were_recorded_are_kept(tmp_path: Path) -> None:
    stream = spec("echo", "int16", 4012, 20.0)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream_id = add(writer, stream)
        writer.write_samples(stream_id, np.zeros((20, 4012), "i2"), np.arange(20) / 20)
    recording = read_xdf(tmp_path / "a.xdf")
    assert len(recording["echo"].t_lsl) == 20
    assert recording.problems == ()


@RELAXED
@given(data=st.data())
def test_garbled_pages_never_break_reading(
    tmp_path: Path, kinds: tuple[bytes, dict[str, Any]], data: st.DataObject
) -> None:
    whole, _ = kinds
    torn = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(4, len(whole) - 1))
        noise = data.draw(st.binary(min_size=1, max_size=600))
        torn[start : start + len(noise)] = noise[: len(torn) - start]
    path = tmp_path / "a.xdf"
    path.write_bytes(torn)
    recording = read_xdf(path)
    for stream in recording.streams:
        assert len(stream.data) == len(stream.t_lsl)


def test_damage_costs_only_what_lies_before_the_next_boundary(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    data, t = write_counted(path, journal=False)
    torn = bytearray(path.read_bytes())
    at = torn.index(struct.pack("<Bd", 8, t[1010]))
    torn[at - 10 : at] = b"\xff" * 10  # the chunk's length, tag, stream and count
    path.write_bytes(torn)
    recording = read_xdf(path)
    rows = _assert_true_rows(recording, data, t)
    assert rows.size == 1800
    assert any("are damaged" in problem for problem in recording.problems)


def test_neighbours_of_garbage_are_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    data, t = write_counted(path, journal=False)
    torn = bytearray(path.read_bytes())
    at = torn.index(struct.pack("<Bd", 8, t[1003])) - 12
    torn[at : at + 30] = b"\xff" * 30  # values of one row, the stamp of the next
    path.write_bytes(torn)
    recording = read_xdf(path)
    rows = _assert_true_rows(recording, data, t)
    assert rows.size == 1990  # the chunk had ten
    assert "counted: 10 samples are damaged and left out" in recording.problems


class TestJournal:
    def test_bytes_behind_the_last_line_are_unverified(self, tmp_path: Path) -> None:
        path, sidecar = tmp_path / "a.xdf", tmp_path / "a.xdf.journal"
        data, t = write_counted(path)
        lines = sidecar.read_bytes().splitlines(keepends=True)
        sidecar.write_bytes(b"".join(lines[:4]) + lines[4][:9])  # the last is torn
        length = json.loads(lines[3])["length"]
        whole = path.read_bytes()
        path.write_bytes(whole[: length + 2000])
        recording = read_xdf(path)
        rows = _assert_true_rows(recording, data, t)
        assert rows.size == rows[-1] + 1
        assert f"bytes {length} to {length + 2000} are unverified: " in " ".join(
            recording.problems
        )
        n = rows.size - 410
        assert f"counted: {n} samples are unverified" in recording.problems

    def test_a_lost_journal_is_no_damage(self, tmp_path: Path) -> None:
        write_counted(tmp_path / "a.xdf")
        (tmp_path / "a.xdf.journal").unlink()
        assert read_xdf(tmp_path / "a.xdf").complete

    def test_an_empty_journal_vouches_for_nothing(self, tmp_path: Path) -> None:
        write_counted(tmp_path / "a.xdf", 100)
        (tmp_path / "a.xdf.journal").write_bytes(b"")
        recording = read_xdf(tmp_path / "a.xdf")
        assert len(recording["counted"].t_lsl) == 100
        assert "counted: 100 samples are unverified" in recording.problems
        assert not recording.complete

    def test_changed_bytes_are_noticed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xdf"
        _, t = write_counted(path)
        torn = bytearray(path.read_bytes())
        at = torn.index(struct.pack("<Bd", 8, t[1003])) + 9
        torn[at] ^= 1  # a single bit of one value
        path.write_bytes(torn)
        recording = read_xdf(path)
        assert len(recording["counted"].t_lsl) == 2000
        assert any("do not match their CRC32" in p for p in recording.problems)
        assert "counted: 200 samples are unverified" in recording.problems


class TestForeign:
    def test_stamps_left_out_are_deduced_as_pyxdf_does(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(3)
        stream = spec("eeg", "float32", 5, 512.0)
        chunks = []
        t = 100.0
        for _ in range(20):
            n = int(rng.integers(1, 90))
            stamps: list[float | None] = []
            for _ in range(n):
                t += 1 / 512
                stamps.append(t if rng.random() < 0.2 else None)
            chunks.append((values("float32", (n, 5), n), stamps))
        path = tmp_path / "a.xdf"
        foreign(path, stream, chunks)
        recording = read_xdf(path)
        (theirs,), _ = pyxdf.load_xdf(
            str(path), synchronize_clocks=False, dejitter_timestamps=False
        )
        assert recording.complete
        np.testing.assert_array_equal(recording["eeg"].t_lsl, theirs["time_stamps"])
        np.testing.assert_array_equal(recording["eeg"].data, theirs["time_series"])

    def test_a_chunk_without_any_stamp_goes_on_from_the_last(
        self, tmp_path: Path
    ) -> None:
        stream = spec("eeg", "int16", 2, 10.0)
        data = values("int16", (3, 2))
        foreign(
            tmp_path / "a.xdf",
            stream,
            [(data, [5.0, None, None]), (data, [None, None, None])],
        )
        t = read_xdf(tmp_path / "a.xdf")["eeg"].t_lsl
        np.testing.assert_allclose(t, 5.0 + np.arange(6) / 10, rtol=0, atol=1e-12)

    def test_behind_damage_stamps_are_deduced_backwards(self, tmp_path: Path) -> None:
        stream = spec("eeg", "int32", 2, 10.0)
        data = values("int32", (4, 2))
        path = tmp_path / "a.xdf"
        foreign(
            path,
            stream,
            [
                (data, [1.0, None, None, None]),
                (data[:2], [1.4, 1.5]),  # gets lost
                (data, [None, None, 1.8, None]),
                (data[:2], [None, None]),
            ],
        )
        torn = bytearray(path.read_bytes())
        at = torn.index(struct.pack("<Bd", 8, 1.4))
        torn[at - 11 : at] = b"\xff" * 11
        path.write_bytes(torn)
        recording = read_xdf(path)
        t = recording["eeg"].t_lsl
        expected = [1.0, 1.1, 1.2, 1.3, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1]
        np.testing.assert_allclose(t, expected, rtol=0, atol=1e-9)

    def test_without_footers_it_is_incomplete(self, tmp_path: Path) -> None:
        stream = spec("eeg", "int16", 2, 10.0)
        chunk = values("int16", (1, 2)), [5.0]
        foreign(tmp_path / "a.xdf", stream, [chunk], footer=False)
        recording = read_xdf(tmp_path / "a.xdf")
        assert recording.problems == ()
        assert not recording.complete

    def test_a_footer_that_counts_otherwise_is_reported(self, tmp_path: Path) -> None:
        stream = spec("eeg", "int16", 2, 10.0)
        foreign(tmp_path / "a.xdf", stream, [(values("int16", (3, 2)), [1.0, 2, 3])])
        text = (tmp_path / "a.xdf").read_bytes().replace(b"count>3<", b"count>4<")
        (tmp_path / "a.xdf").write_bytes(text)
        (problem,) = read_xdf(tmp_path / "a.xdf").problems
        assert problem == "eeg: the footer counts 4 samples, 3 were read"

    def test_a_stream_without_header_is_reported(self, tmp_path: Path) -> None:
        body = struct.pack("<I", 3) + b"\1\1\0" + bytes(8)
        parts = [xdf.MAGIC, xdf.chunk(xdf.SAMPLES, body)]
        (tmp_path / "a.xdf").write_bytes(b"".join(parts))
        (problem,) = read_xdf(tmp_path / "a.xdf").problems
        assert "stream id 3 has no readable header" in problem

    def test_gzipped_files_are_read(self, tmp_path: Path) -> None:
        data, _ = write_counted(tmp_path / "a.xdf", 300)
        packed = gzip.compress((tmp_path / "a.xdf").read_bytes())
        (tmp_path / "b.xdfz").write_bytes(packed)
        whole = read_xdf(tmp_path / "b.xdfz")
        assert whole.complete
        np.testing.assert_array_equal(whole["counted"].data, data)
        (tmp_path / "b.xdfz").write_bytes(packed[: len(packed) // 2])
        half = read_xdf(tmp_path / "b.xdfz")["counted"].data
        assert 50 < len(half) < 250
        np.testing.assert_array_equal(half, data[: len(half)])

    def test_other_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.xdf").write_bytes(b"\x89PNG\r\n" + bytes(100))
        with pytest.raises(NotARecordingError, match="does not begin with XDF"):
            read_xdf(tmp_path / "a.xdf")
