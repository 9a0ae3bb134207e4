"""Clocks from stamps alone: the fallback, offsets, and steps of stamp against count."""

import numpy as np
import pytest

import sync


def stamps(n: int, rate_hz: float, rng: np.random.Generator, skew: float = 5e-5):
    true = 1.7e9 + np.arange(n) / rate_hz * (1 + skew)
    return true, true + np.repeat(rng.exponential(0.02, n // 10 + 1), 10)[:n]


def test_line_runs_along_the_early_edge() -> None:
    true, late = stamps(120_000, 2000.0, np.random.default_rng(0))
    fit = sync.fit_stamps(np.arange(true.size), late, rate_hz=2000.0)
    error = np.abs(fit.time_s(np.arange(true.size)) - true)
    assert error.max() < 0.004
    assert fit.status == "degraded"
    assert fit.half_width_s(1000.0) >= 0.05
    assert fit.method == "stamps"


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda t: np.where(np.arange(t.size) % 7 == 0, np.nan, t),
        lambda t: np.round(t, 1),
        lambda t: t.reshape(-1, 3)[:, ::-1].ravel(),
        lambda t: t + 2.0 * ((np.arange(t.size) > 3000) & (np.arange(t.size) < 3200)),
    ],
    ids=["nan", "equal", "decreasing", "burst"],
)
def test_poor_stamps_still_give_a_line(spoilt) -> None:
    true, late = stamps(6000, 100.0, np.random.default_rng(0))
    fit = sync.fit_stamps(np.arange(6000), spoilt(late), rate_hz=100.0)
    error = np.abs(fit.time_s(np.arange(6000)) - true)
    assert np.all(error <= fit.half_width_s(np.arange(6000)))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_stamps(n: int) -> None:
    fit = sync.fit_stamps(np.arange(n), 100.0 + np.arange(n), rate_hz=1.0)
    assert fit.status == ("degraded" if n else "failed")
    assert np.isfinite(fit.time_s(np.arange(n))).all()


def test_a_stall_and_its_burst_are_no_step_but_a_loss_is() -> None:
    n, rate = 60_000, 2000.0
    _, late = stamps(n, rate, np.random.default_rng(0))
    late[20_000:24_000] = np.maximum(late[20_000:24_000], late[24_000])
    late[40_000:] += 0.5
    ((row, size),) = sync.find_stamp_steps(np.arange(n), late, rate_hz=rate)
    assert abs(row - 40_000) <= 10
    assert size == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("device_counts", [False, True])
@pytest.mark.parametrize("stall_s", [0.5, 2.0, 4.0, 8.0, 20.0])
def test_however_long_a_stall_its_burst_ends_it(
    stall_s: float, device_counts: bool
) -> None:
    n, rate = 60_000, 1000.0
    _, late = stamps(n, rate, np.random.default_rng(0))
    held = slice(20_000, 20_000 + int(stall_s * rate))
    late[held] = np.maximum(late[held], late[held.stop] - 0.02)
    threshold = 5.0 if device_counts else 0.15

    def steps(t: np.ndarray) -> list[tuple[int, float]]:
        return sync.find_stamp_steps(
            np.arange(t.size), t, rate_hz=rate, threshold_s=threshold
        )

    assert steps(late) == []
    overrun = np.delete(late, np.arange(30_000, 36_000))  # its buffer was too short
    ((row, size),) = steps(overrun)
    assert size == pytest.approx(6.0, abs=0.05)
    assert 20_000 <= row <= 30_010


def test_a_stall_at_the_end_of_the_record_is_no_step() -> None:
    _, late = stamps(20_000, 1000.0, np.random.default_rng(0))
    late[19_000:] += 1.6
    assert sync.find_stamp_steps(np.arange(20_000), late, rate_hz=1000.0) == []


def test_offsets_follow_a_reset_of_the_source_clock() -> None:
    true = np.arange(0.0, 60.0, 0.1)
    source = np.where(true < 30, true - 1000.0, true - 200_000.0)
    at = np.arange(2.5, 60.0, 5.0)
    measured = np.where(at < 30, 1000.0, 200_000.0)
    offsets = np.column_stack((at - measured, measured, np.full(at.size, 1e-4)))
    np.testing.assert_allclose(sync.apply_offsets(source, offsets), true, atol=1e-6)


def test_offsets_within_their_own_noise_are_none() -> None:
    offsets = np.array([[0.0, -4e-5, 1.2e-4], [5.0, -3e-5, np.nan]])
    np.testing.assert_array_equal(sync.apply_offsets([1.0, 2.0], offsets), [1.0, 2.0])
    empty = np.empty((0, 3))
    np.testing.assert_array_equal(sync.apply_offsets([1.0], empty), [1.0])


def test_irregular_rows_keep_their_stamps() -> None:
    times = np.array([5.0, 5.5, 9.0, 9.0])
    fit = sync.stamps_as_clock(times)
    np.testing.assert_allclose(fit.time_s(np.arange(4)), times)
    assert sync.stamps_as_clock([]).status == "failed"
