"""Heel strikes as a check of clocks, and the last resort where no edge is."""

from dataclasses import replace

import numpy as np
import pytest

from acquire.align import Alignment, align
from acquire.align.strikes import GRID_HZ, binned, find_lag, smooth
from acquire.storage.recording import RecordedStream
from tests.builders.striding import with_muscles
from tests.builders.walking import Session, Walk, session

WALK = Walk(duration_s=16.0)


def walked(**change: object) -> Session:
    return with_muscles(session(WALK), **change)  # type: ignore[arg-type]


def late_stamps(made: Session, by_s: float) -> Alignment:
    """Align a recording whose muscle stream has no trigger, and stamps that are off."""

    def spoil(stream: RecordedStream) -> RecordedStream:
        if stream.name != "semg":
            return stream
        return replace(stream, trigger=None, t_lsl=stream.t_lsl + by_s)

    streams = tuple(spoil(stream) for stream in made.recording.streams)
    return align(replace(made.recording, streams=streams))


@pytest.mark.parametrize(
    ("artefact_uv", "by"), [(0.0, "muscle activity"), (300.0, "movement artefact")]
)
def test_strikes_agree_with_true_clocks(artefact_uv: float, by: str) -> None:
    made = walked(artefact_uv=artefact_uv)
    found = align(made.recording)
    assert found.status == "ok"
    for name, shown in (("semg", by), ("vicon-markers", "heel markers")):
        check = found.streams[name].strikes
        assert check is not None
        assert check.by == shown
        assert check.agrees
        assert abs(check.step_s - WALK.stride_s / 2) < 0.02
        assert found.streams[name].row()["strike_lag_ms"] == check.lag_s * 1e3


@pytest.mark.parametrize("late_s", [0.2, -0.22])
def test_signals_that_are_late_against_their_own_trigger_are_doubted(
    late_s: float,
) -> None:
    found = align(walked(late_s=late_s).recording)
    clock = found.streams["semg"]
    assert clock.strikes is not None
    assert abs(clock.strikes.lag_s - late_s) <= clock.strikes.half_width_s
    assert (found.status, clock.status, clock.fit.method) == (
        *("degraded", "degraded"),
        "edges",
    )
    assert any("heel strikes disagree" in reason for reason in clock.reasons)


def test_stamps_that_agree_with_strikes_stay() -> None:
    clock = late_stamps(walked(), 0.0).streams["semg"]
    assert clock.fit.method == "stamps"
    assert clock.strikes is not None
    assert clock.strikes.agrees


@pytest.mark.parametrize("by_s", [0.24, -0.24])
def test_without_edges_strikes_put_wrong_stamps_right(by_s: float) -> None:
    made = walked(artefact_uv=300.0)
    clock = late_stamps(made, by_s).streams["semg"]
    assert (clock.fit.method, clock.status) == ("strikes", "degraded")
    assert any("contradict" in reason for reason in clock.reasons)
    true = made.trial_time_s()["semg"] + made.t0_s + 10.0
    error = np.abs(clock.time_s - true)
    width = clock.fit.half_width_s(clock.index)
    assert np.all(error <= width)
    assert 0.04 < np.median(width) < 0.15


def test_standing_says_nothing() -> None:
    still = session(replace(WALK, mass_kg=0.0))
    found = align(still.recording)
    assert [clock.strikes for clock in found.streams.values()] == [None] * 5
    assert found.status == "ok"


def test_lag_of_one_signal_behind_another() -> None:
    t = np.arange(0.0, 20.0, 1.0 / GRID_HZ)
    beats = np.cumsum(np.random.default_rng(3).uniform(0.5, 0.6, 40))
    beats = beats[beats < 19.5]

    def bumps(late_s: float) -> np.ndarray:
        apart = (t[:, None] - beats - late_s) / 0.03
        return np.asarray(np.exp(-0.5 * np.square(apart)).sum(axis=1))

    lag = find_lag(bumps(0.0), bumps(0.123))
    assert lag is not None
    assert lag.lag_s == pytest.approx(0.123, abs=0.002)
    assert lag.spread_s < 0.002
    assert lag.step_s == pytest.approx(0.55, abs=0.02)
    noise = np.random.default_rng(4).normal(size=t.size)
    assert find_lag(bumps(0.0), smooth(noise, 0.05)) is None
    assert find_lag(np.zeros_like(t), bumps(0.1)) is None
    assert find_lag(bumps(0.0)[:300], bumps(0.1)[:300]) is None


def test_rows_are_put_into_bins_whatever_is_missing() -> None:
    grid = np.arange(5) / GRID_HZ
    times = np.array([0.0, 0.001, np.nan, 0.02, 0.005])
    values = np.array([[1.0], [3.0], [9.0], [5.0], [np.nan]])
    assert binned(times, values, grid)[:, 0].tolist() == [2.0, 2.75, 3.5, 4.25, 5.0]
    assert np.isnan(binned(times * np.nan, values, grid)).all()
