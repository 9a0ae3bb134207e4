"""Reading a finished recording back: in little memory, and with a sharp eye."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquire.recorder.readback import read_back
from acquire.storage import xdf_format as xdf
from acquire.storage.xdf import XdfWriter
from acquire.storage.xdf_feed import ChunkFeed
from acquire.storage.xdf_journal import journal_path
from acquire.storage.xdf_scan import scan
from tests.builders.recordings import COUNTED, add, write_all_kinds

N = 5000
KEY = ("counted", "counted")


def write(path: Path, *, drop: slice = slice(0, 0), n: int = N) -> None:
    """Write rows whose first channel counts modulo 64; some may be left out."""
    numbers = np.delete(np.arange(n), drop)
    data = np.ones((len(numbers), 3), np.float32)
    data[:, 0] = numbers % 64
    t = 10.0 + numbers / 100.0
    with XdfWriter(path) as writer:
        stream_id = add(writer, COUNTED)
        for start in range(0, len(numbers), 50):
            rows = slice(start, start + 50)
            writer.write_samples(stream_id, data[rows], t[rows])
            writer.write_offset(stream_id, t[rows][0], 0.001)
            if start % 500 == 0:
                writer.sync()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xdf"


def test_a_whole_file_has_nothing_against_it(path: Path) -> None:
    write(path)
    found = read_back(path)
    stream = found.streams[KEY]
    assert (found.problems, found.complete) == ([], True)
    assert (stream.n_samples, stream.n_offsets, stream.counter.n_lost) == (N, N / 50, 0)
    assert (stream.t_first, stream.t_last) == (10.0, 10.0 + (N - 1) / 100)


def test_losses_are_counted_across_chunks(path: Path) -> None:
    write(path, drop=slice(730, 770))
    assert read_back(path).streams[KEY].counter.n_lost == 40


def test_every_kind_of_stream_is_counted(path: Path) -> None:
    truth = write_all_kinds(path)
    found = read_back(path)
    assert {name: s.n_samples for (name, _), s in found.streams.items()} == {
        name: len(stamps) for name, (_, stamps) in truth.items()
    }


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_one_flipped_bit_is_seen(path: Path, at: float) -> None:
    write(path)
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 4
    path.write_bytes(data)
    assert "do not match their CRC32" in read_back(path).problems[0]


def test_a_file_that_was_cut_off_is_seen(path: Path) -> None:
    write(path)
    path.write_bytes(path.read_bytes()[:-300])
    found = read_back(path)
    assert any("its journal knows of" in problem for problem in found.problems)
    assert not found.complete
    journal_path(path).unlink()
    assert "cut off" in read_back(path).problems[0]


def test_memory_does_not_grow_with_the_file(path: Path) -> None:
    peaks = []
    for n in (20_000, 200_000):
        write(path, n=n)
        tracemalloc.start()
        read_back(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        path.unlink()
        journal_path(path).unlink()
    assert peaks[1] < 1.2 * peaks[0] + 2e6


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_chunks_do_not_depend_on_blocks(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("feed") / "a.xdf"
    write_all_kinds(path, n=20)
    data = path.read_bytes()
    feed, found, at, k = ChunkFeed(), [], 0, 0
    while at < len(data):
        step = sizes[k % len(sizes)]
        found += list(feed.feed(data[at : at + step]))
        at, k = at + step, k + 1
    expected = [(c.tag, data[c.content : c.stop]) for c in scan(data).chunks]
    assert found == expected
    assert feed.rest == 0


def test_what_is_no_xdf_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not an XDF file"):
        list(ChunkFeed().feed(b"HDF5 or anything else"))
    with pytest.raises(ValueError, match="no length at byte"):
        list(ChunkFeed().feed(xdf.MAGIC + b"\x07" + bytes(30)))
