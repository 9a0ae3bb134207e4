"""Edges of sampled trigger lines: analog, digital, noisy, bouncing, stuck."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

import sync


def square(n: int, *toggles: int, high: float = 5.0) -> np.ndarray:
    level = np.zeros(n)
    for start in toggles:
        level[start:] = high - level[start:]
    return level


def test_digital_edge_lies_midway_between_two_rows() -> None:
    edges = sync.find_edges(square(100, 20, 50, high=1.0))
    assert edges.index.tolist() == [19.5, 49.5]
    assert edges.rising.tolist() == [True, False]
    assert edges.half_width.tolist() == [0.5, 0.5]


@given(
    widths=st.lists(st.integers(3, 40), min_size=1, max_size=20),
    start_high=st.booleans(),
    low=st.floats(-3, 3),
    amplitude=st.floats(0.5, 10),
)
def test_every_lasting_toggle_is_found(
    widths: list[int], start_high: bool, low: float, amplitude: float
) -> None:
    toggles = np.cumsum(widths)
    level = np.searchsorted(toggles, np.arange(toggles[-1] + 5), side="right") % 2
    level = 1 - level if start_high else level
    edges = sync.find_edges(low + amplitude * level)
    np.testing.assert_allclose(edges.index, toggles - 0.5, atol=1e-6)
    rises = np.arange(toggles.size) % 2 == 0
    assert edges.rising.tolist() == (rises ^ start_high).tolist()


def test_one_per_cent_duty_cycle_still_has_two_levels() -> None:
    level = np.full(10_000, 0.2)
    level[3000:3050] = level[7000:7050] = 4.8
    edges = sync.find_edges(level + np.random.default_rng(1).normal(0, 0.05, 10_000))
    np.testing.assert_allclose(edges.index, [2999.5, 3049.5, 6999.5, 7049.5], atol=0.1)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_truth_lies_within_the_half_width_of_filtered_noisy_edges(noise: float) -> None:
    rng = np.random.default_rng(3)
    filtered = butter(4, 400 / 500, output="sos")
    times = np.cumsum(rng.uniform(60, 140, 60))
    fine = np.searchsorted(times, np.arange(0, 6500, 0.05), side="right") % 2
    level = sosfilt(filtered, 5.0 * fine[::20]) + rng.normal(0, noise, fine[::20].size)
    edges = sync.find_edges(level, min_width_samples=3)
    assert len(edges) == times.size
    delay = np.median(edges.index - times)
    assert np.all(np.abs(edges.index - delay - times) <= edges.half_width + 0.5)


def test_bounce_keeps_its_first_edge_and_bounds_reach_to_the_last() -> None:
    level = square(400, 100, 102, 105, 106, 109, 300)
    edges = sync.find_edges(level, min_width_samples=20)
    assert edges.index.tolist() == [99.5, 299.5]
    assert edges.half_width[0] >= 9.0
    assert edges.half_width[1] == 0.5


def test_glitch_vanishes() -> None:
    level = square(400, 100, 300)
    level[200] = 0.0
    level[350] = 5.0
    assert sync.find_edges(level).index.tolist() == [99.5, 299.5]


def test_gap_in_the_index_widens_the_edge_inside_it() -> None:
    index = np.concatenate((np.arange(50), np.arange(90, 140)))
    edges = sync.find_edges(square(100, 50), index=index)
    assert edges.index.tolist() == [69.5]
    assert edges.half_width.tolist() == [20.5]


def test_missing_samples_are_bridged() -> None:
    level = square(100, 50)
    level[45:55] = np.nan
    edges = sync.find_edges(level)
    assert abs(edges.index[0] - 49.5) <= edges.half_width[0] <= 6.0


def test_inverted_line_has_opposite_directions() -> None:
    edges = sync.find_edges(5.0 - square(100, 20, 50))
    assert edges.rising.tolist() == [False, True]


@pytest.mark.parametrize(
    ("level", "state"),
    [
        (np.zeros(0), "empty"),
        (np.full(5, np.nan), "empty"),
        (np.zeros(100), "stuck"),
        (np.array([3.3]), "stuck"),
        (np.random.default_rng(0).normal(0, 1, 1000), "unclear"),
        (5.0 + np.random.default_rng(0).normal(0, 0.01, 1000), "stuck"),
        (np.linspace(0, 5, 1000), "unclear"),
    ],
)
def test_no_edges_without_two_levels(level: np.ndarray, state: str) -> None:
    assert len(sync.find_edges(level)) == 0
    levels = sync.find_levels(level)
    assert levels.state == state
    assert levels.reasons


def test_drifting_line_is_reported_and_still_read() -> None:
    level = square(1000, 300, 500) + np.linspace(0, 1.4, 1000)
    assert sync.find_edges(level).index == pytest.approx([299.5, 499.5], abs=0.2)
    assert "drift" in sync.find_levels(level).reasons[0]


def test_one_spike_makes_no_level() -> None:
    level = square(1000, 300, 500)
    level[700] = 80.0
    assert len(sync.find_edges(level)) == 2


def test_index_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="100 samples of level, but 99 indices"):
        sync.find_edges(square(100, 20), index=np.arange(99))
