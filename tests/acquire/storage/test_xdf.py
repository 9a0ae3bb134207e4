"""XDF files of ours: bit-exact for us and for pyxdf."""

import errno
import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquire.storage import xdf_format as xdf
from acquire.storage.errors import AlreadyExistsError, StorageFullError
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_reader import read_xdf
from tests.builders.recordings import (
    COUNTED,
    add,
    header,
    spec,
    values,
    write_all_kinds,
    write_counted,
)


def test_every_format_comes_back_as_written(tmp_path: Path) -> None:
    truth = write_all_kinds(tmp_path / "a.xdf")
    recording = read_xdf(tmp_path / "a.xdf")
    assert recording.problems == ()
    assert recording.complete
    assert recording.attributes == {"simulated": True}
    assert [stream.name for stream in recording.streams] == list(truth)
    for stream in recording.streams:
        data, t = truth[stream.name]
        assert stream.dtype == ("string" if stream.name == "texts" else stream.name)
        np.testing.assert_array_equal(stream.t_lsl, t)
        if stream.dtype == "string":
            assert stream.data[:, 0].tolist() == data
        else:
            assert stream.data.dtype == np.dtype(stream.dtype)
            np.testing.assert_array_equal(stream.data, data)
        assert stream.offsets.shape == (4, 3)
        assert np.isnan(stream.offsets[:, 2]).all()


@pytest.mark.parametrize("corrected", [False, True])
def test_pyxdf_reads_the_same(tmp_path: Path, corrected: bool) -> None:
    truth = write_all_kinds(tmp_path / "a.xdf")
    streams, file_header = pyxdf.load_xdf(
        str(tmp_path / "a.xdf"),
        synchronize_clocks=corrected,
        dejitter_timestamps=corrected,
    )
    assert file_header["info"]["version"] == ["1.0"]
    assert len(streams) == len(truth)
    for stream in streams:
        name = stream["info"]["name"][0]
        data, t = truth[name]
        if name == "texts":
            assert [row[0] for row in stream["time_series"]] == data
        else:
            np.testing.assert_array_equal(stream["time_series"], data)
            assert stream["time_series"].dtype == data.dtype
        channels = stream["info"]["desc"][0]["channels"][0]["channel"]
        n = 1 if name == "texts" else data.shape[1]
        assert [c["label"][0] for c in channels] == [f"c{k}" for k in range(n)]
        assert stream["footer"]["info"]["sample_count"] == [str(len(t))]
        assert float(stream["footer"]["info"]["first_timestamp"][0]) == t[0]
        assert float(stream["footer"]["info"]["last_timestamp"][0]) == t[-1]
        offsets = stream["footer"]["info"]["clock_offsets"][0]["offset"]
        assert [float(o["value"][0]) for o in offsets] == [-1e-5] * 4
        if corrected:  # removes the jitter of 0.1 ms and adds the offset of -10 us
            np.testing.assert_allclose(stream["time_stamps"], t, rtol=0, atol=3e-4)
        else:
            np.testing.assert_array_equal(stream["time_stamps"], t)


