"""Losses, trigger edges and rates are counted right across chunks."""

import numpy as np
import pytest

from acquire.live.watch import LossCounter, RateMeter, TriggerWatch
from devices.stream import TriggerInput


def counted(*chunks, modulus=2**24) -> LossCounter:
    counter = LossCounter(modulus)
    for chunk in chunks:
        counter.update(np.asarray(chunk, np.float32))
    return counter


def test_counts_what_is_missing_within_and_between_chunks() -> None:
    assert counted([1, 2, 5], [9, 10]).n_lost == 2 + 3


def test_a_wrap_is_no_loss() -> None:
    counter = counted([32766, 32767], [0, 1], modulus=2**15)
    assert (counter.n_lost, counter.n_resets) == (0, 0)


def test_a_loss_across_a_wrap_is_counted() -> None:
    assert counted([32767], [2], modulus=2**15).n_lost == 2


def test_doubled_samples_are_told_from_losses() -> None:
    counter = counted([1, 2, 2, 3])
    assert (counter.n_doubled, counter.n_lost) == (1, 0)


def test_a_counter_that_starts_again_is_no_loss() -> None:
    counter = counted([5000, 5001], [0, 1])
    assert (counter.n_lost, counter.n_resets) == (0, 1)


def test_forgets_after_a_restart_and_ignores_nan() -> None:
    counter = counted([1, np.nan, 2])
    counter.forget()
    counter.update(np.array([900.0]))
    counter.update(np.array([]))
    assert counter.n_lost == 0


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("digital", 0, 1),
        ("analog", 0.02, 4.9),
        ("analog", 0.0, 1.0),
        ("analog", -0.1, 3.3),
    ],
)
def test_sees_edges_at_any_level(kind: str, low: float, high: float) -> None:
    watch = TriggerWatch(TriggerInput("sync", kind))
    wave = np.repeat([low, high, low, high], 50)
    for part in np.array_split(wave, 9):
        watch.update(part)
    assert (watch.level, watch.n_rises, watch.n_falls) == (True, 2, 1)


def test_noise_at_the_threshold_makes_no_edges() -> None:
    watch = TriggerWatch(TriggerInput("sync", "analog"))
    watch.update(np.array([0.0, 5.0]))
    watch.update(2.5 + 0.3 * np.sin(np.arange(500)))
    assert (watch.n_rises, watch.n_falls) == (1, 0)


def test_knows_nothing_before_the_first_sample() -> None:
    watch = TriggerWatch(TriggerInput("sync"))
    watch.update(np.array([np.nan]))
    assert watch.level is None


def test_rate_needs_a_second_then_follows_the_last_ten() -> None:
    meter = RateMeter()
    for step in range(20):
        meter.update(step * 0.05, step * 100)
    assert np.isnan(meter.rate_hz())
    for step in range(20, 600):
        meter.update(
            step * 0.05, step * 100 if step < 300 else 30000 + (step - 300) * 99
        )
    assert meter.rate_hz() == pytest.approx(1980, rel=1e-3)
    meter.forget()
    assert np.isnan(meter.rate_hz())
