"""The accuracy that is promised, on edge trains with a known truth."""

import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import sync
from tests.builders.edge_trains import EPOCH_S, Scenario, pulses, reference, spoil

ODD_RATES = (1925.926, 148.148, 19.87)


@dataclass(frozen=True)
class Score:
    worst_ms: float
    covered: float
    status: str
    skew_error_ppm: float


def score(
    rate_hz: float, seconds: float, seed: int, *, notches: bool = False, **faults: float
) -> Score:
    rng = np.random.default_rng(seed)
    starts = pulses(seconds, rng)
    t, rising = starts, np.ones(starts.size, dtype=bool)
    if notches:
        t = np.sort(np.concatenate((starts, starts + 0.12)))
        rising = np.tile([False, True], starts.size)
    lab = Scenario(rate_hz, seconds)
    device = lab.digital(*spoil(t, rising, rng, **faults))
    prior = EPOCH_S + lab.start_s + rng.exponential(0.02)
    fit = sync.fit_clock(
        device, reference(t, rising), rate_hz=rate_hz, prior_offset_s=prior
    )
    index = lab.all_samples
    error = np.abs(fit.time_s(index) - lab.true_time(index))
    return Score(
        worst_ms=float(error.max()) * 1e3,
        covered=float(np.mean(error <= fit.half_width_s(index))),
        status=fit.status,
        skew_error_ppm=abs(fit.skew_ppm - lab.skew_ppm),
    )


CASES = [
    pytest.param(2000.0, 600, 0.25, 0.1, id="2 kHz, 10 min"),
    pytest.param(1000.0, 600, 0.25, 0.1, id="1 kHz, 10 min"),
    pytest.param(2000.0, 60, 0.5, 0.25, id="2 kHz, 60 s"),
    pytest.param(1000.0, 60, 0.5, 0.25, id="1 kHz, 60 s"),
    pytest.param(100.0, 600, 1.0, 0.5, id="100 Hz, 10 min"),
    pytest.param(100.0, 60, 5.0, 2.5, id="100 Hz, 60 s"),
    pytest.param(20.0, 600, 5.0, 1.0, id="20 Hz, 10 min"),
    pytest.param(20.0, 60, 15.0, 5.0, id="20 Hz, 60 s"),
]


@pytest.mark.parametrize("notches", [False, True])
@pytest.mark.parametrize(("rate_hz", "seconds", "worst_ms", "median_ms"), CASES)
def test_few_seeds(
    rate_hz: float, seconds: float, worst_ms: float, median_ms: float, notches: bool
) -> None:
    scores = [score(rate_hz, seconds, seed, notches=notches) for seed in range(3)]
    assert {s.status for s in scores} == {"ok"}
    errors = [s.worst_ms for s in scores]
    assert max(errors) <= worst_ms
    assert min(errors) <= median_ms
    assert min(s.covered for s in scores) >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("notches", [False, True])
@pytest.mark.parametrize(("rate_hz", "seconds", "worst_ms", "median_ms"), CASES)
def test_twenty_seeds(
    rate_hz: float, seconds: float, worst_ms: float, median_ms: float, notches: bool
) -> None:
    scores = [score(rate_hz, seconds, s, notches=notches) for s in range(100, 120)]
    errors = [s.worst_ms for s in scores]
    assert max(errors) <= worst_ms
    assert np.median(errors) <= median_ms
    assert min(s.covered for s in scores) >= 0.99


@pytest.mark.parametrize("rate_hz", ODD_RATES)
@pytest.mark.parametrize("seconds", [600, 60, 15])
def test_rates_that_are_no_whole_numbers(rate_hz: float, seconds: float) -> None:
    found = score(rate_hz, seconds, 5, notches=True)
    assert found.status in ("ok", "degraded")
    assert found.covered >= 0.99


@pytest.mark.parametrize("rate_hz", [2000.0, 1000.0])
def test_skew_is_measured(rate_hz: float) -> None:
    assert max(score(rate_hz, 600, s).skew_error_ppm for s in range(5)) <= 0.5
    assert max(score(rate_hz, 60, s).skew_error_ppm for s in range(5)) <= 12.0


@pytest.mark.parametrize("rate_hz", [2000.0, 100.0, 20.0])
@pytest.mark.parametrize("seconds", [600, 60, 20])
def test_a_third_missing_a_fifth_extra(rate_hz: float, seconds: float) -> None:
    scores = [
        score(rate_hz, seconds, s, notches=True, missed=0.3, extra=0.2)
        for s in range(4)
    ]
    assert {s.status for s in scores} <= {"ok", "degraded"}
    assert np.mean([s.covered for s in scores]) >= 0.99


@pytest.mark.parametrize("rate_hz", [2000.0, 148.148, 20.0])
@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize("seed", [1005, 1010])
def test_a_stretch_that_is_poor_by_chance_does_not_end_the_clock(
    rate_hz: float, searched: bool, seed: int
) -> None:
    """Of over a thousand edges, some window of 24 has hardly any that matches."""
    rng = np.random.default_rng(seed)
    starts = pulses(600, rng)
    t = np.sort(np.concatenate((starts, starts + 0.12)))
    rising = np.tile([False, True], starts.size)
    lab = Scenario(rate_hz, 600, skew_ppm=rng.uniform(-100, 100))
    device = lab.digital(*spoil(t, rising, rng, missed=0.3, extra=0.2))
    prior = None if searched else EPOCH_S + lab.start_s
    fit = sync.fit_clock(
        device, reference(t, rising), rate_hz=rate_hz, prior_offset_s=prior
    )
    assert fit.status == "degraded"
    error = np.abs(fit.time_s(lab.all_samples) - lab.true_time(lab.all_samples))
    assert np.all(error <= fit.half_width_s(lab.all_samples))


def fitted(
    seconds: float, epoch_s: float = EPOCH_S, *, searched: bool = False
) -> Callable[[], sync.ClockFit]:
    rng = np.random.default_rng(1)
    t = pulses(seconds, rng)
    rising = np.ones(t.size, dtype=bool)
    lab = Scenario(2000.0, seconds, epoch_s=epoch_s)
    device, seen = lab.digital(*spoil(t, rising, rng)), reference(t, rising, epoch_s)
    prior = None if searched else epoch_s + lab.start_s + 0.01
    return lambda: sync.fit_clock(device, seen, rate_hz=2000.0, prior_offset_s=prior)


def calls(work: Callable[[], object]) -> int:
    """Count the calls that some work makes of functions written in Python."""
    n = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal n
        n += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return n


@pytest.mark.parametrize("searched", [False, True])
def test_work_grows_no_faster_than_the_number_of_edges(searched: bool) -> None:
    few = calls(fitted(600, searched=searched))
    many = calls(fitted(1200, searched=searched))
    assert few < 20_000  # some 5000 for 600 edges: hundredths of a second
    assert many < 2.2 * few


@pytest.mark.parametrize("searched", [False, True])
def test_memory_does_not_grow_with_the_epoch(searched: bool) -> None:
    def most(epoch_s: float) -> int:
        work = fitted(600, epoch_s, searched=searched)
        work()  # what is imported and cached on the way
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    at_zero, today = most(0.0), most(EPOCH_S)
    assert today < 1.5 * at_zero
    assert today < 60e6
