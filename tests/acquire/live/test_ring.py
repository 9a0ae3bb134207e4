"""The ring keeps the newest rows, whatever the sizes of chunks and copies."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquire.live.ring import MAX_BYTES, Ring


def numbered(first: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(first, first + n, dtype=np.float64)
    return np.column_stack([index, -index]), index / 100


@given(st.lists(st.integers(0, 25), max_size=12), st.integers(0, 200))
def test_holds_the_last_rows_of_any_chunks(chunks: list[int], first: int) -> None:
    ring, total = Ring(10, 2, "float64"), 0
    for n in chunks:
        ring.append(*numbered(total, n))
        total += n
    rows = ring.since(first)
    expected = np.arange(max(min(first, total), total - 10), total)
    assert rows.samples[:, 0].tolist() == expected.tolist()
    assert rows.stamps.tolist() == (expected / 100).tolist()
    assert rows.end == total
    assert rows.n_missed == rows.first - min(first, total)


def test_latest_and_columns() -> None:
    ring = Ring(8, 2, "int16")
    ring.append(np.arange(12).reshape(6, 2).astype(np.int16), np.arange(6.0))
    rows = ring.latest(2, columns=[1])
    assert rows.samples.tolist() == [[9], [11]]
    assert rows.samples.dtype == np.int16
    assert ring.latest(99).first == 0


def test_a_copy_does_not_change_later() -> None:
    ring = Ring(4, 1, "float32")
    ring.append(np.ones((4, 1), np.float32), np.zeros(4))
    rows = ring.latest(4)
    ring.append(np.zeros((4, 1), np.float32), np.zeros(4))
    assert rows.samples.all()


def test_wrong_width_says_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"\(3, 1\), not \(3, 2\)"):
        Ring(4, 2, "float32").append(np.zeros((3, 1), np.float32), np.zeros(3))


def test_is_bounded_whatever_is_asked() -> None:
    assert Ring(10**9, 4000, "int16").capacity * 8000 <= MAX_BYTES


def test_reader_sees_whole_chunks_while_a_writer_works() -> None:
    ring, stop = Ring(1000, 2, "float64"), threading.Event()

    def write() -> None:
        first = 0
        while not stop.is_set():
            ring.append(*numbered(first, 7))
            first += 7

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            rows = ring.latest(500)
            assert np.all(np.diff(rows.samples[:, 0]) == 1)
            assert np.array_equal(rows.samples[:, 0], -rows.samples[:, 1])
            assert np.allclose(rows.stamps * 100, rows.samples[:, 0])
    finally:
        stop.set()
        writer.join()
