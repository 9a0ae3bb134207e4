"""The sweep folds samples to least and greatest per column, whatever the chunks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.models.sweep import Sweep, skipped_before


def folded(x: np.ndarray, per_bin: int, n_bins: int) -> np.ndarray:
    """Fold from scratch: what the incremental sweep must hold at its end."""
    low = np.full(n_bins, np.nan)
    last = (len(x) - 1) // per_bin
    for k in range(max(0, last - n_bins + 1), last + 1):
        low[k % n_bins] = x[k * per_bin : (k + 1) * per_bin].min()
    return low


@given(st.lists(st.integers(1, 90), min_size=1, max_size=15))
@settings(deadline=None)
def test_any_chunks_give_the_same_picture(chunks: list[int]) -> None:
    x = np.random.default_rng(0).standard_normal(sum(chunks))
    sweep = Sweep(1, 20, rate_hz=100.0, span_s=2.0)
    at = 0
    for n in chunks:
        changed = sweep.add(x[at : at + n, None])
        assert changed[-1] == sweep.head
        at += n
    assert np.array_equal(sweep.low[0], folded(x, 10, 20), equal_nan=True)


def test_names_every_column_that_changed() -> None:
    sweep = Sweep(1, 10, rate_hz=100.0, span_s=1.0)
    assert sweep.add(np.zeros((25, 1))).tolist() == [0, 1, 2]
    assert sweep.add(np.zeros((10, 1))).tolist() == [2, 3]
    assert sweep.add(np.zeros((0, 1))).size == 0


def test_a_loss_leaves_its_room_empty() -> None:
    sweep = Sweep(1, 10, rate_hz=100.0, span_s=1.0)
    skipped = np.zeros(20)
    skipped[10] = 30
    changed = sweep.add(np.ones((20, 1)), skipped)
    assert changed.tolist() == [0, 1, 2, 3, 4]
    assert np.isnan(sweep.low[0, :5]).tolist() == [False, True, True, True, False]


def test_one_more_lap_erases_what_was_lost() -> None:
    sweep = Sweep(1, 10, rate_hz=100.0, span_s=1.0)
    sweep.add(np.ones((100, 1)))
    sweep.add(np.ones((10, 1)), np.r_[50, np.zeros(9)])
    assert np.isnan(sweep.high[0, :6]).tolist() == [True] * 5 + [False]
    assert np.isfinite(sweep.high[0, 6:]).all()


def test_nan_samples_leave_a_gap_without_warning() -> None:
    sweep = Sweep(1, 10, rate_hz=100.0, span_s=1.0)
    x = np.ones((30, 1))
    x[10:20] = np.nan
    sweep.add(x)
    assert np.isnan(sweep.low[0, :3]).tolist() == [False, True, False]


def test_clear_forgets() -> None:
    sweep = Sweep(2, 10, rate_hz=100.0, span_s=1.0)
    sweep.add(np.ones((50, 2)))
    sweep.clear()
    assert np.isnan(sweep.low).all()
    assert sweep.add(np.ones((5, 2))).tolist() == [0]


@pytest.mark.parametrize(
    ("counter", "last", "skipped"),
    [
        ([5, 6, 7], None, [0, 0, 0]),
        ([5, 6, 9], 3, [1, 0, 2]),
        ([32767, 0, 2], 32766, [0, 0, 1]),
        ([0, 1], 30000, [0, 0]),
    ],
)
def test_counters_say_what_was_skipped(counter, last, skipped) -> None:
    found = skipped_before(np.array(counter, np.float64), 2**15, last, 1000)
    assert found.tolist() == skipped
