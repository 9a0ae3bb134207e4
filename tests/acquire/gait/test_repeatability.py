"""Repeatability of strides and agreement with a reference, against known values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquire.gait.repeatability import agreement, multiple_correlation, weighted_r2

T = np.linspace(0, 2 * np.pi, 200, endpoint=False)


def strides(spread, n=20, seed=1):
    noise = np.random.default_rng(seed).normal(size=(200, n)) * spread
    return np.sin(T)[:, None] + noise


@pytest.mark.parametrize("measure", [weighted_r2, multiple_correlation])
def test_equal_strides_are_perfectly_repeatable(measure):
    assert measure(strides(0.0)) == pytest.approx(1.0)


def test_r2_is_the_share_of_variance_that_is_common():
    """A sine of variance 1/2 under noise of variance 1/2: half is common."""
    assert weighted_r2(strides(math.sqrt(0.5), n=400)) == pytest.approx(0.5, abs=0.01)


def test_cmc_is_the_root_of_that_share_with_degrees_of_freedom():
    many = strides(math.sqrt(0.5), n=400)
    assert multiple_correlation(many) == pytest.approx(math.sqrt(0.5), abs=0.01)


def test_cmc_agrees_with_the_formula_spelt_out():
    y = strides(0.3, n=4)
    t, n = y.shape
    inner = sum((y[i, j] - y[i].mean()) ** 2 for i in range(t) for j in range(n))
    outer = sum((y[i, j] - y.mean()) ** 2 for i in range(t) for j in range(n))
    wanted = math.sqrt(1 - (inner / (t * (n - 1))) / (outer / (t * n - 1)))
    assert multiple_correlation(y) == pytest.approx(wanted)


@pytest.mark.parametrize("measure", [weighted_r2, multiple_correlation])
def test_too_little_to_say_is_nan(measure):
    assert math.isnan(measure(strides(0.1, n=1)))
    assert math.isnan(measure(np.ones((200, 5))))
    holed = strides(0.1, n=2)
    holed[3, 0] = np.nan
    assert math.isnan(measure(holed))


def test_strides_unlike_each_other_have_no_cmc():
    opposite = np.stack([np.sin(T), -np.sin(T)], axis=1)
    assert math.isnan(multiple_correlation(opposite))


@settings(max_examples=30)
@given(st.floats(0.1, 50), st.floats(-100, 100))
def test_measures_do_not_depend_on_unit_or_offset(scale, offset):
    plain = strides(0.2, n=5)
    other = plain * scale + offset
    assert weighted_r2(other) == pytest.approx(weighted_r2(plain))
    assert multiple_correlation(plain * scale + offset) == pytest.approx(
        multiple_correlation(plain), rel=1e-6
    )


def test_a_curve_shifted_by_a_tenth_is_found_there():
    found = agreement(np.roll(np.sin(T), 20), np.sin(T), np.full(200, 0.1))
    assert found.best_lag_percent == pytest.approx(10.0)
    assert found.cross == pytest.approx(1.0)
    assert found.pearson == pytest.approx(math.cos(2 * math.pi / 10), abs=1e-6)


def test_share_inside_the_band_counts_points():
    off = np.zeros(200)
    off[:50] = 0.5
    found = agreement(np.sin(T) + off, np.sin(T), np.full(200, 0.2))
    assert found.inside == pytest.approx(0.75)
    assert found.rms_difference == pytest.approx(0.25)


def test_curves_of_different_length_are_refused():
    with pytest.raises(ValueError, match="101 points, the reference 200"):
        agreement(np.zeros(101), np.zeros(200), np.zeros(200))
