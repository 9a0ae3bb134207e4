"""Samples that vanish unseen: the runs on either side are one clock."""

import numpy as np
import pytest

import sync
from acquire.bench.sync_scenario import LossTrial, make_loss_trial


def fit(trial: LossTrial) -> sync.ClockFit:
    return sync.fit_clock(
        trial.device, trial.reference, rate_hz=trial.rate_hz, prior_offset_s=0.01
    )


def check(trial: LossTrial, found: sync.ClockFit) -> float:
    """Return the greatest error away from the loss, in ms, all within bounds."""
    error = np.abs(found.time_s(trial.index) - trial.true_s)
    assert np.all(error <= found.half_width_s(trial.index))
    return float(error[trial.away].max()) * 1e3


@pytest.mark.parametrize("seed", [*range(6), 123])
def test_short_trial_keeps_its_promise(seed: int) -> None:
    trial = make_loss_trial(seed)
    found = fit(trial)
    assert check(trial, found) <= 0.75
    (step,) = found.steps
    assert step.n_lost is not None
    least, likeliest, most = step.n_lost
    assert least <= trial.n_lost <= most
    assert abs(likeliest - trial.n_lost) <= 2
    assert len({run.skew_ppm for run in found.runs}) == 1


@pytest.mark.slow
def test_forty_seeds() -> None:
    trials = [make_loss_trial(seed) for seed in range(100, 140)]
    errors = [check(trial, fit(trial)) for trial in trials]
    assert max(errors) <= 1.0
    assert np.median(errors) <= 0.35


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whole_frames_are_counted_for_certain(seed: int) -> None:
    trial = make_loss_trial(seed, rate_hz=100.0, n_lost=9)
    found = fit(trial)
    (step,) = found.steps
    assert step.n_lost == (9, 9, 9)
    assert step.half_width_s == 0.0
    assert step.size_s == pytest.approx(0.09)
    check(trial, found)


def test_several_losses_share_one_line() -> None:
    rng = np.random.default_rng(4)
    t = 1.0 + np.cumsum(rng.uniform(0.25, 0.7, 40))
    kept = np.arange(44_000)
    for first, n in ((30_000, 25), (14_000, 60)):
        kept = np.delete(kept, np.arange(first, first + n))
    true = 0.4 + kept * (1 - 80e-6) / 2000.0
    rising = np.arange(t.size) % 2 == 0
    t, rising = t[t < true[-1]], rising[t < true[-1]]
    found = sync.fit_clock(
        sync.Edges(np.searchsorted(true, t) - 0.5, rising, 0.5),
        sync.Edges((np.floor(t * 1e3) + 0.5) / 1e3, rising, 0.5e-3),
        rate_hz=2000.0,
        prior_offset_s=0.4,
    )
    assert len(found.steps) == 2
    for step, n in zip(found.steps, (60, 25), strict=True):
        assert step.n_lost is not None
        assert step.n_lost[0] <= n <= step.n_lost[2]
    error = np.abs(found.time_s(np.arange(kept.size)) - true)
    assert np.all(error <= found.half_width_s(np.arange(kept.size)))
    assert found.skew_ppm == pytest.approx(-80.0, abs=found.skew_half_width_ppm)


def test_edge_that_came_while_samples_vanished_is_set_aside() -> None:
    t = np.array([1.0, 1.7, 2.6, 3.5, 4.009, 4.9, 5.7, 6.6, 7.3])
    rising = np.arange(t.size) % 2 == 0
    true = np.delete(np.arange(18_000), np.arange(8000, 8040)) / 2000.0 + 1e-4
    found = sync.fit_clock(
        sync.Edges(np.searchsorted(true, t) - 0.5, rising, 0.5),
        sync.Edges(t, rising, 0.5e-3),
        rate_hz=2000.0,
        prior_offset_s=0.0,
    )
    (step,) = found.steps
    assert step.n_lost is not None
    assert step.n_lost[0] <= 40 <= step.n_lost[2]
    assert found.n_matched == t.size
    index = np.arange(true.size)
    assert np.all(np.abs(found.time_s(index) - true) <= found.half_width_s(index))


@pytest.mark.parametrize("jump", [-40.0, 40.5])
def test_a_step_that_is_no_loss_counts_no_samples(jump: float) -> None:
    t = 1.0 + np.arange(30) * 0.7 + np.random.default_rng(1).uniform(0, 0.3, 30)
    rising = np.arange(t.size) % 2 == 0
    index = t * 1000.0
    index[15:] -= jump
    found = sync.fit_clock(
        sync.Edges(index, rising, 0.05),
        sync.Edges(t, rising, 0.05e-3),
        rate_hz=1000.0,
        prior_offset_s=0.0,
    )
    (step,) = found.steps
    assert step.n_lost is None
    assert step.size_s == pytest.approx(jump * 1e-3, abs=1e-4)
