"""Quintic smoothing splines: their definition, frequency response, and noise."""

import numpy as np
import pytest

from acquire.gait.smoothing import (
    LAMBDAS,
    MarkerSmoothing,
    _degrees_of_freedom,
    _fit,
    smooth,
    smooth_markers,
)

GCV = MarkerSmoothing("gcv")


def walk_mm(n=600):
    t = np.arange(n) / 100
    return np.column_stack(
        [
            300 * np.sin(2 * np.pi * 0.9 * t) + 40 * np.cos(2 * np.pi * 1.8 * t),
            20 * np.sin(2 * np.pi * 0.9 * t + 1),
            60 * np.sin(2 * np.pi * 1.8 * t) + 9 * np.sin(2 * np.pi * 5.4 * t),
        ]
    )


@pytest.mark.parametrize("smoothing", [0.01, 100.0, 1e6])
def test_what_it_keeps_is_a_parabola_or_what_the_response_says(smoothing) -> None:
    t = np.arange(400.0)
    parabola = 3 + 0.2 * t - 1e-3 * t**2
    assert _fit(parabola[:, None], smoothing)[:, 0] == pytest.approx(parabola, abs=1e-5)
    omega = 0.2
    wave = np.sin(omega * t)
    inner = slice(150, 250)
    kept = 1 / (1 + smoothing * omega**6)
    got = _fit(wave[:, None], smoothing)[inner, 0]
    assert np.abs(got - kept * wave[inner]).max() < 2e-3


def test_no_other_curve_costs_less() -> None:
    """Discretised, residuals plus roughness grow with any step away from the fit."""
    rng = np.random.default_rng(4)
    rows = rng.normal(0, 1, (60, 1)).cumsum(axis=0)
    values = _fit(rows, 50.0)[:, 0]

    def cost(fitted):
        fine = np.diff(fitted, 3)  # third differences: the integral up to their width
        return np.sum((fitted - rows[:, 0]) ** 2) + 50.0 * np.sum(fine**2)

    bumps = [np.exp(-(((np.arange(60) - c) / 8.0) ** 2)) for c in range(5, 56, 10)]
    least = cost(values)
    for bump in bumps:
        assert min(cost(values + 0.3 * bump), cost(values - 0.3 * bump)) > least


def test_degrees_of_freedom_grow_as_if_counted() -> None:
    for smoothing in (1e-2, 1.0, 1e3):
        counted = np.trace(_fit(np.eye(500), smoothing))
        assert _degrees_of_freedom(500, smoothing) == pytest.approx(counted, rel=1e-3)
    assert _degrees_of_freedom(500, float(LAMBDAS[-1])) > 3  # a parabola is free


@pytest.mark.parametrize("noise_mm", [0.2, 1.0])
def test_cross_validation_takes_noise_and_keeps_movement(noise_mm) -> None:
    true = walk_mm()
    noise = np.random.default_rng(1).normal(0, noise_mm, true.shape)
    made = smooth(true + noise, GCV)
    error = np.sqrt(np.mean((made - true) ** 2, axis=0))
    assert error.max() < 0.6 * noise_mm
    rate = np.abs(np.gradient(made - true, 0.01, axis=0)[5:-5]).mean()
    raw = np.abs(np.gradient(noise, 0.01, axis=0)[5:-5]).mean()
    assert rate < 0.25 * raw


def test_without_noise_nothing_changes() -> None:
    true = walk_mm()
    assert np.abs(smooth(true, GCV) - true).max() < 1e-3


def test_a_given_mean_squared_residual_is_reached_from_below() -> None:
    noise = np.random.default_rng(2).normal(0, 0.5, (600, 3))
    rows = walk_mm() + noise
    made = smooth(rows, MarkerSmoothing("mse", 4.0))
    left = np.mean((made - rows) ** 2, axis=0)
    assert np.all(left <= 4.0)
    assert np.all(left > 2.0)


def test_every_stretch_between_gaps_is_smoothed_on_its_own() -> None:
    rng = np.random.default_rng(3)
    rows = walk_mm() / 1000 + rng.normal(0, 3e-4, (600, 3))
    rows[200:230] = np.nan
    rows[240:260] = np.nan
    made = smooth_markers({"LTOE": rows, "LHEE": rows[:, ::-1]}, GCV)["LTOE"]
    np.testing.assert_array_equal(np.isnan(made), np.isnan(rows))
    alone = smooth(rows[260:] * 1000, GCV) / 1000
    np.testing.assert_array_equal(made[260:], alone)
    np.testing.assert_array_equal(made[230:240], rows[230:240])  # too short
    assert smooth_markers({"A": rows}, MarkerSmoothing())["A"] is rows
