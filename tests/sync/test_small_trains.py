"""Trials with a rise and a fall, and little more."""

import numpy as np
import pytest

import sync
from tests.builders.edge_trains import EPOCH_S, Scenario, reference


def start_and_stop(rng: np.random.Generator) -> tuple[Scenario, sync.Edges, sync.Edges]:
    seconds = rng.uniform(5, 60)
    t = np.array([2 + rng.uniform(), 2 + seconds])
    rising = np.array([True, False])
    lab = Scenario(
        20.0,
        seconds + 4,
        skew_ppm=rng.uniform(-300, 300),
        start_s=rng.uniform(0, 0.05),
    )
    return lab, lab.digital(t, rising), reference(t, rising)


def test_start_and_stop_at_20_hz_always_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for _ in range(150):
        lab, device, seen = start_and_stop(rng)
        prior = EPOCH_S + lab.start_s + rng.uniform(-0.02, 0.06)
        fit = sync.fit_clock(device, seen, rate_hz=20.0, prior_offset_s=prior)
        index = lab.all_samples
        error = np.abs(fit.time_s(index) - lab.true_time(index))
        assert np.all(error <= fit.half_width_s(index))
        assert fit.status == "ok"
        widths.append(float(np.median(fit.half_width_s(index))))
    assert 0.022 < np.median(widths) < 0.028  # about half a frame, never less by root N


def test_one_edge_gives_an_offset_and_says_so() -> None:
    lab = Scenario(1000.0, 20.0)
    t, rising = np.array([3.0]), np.array([True])
    fit = sync.fit_clock(
        lab.digital(t, rising),
        reference(t, rising),
        rate_hz=1000.0,
        prior_offset_s=EPOCH_S + lab.start_s,
    )
    assert fit.status == "degraded"
    assert "single edge" in fit.reasons[0]
    index = lab.all_samples
    error = np.abs(fit.time_s(index) - lab.true_time(index))
    assert np.all(error <= fit.half_width_s(index))


def test_rise_and_fall_apart_by_a_loss_are_both_used() -> None:
    device = sync.Edges(np.array([1000.0, 20960.0]), np.array([True, False]), 0.5)
    seen = sync.Edges(np.array([5.0, 15.0]), np.array([True, False]), 0.5e-3)
    fit = sync.fit_clock(device, seen, rate_hz=2000.0, prior_offset_s=4.5)
    assert fit.status == "degraded"
    (step,) = fit.steps
    assert (step.after, step.before) == (1000.0, 20960.0)
    assert step.size_s == pytest.approx(0.020, abs=0.001)
    assert fit.time_s(1000.0) == pytest.approx(5.0, abs=1e-3)
    assert fit.time_s(20960.0) == pytest.approx(15.0, abs=1e-3)
    assert fit.half_width_s(15000.0) >= 0.02


def test_contract_of_reach_and_shape() -> None:
    device = sync.Edges(np.array([1000.0, 11000.0]), np.array([True, False]), 0.5)
    seen = sync.Edges(np.array([100.0, 110.0]), np.array([True, False]), 0.5e-3)
    fit = sync.fit_clock(device, seen, rate_hz=1000.0, prior_offset_s=99.0)
    index = np.array([[-29_001.0, -28_999.0], [40_999.0, 41_001.0]])
    assert np.isfinite(fit.time_s(index)).tolist() == [[False, True], [True, False]]
    width = fit.half_width_s(np.array([6000.0, 11_000.0, 41_000.0]))
    assert np.all(np.diff(width) > 0)
    assert fit.offset_s == pytest.approx(99.0, abs=2e-3)
    (run,) = fit.runs
    assert (run.first, run.last, run.n_matched) == (1000.0, 11000.0, 2)
    assert (run.n_missed, run.n_extra, run.residuals.shape) == (0, 0, (2,))


@pytest.mark.parametrize("skew_ppm", [300.0, -300.0, 40.0])
def test_skew_is_positive_when_samples_come_slower(skew_ppm: float) -> None:
    index = np.cumsum(np.random.default_rng(2).uniform(5000, 15000, 60))
    rising = np.arange(index.size) % 2 == 0
    seen = sync.Edges(7.0 + index / 1000.0 * (1 + skew_ppm * 1e-6), rising, 1e-5)
    fit = sync.fit_clock(sync.Edges(index, rising, 0.01), seen, rate_hz=1000.0)
    assert fit.skew_ppm == pytest.approx(skew_ppm, abs=0.2)
    assert fit.offset_s == pytest.approx(7.0, abs=1e-4)
    assert fit.status == "ok"


NO = sync.NO_EDGES
ONE = sync.Edges(np.array([5.0]), np.array([True]), 0.5)


@pytest.mark.parametrize(
    ("device", "seen", "whose"), [(NO, ONE, "device"), (ONE, NO, "reference")]
)
def test_no_edges_fail_with_a_reason(
    device: sync.Edges, seen: sync.Edges, whose: str
) -> None:
    fit = sync.fit_clock(device, seen, rate_hz=100.0)
    assert fit.status == "failed"
    assert whose in fit.reasons[0]
    assert np.isnan(fit.time_s(np.arange(3))).all()
    assert np.isnan(fit.skew_ppm)
    assert fit.runs == ()


def test_useless_edges_are_set_aside() -> None:
    index = np.array([np.nan, 5000.0, 1000.0, 3000.0, np.inf])
    rising = np.array([True, True, True, False, False])
    device = sync.Edges(index, rising, np.array([0.5, 0.5, 0.5, 0.5, np.nan]))
    seen = sync.Edges(np.array([1.0, 3.0, 5.0]), np.array([True, False, True]), 1e-3)
    fit = sync.fit_clock(device, seen, rate_hz=1000.0, prior_offset_s=0.0)
    assert fit.n_matched == 3
    assert fit.status == "ok"


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz must be positive"):
        sync.fit_clock(ONE, ONE, rate_hz=0.0)
    with pytest.raises(ValueError, match="2 segments between the breaks, but 1 priors"):
        sync.fit_clock(ONE, ONE, rate_hz=1.0, breaks=[3.0], prior_offset_s=[0.0])
    with pytest.raises(ValueError, match="one length"):
        sync.Edges(np.zeros(2), np.array([True]), 0.5)
