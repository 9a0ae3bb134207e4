"""Counters that wrap, jump, repeat and restart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sync


@given(
    bits=st.sampled_from([8, 15, 16, 24, 32]),
    start=st.integers(0, 2**32 - 1),
    steps=st.lists(st.integers(0, 100), min_size=1, max_size=200),
)
def test_wrapping_counter_is_unwrapped(bits: int, start: int, steps: list[int]) -> None:
    true = start % 2**bits + np.concatenate(([0], np.cumsum(steps)))
    found = sync.unwrap_counter(true % 2**bits, 2**bits)
    np.testing.assert_array_equal(found, true)


@pytest.mark.parametrize(
    ("modulus", "lost"), [(2**8, 137), (2**15, 500), (2**16, 50_000), (2**24, 50_000)]
)
def test_long_losses_are_counted_in_full(modulus: int, lost: int) -> None:
    true = np.concatenate((np.arange(4000), np.arange(4000 + lost, 9000 + lost)))
    index = sync.unwrap_counter(true % modulus, modulus)
    np.testing.assert_array_equal(index - index[0], true)
    (gap,) = sync.find_gaps(index)
    assert (gap.first_missing_index - index[0], gap.n) == (4000, lost)
    assert gap.kind == "counted"


@pytest.mark.parametrize("modulus", [2**15, 2**24, 2**32])
def test_restart_steps_back(modulus: int) -> None:
    index = sync.unwrap_counter(np.r_[5000:5100, 0:50], modulus)
    assert sync.find_resets(index).tolist() == [100]
    assert index[100] == 0.0
    assert sync.find_gaps(index) == ()


def test_stamps_restore_whole_turns() -> None:
    true = np.concatenate((np.arange(300), np.arange(300 + 5 * 256 + 40, 2000)))
    rough = true + np.random.default_rng(0).normal(0, 20, true.size) + 1e9
    found = sync.unwrap_counter(true % 256, 256, expected=rough)
    np.testing.assert_array_equal(found, true)


def test_repeats_and_nan_are_no_gaps() -> None:
    index = sync.unwrap_counter(np.array([1, 2, 2, np.nan, 3, 4.0]), 2**15)
    assert sync.find_gaps(index) == ()
    assert sync.find_resets(index).size == 0
    assert np.isnan(index[3])


def test_tick_counter_in_microseconds() -> None:
    true = np.arange(100) * 50_000 + 2**32 - 10
    found = sync.unwrap_counter(true % 2**32, 2**32)
    np.testing.assert_array_equal(found - found[0], true - true[0])


@pytest.mark.parametrize("values", [[], [7.0], [np.nan, np.nan]])
def test_short_counters(values: list[float]) -> None:
    found = sync.unwrap_counter(values, 256)
    np.testing.assert_array_equal(found, np.array(values))
    assert sync.find_gaps(found) == ()


def test_modulus_must_make_sense() -> None:
    with pytest.raises(ValueError, match="modulus above 1, not 1"):
        sync.unwrap_counter([0, 1], 1)
