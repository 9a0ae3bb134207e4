"""Losses too small for the edges of one trial: what is ruled out, what others show."""

import numpy as np
import pytest

import sync
from acquire.bench.sync_scenario import LossTrial, make_loss_trial
from sync.hidden import hidden_steps_s


def level_only(trial: LossTrial) -> LossTrial:
    """Leave the rise and the fall of the line alone."""
    ends = np.array([0, len(trial.reference) - 1])
    return LossTrial(
        rate_hz=trial.rate_hz,
        device=trial.device.select(ends),
        reference=trial.reference.select(ends),
        index=trial.index,
        stamps_s=trial.stamps_s,
        true_s=trial.true_s,
        n_lost=trial.n_lost,
        away=trial.away,
    )


def skew_of(trial: LossTrial) -> float:
    """True skew of the device, by its untouched start."""
    period = float(trial.true_s[1] - trial.true_s[0])
    return period * trial.rate_hz - 1.0


def fit(trial: LossTrial) -> sync.ClockFit:
    return sync.fit_clock(
        trial.device, trial.reference, rate_hz=trial.rate_hz, prior_offset_s=0.01
    )


@pytest.mark.parametrize("rate_hz", [2000.0, 100.0])
@pytest.mark.parametrize("notches", [True, False])
@pytest.mark.parametrize("known", [None, 30e-6])
def test_what_is_ruled_out_is_not_there(
    rate_hz: float, notches: bool, known: float | None
) -> None:
    rng = np.random.default_rng(2)
    seen = 0
    for n_lost in range(1, 7):
        for seed in range(4):
            trial = make_loss_trial(seed, rate_hz, n_lost)
            trial = trial if notches else level_only(trial)
            found, bounds = fit(trial), sync.ANY_SKEW
            if known is not None:
                low = skew_of(trial) - known * rng.random()
                bounds = (low, low + known)
                found = sync.with_skews_within(found, *bounds)
            if found.steps:
                seen += 1
                (step,) = found.steps
                if step.n_lost is not None:
                    assert step.n_lost[0] <= n_lost <= step.n_lost[2]
                continue
            least = sync.smallest_visible_loss(found, bounds)
            assert least is not None
            assert n_lost < least
    if known is not None:
        assert seen >= 12


def test_a_known_skew_shows_a_loss_that_a_rise_and_a_fall_hide() -> None:
    trial = level_only(make_loss_trial(3, n_lost=6))
    alone, skew = fit(trial), skew_of(trial)
    assert alone.status == "ok"  # 3 ms in 10 s pass for 300 ppm
    assert (sync.smallest_visible_loss(alone) or 0) > 6
    found = sync.with_skews_within(alone, skew - 10e-6, skew + 10e-6)
    (step,) = found.steps
    assert found.status == "degraded"
    assert step.n_lost is not None
    assert step.n_lost[0] <= 6 <= step.n_lost[2]
    error = np.abs(found.time_s(trial.index) - trial.true_s)
    assert np.all(error <= found.half_width_s(trial.index))
    assert any("samples vanished" in reason for reason in found.reasons)


@pytest.mark.parametrize("notches", [True, False])
def test_a_known_skew_makes_no_losses(notches: bool) -> None:
    rng = np.random.default_rng(6)
    for seed in range(20):
        trial = make_loss_trial(seed, n_lost=0)
        trial = trial if notches else level_only(trial)
        alone, low = fit(trial), skew_of(trial) - 20e-6 * rng.random()
        found = sync.with_skews_within(alone, low, low + 20e-6)
        assert (found.status, found.steps) == ("ok", ())
        assert found.skew_half_width_ppm <= 20.0
        error = np.abs(found.time_s(trial.index) - trial.true_s)
        assert np.all(error <= found.half_width_s(trial.index))
        before = alone.half_width_s(trial.index).max()
        assert found.half_width_s(trial.index).max() <= before + 1e-9


def test_a_skew_that_no_loss_explains_is_a_reason_to_doubt() -> None:
    trial = make_loss_trial(1, n_lost=0)
    alone, skew = fit(trial), skew_of(trial)
    found = sync.with_skews_within(alone, skew + 250e-6, skew + 260e-6)
    assert (found.status, found.steps) == ("degraded", ())
    assert "other trials" in found.reasons[-1]
    assert found.skew_ppm == alone.skew_ppm


def test_hidden_steps_by_hand() -> None:
    x, middle, width = np.array([0.0, 1.0, 2.0]), np.zeros(3), 0.5e-3
    steps = hidden_steps_s(x, middle - width, middle + width, (0.0, 1e-9))
    np.testing.assert_allclose(steps, 1e-3, atol=1e-7)
    steep = hidden_steps_s(x, middle - width, middle + width, (-1e-4, 1e-9))
    assert np.all(steep > 1.08e-3)
    assert np.all(steep < 1.3e-3)
    empty = sync.fit_clock(sync.NO_EDGES, sync.NO_EDGES, rate_hz=10.0)
    assert sync.smallest_visible_loss(empty) is None
