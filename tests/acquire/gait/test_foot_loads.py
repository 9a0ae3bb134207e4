"""Loads at marker frames: means over one period, whatever the two rates are."""

import numpy as np
import pytest

from acquire.gait.foot_loads import frame_means, means_around


def test_whole_places_give_the_means_of_frames() -> None:
    rows = np.random.default_rng(1).normal(0, 100, (1000, 3))
    places = 10.0 * np.arange(1, 99)
    want = frame_means(rows, 10, 100)[1:99]
    assert means_around(rows, places, 10.0) == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("ratio", [1000 / 120, 9.0, 1000 / 240])
def test_between_samples_a_straight_line_keeps_its_value(ratio) -> None:
    rows = np.arange(1000.0)[:, None] * [1.0, -2.0, 0.5]
    places = ratio * np.arange(2, 100) + 0.37
    want = places[:, None] * [1.0, -2.0, 0.5]
    assert means_around(rows, places, ratio) == pytest.approx(want, abs=1e-8)


def test_missing_samples_and_the_ends_are_unknown() -> None:
    rows = np.ones((200, 3))
    rows[100] = np.nan
    found = means_around(rows, np.array([-20.0, 0.0, 50.0, 94, 96, 104, 106, 230]), 10)
    unknown = [True, False, False, False, True, True, False, True]
    assert np.isnan(found).all(axis=1).tolist() == unknown
    assert found[[1, 2, 3, 6]] == pytest.approx(1.0)