def test_the_journal_vouches_for_every_byte(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    data = (tmp_path / "a.xdf").read_bytes()
    lines = (tmp_path / "a.xdf.journal").read_text().splitlines()
    start = 0
    for line in map(json.loads, lines):
        piece = data[start : line["length"]]
        assert f"{zlib.crc32(piece):08x}" == line["crc32"]
        start = line["length"]
    assert start == len(data)
    assert [json.loads(line).get("closed") for line in lines][-2:] == [None, True]


def test_every_sync_ends_with_a_boundary(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    data = (tmp_path / "a.xdf").read_bytes()
    for line in (tmp_path / "a.xdf.journal").read_text().splitlines():
        length = json.loads(line)["length"]
        assert data[length - 16 : length] == xdf.BOUNDARY_UUID


def test_an_existing_file_or_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xdf").write_bytes(b"")
    with pytest.raises(AlreadyExistsError):
        XdfWriter(tmp_path / "a.xdf")
    (tmp_path / "b.xdf.journal").write_bytes(b"")
    with pytest.raises(AlreadyExistsError, match="journal"):
        XdfWriter(tmp_path / "b.xdf")
    assert not (tmp_path / "b.xdf").exists()


def test_round_trip_times_are_joined_to_their_offsets(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        own = add(writer, spec("kinemuse-offsets", "float64", 4, 0.0))
        other = add(writer, COUNTED)
        writer.write_samples(other, values("float32", (2, 3)), [1.0, 2.0])
        for k in range(5):
            local, offset = 10.0 + k, 0.25 + k * 1e-6
            writer.write_offset(other, local - offset, offset)
            if k != 2:  # one measurement came from elsewhere
                row = np.array([[other, local, offset, 1e-4 * (k + 1)]])
                writer.write_samples(own, row, [local])
    offsets = read_xdf(tmp_path / "a.xdf")["counted"].offsets
    np.testing.assert_allclose(offsets[:, 2], [1e-4, 2e-4, np.nan, 4e-4, 5e-4])


def test_metadata_come_back(tmp_path: Path) -> None:
    write_counted(tmp_path / "a.xdf")
    stream = read_xdf(tmp_path / "a.xdf")["counted"]
    assert stream.counter == COUNTED.counter
    assert stream.trigger == COUNTED.trigger
    assert stream.channels == COUNTED.channels
    assert stream.header_xml == header(COUNTED)
    assert (stream.simulated, stream.uid, stream.rate_hz) == (True, "counted", 100.0)


def test_streams_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        for generation, n_channels in enumerate((2, 4)):
            stream = spec("markers", n_channels=n_channels, generation=generation)
            stream_id = add(writer, stream)
            writer.write_samples(stream_id, np.ones((3, n_channels), "f4"), [1, 2, 3])
    streams = read_xdf(tmp_path / "a.xdf").streams
    assert [s.generation for s in streams] == [0, 1]
    assert [s.data.shape for s in streams] == [(3, 2), (3, 4)]


def test_wide_rows_and_empty_chunks(tmp_path: Path) -> None:
    echo = spec("echo", "int16", 4012, 20.0)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream_id = add(writer, echo)
        data = values("int16", (40, 4012))
        writer.write_samples(stream_id, data[:0], [])
        writer.write_samples(stream_id, data, np.arange(40) / 20)
    stream = read_xdf(tmp_path / "a.xdf")["echo"]
    np.testing.assert_array_equal(stream.data, data)


@pytest.mark.parametrize(
    ("samples", "stamps", "message"),
    [
        (np.ones((2, 2), "f4"), [1.0, 2.0], r"expected \(2, 3\)"),
        (np.ones((2, 3), "f4"), [1.0], r"expected \(1, 3\)"),
        (np.ones(3, "f4"), [1.0], "expected"),
        (np.ones((1, 3), "f8"), [1.0], "float64, the stream is float32"),
    ],
)
def test_samples_that_do_not_fit_are_refused(
    tmp_path: Path, samples: np.ndarray, stamps: list[float], message: str
) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream_id = add(writer, COUNTED)
        with pytest.raises(ValueError, match=message):
            writer.write_samples(stream_id, samples, stamps)
    assert len(read_xdf(tmp_path / "a.xdf")["counted"].t_lsl) == 0


def test_strings_of_several_channels(tmp_path: Path) -> None:
    stream = spec("pairs", "string", 2, 0.0)
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream_id = add(writer, stream)
        writer.write_samples(stream_id, [["a", ""], ["ü" * 300, "d"]], [1.0, 2.0])
        with pytest.raises(ValueError, match="expected"):
            writer.write_samples(stream_id, ["only one"], [3.0])
    rows = read_xdf(tmp_path / "a.xdf")["pairs"].data.tolist()
    assert rows == [["a", ""], ["ü" * 300, "d"]]


def test_a_header_that_contradicts_the_caller_is_refused(tmp_path: Path) -> None:
    with (
        XdfWriter(tmp_path / "a.xdf") as writer,
        pytest.raises(ValueError, match="the header says"),
    ):
        writer.add_stream(header(COUNTED), "int16", 3, 100.0)


def test_an_error_inside_leaves_a_readable_incomplete_file(tmp_path: Path) -> None:
    def fail() -> None:
        with XdfWriter(tmp_path / "a.xdf") as writer:
            stream_id = add(writer, COUNTED)
            writer.write_samples(stream_id, values("float32", (5, 3)), np.arange(5))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    recording = read_xdf(tmp_path / "a.xdf")
    assert not recording.complete
    assert len(recording["counted"].t_lsl) == 5


def test_a_full_disk_at_the_end_leaves_the_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = XdfWriter(tmp_path / "a.xdf")
    stream_id = add(writer, COUNTED)
    data = values("float32", (5, 3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", full)
        writer.write_samples(stream_id, data[:3], [1, 2, 3])
        with pytest.raises(StorageFullError):
            writer.flush_to_file()
        writer.write_samples(stream_id, data[3:], [4, 5])
        with pytest.raises(StorageFullError):
            writer.close()
    writer.close()
    recording = read_xdf(tmp_path / "a.xdf")
    assert recording.complete
    np.testing.assert_array_equal(recording["counted"].data, data)


@pytest.mark.parametrize("call", ["writev", "fdatasync"])
def test_a_recording_that_cannot_begin_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(StorageFullError):
            XdfWriter(tmp_path / "a.xdf")
    assert list(tmp_path.iterdir()) == []
    XdfWriter(tmp_path / "a.xdf").close()
