"""Chunks of arrays in a subject file: their size, and what deflates them."""

import zlib

import numpy as np
import pytest

from acquire.dataset.matfile_chunks import chunk_shape, chunks, deflate

RNG = np.random.default_rng(43)


@pytest.mark.parametrize("shape", [(13, 60000), (5, 3, 200), (100000,), (3, 3)])
def test_chunks_hold_at_most_64_kb(shape: tuple[int, ...]) -> None:
    chunk = chunk_shape(shape, 8)
    assert np.prod(chunk) * 8 <= 65536
    assert all(0 < c <= s for c, s in zip(chunk, shape, strict=True))


def test_chunks_tile_an_array_and_are_full_at_its_end() -> None:
    array = RNG.normal(size=(5, 7))
    made = np.full((6, 8), np.nan)
    for (row, column), raw in chunks(array, (3, 4)):
        made[row : row + 3, column : column + 4] = np.frombuffer(raw).reshape(3, 4)
    np.testing.assert_array_equal(made[:5, :7], array)
    assert not made[5:].any()
    assert not made[:, 7:].any()


def test_counts_shrink_to_what_zlib_inflates() -> None:
    raw = RNG.integers(-50, 50, 4000).astype(np.float64).tobytes()
    mask, packed = deflate(raw)
    assert mask == 0
    assert len(packed) < len(raw) / 3
    assert zlib.decompress(packed) == raw


def test_noise_is_stored_as_it_is() -> None:
    raw = RNG.integers(0, 256, 40_000, dtype="u1").tobytes()
    assert deflate(raw) == (1, raw)
