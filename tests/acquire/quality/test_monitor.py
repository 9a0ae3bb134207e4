"""Verdicts: worst first, with hysteresis in both directions, time injected."""

import numpy as np
import pytest

from acquire.quality.hysteresis import Hysteresis
from acquire.quality.limits import (
    DEFAULT_LIMITS,
    Limits,
    LimitsError,
    load_limits,
    merged,
)
from acquire.quality.monitor import BY_TYPE, Monitor, in_words
from acquire.quality.stream import METRICS as STREAM_METRICS
from tests.acquire.quality.windows import muscle, stats, white, window
from tests.builders.live_fakes import FakeTime

ALL = [*STREAM_METRICS, *(metric for each in BY_TYPE.values() for metric in each)]


def emg(*channels: np.ndarray):
    labels = tuple(f"M{k}" for k in range(len(channels)))
    x = np.column_stack(channels)
    seen = stats(nominal_hz=2000.0, rate_hz=2000.0)
    return "EMG", window(x, 2000.0, labels, stats=seen, context={"belt_mps": 1.0})


@pytest.fixture
def now():
    return FakeTime(0.0)


def test_enters_after_two_seconds_and_leaves_after_five() -> None:
    state = Hysteresis(2.0, 5.0)
    raw = {0: "red", 1.9: "red", 2.0: "red", 3: "ok", 7.9: "ok", 8.0: "ok"}
    shown = [state.update(level, t) for t, level in raw.items()]
    assert shown == ["ok", "ok", "red", "red", "red", "ok"]


def test_a_blip_is_not_shown_and_a_recovery_must_last() -> None:
    state = Hysteresis(2.0, 5.0)
    for t, level in [(0, "red"), (1, "ok"), (2, "red"), (3, "red"), (3.9, "red")]:
        assert state.update(level, t) == "ok"
    assert state.update("red", 4.0) == "red"
    for t, level in [(5, "ok"), (9, "ok"), (9.5, "red"), (10, "ok"), (14, "ok")]:
        assert state.update(level, t) == "red"
    assert state.update("ok", 15.0) == "ok"


def test_red_steps_down_to_amber() -> None:
    state = Hysteresis(0.0, 5.0)
    assert state.update("red", 0) == "red"
    assert state.update("amber", 1) == "red"
    assert state.update("amber", 6) == "amber"
    assert state.since_s == 6


def test_an_unplugged_electrode_is_the_worst_finding_with_advice(now) -> None:
    monitor = Monitor(now)
    for _ in range(9):
        (verdict,) = monitor.evaluate([emg(muscle(), white(60.0))])
        now.t += 0.5
    assert verdict.level == "red"
    assert {finding.subject for finding in verdict.findings} == {"M1"}
    worst = verdict.findings[0]
    assert worst.level == "red"
    opened = next(f for f in verdict.findings if f.metric == "semg.open_electrode")
    assert "unplugged" in opened.advice
    assert opened.limit == 200
    assert opened.age_s == pytest.approx(1.0)
    assert "M1 open electrode" in opened.text
    assert verdict.values["semg.snr:M0"] > 12


def test_a_fault_that_has_gone_is_called_better_again(now) -> None:
    monitor = Monitor(now)
    for x in (*[white(60.0)] * 4, muscle()):
        (verdict,) = monitor.evaluate([emg(x)])
        now.t += 1.5
    assert verdict.level == "red"
    assert all(finding.clearing for finding in verdict.findings)
    assert "better again, limit" in verdict.findings[0].text


def test_a_value_within_the_limit_of_its_level_does_not_count_against_a_take(now):
    monitor = Monitor(now)
    x = np.zeros((600, 1))
    for rate_hz in (80.0, 80.0, 80.0, 99.0):  # 20 % off, then 1 %: amber
        seen = stats(nominal_hz=100.0, rate_hz=rate_hz)
        (verdict,) = monitor.evaluate([("MoCap", window(x, 100.0, ("x",), stats=seen))])
        (finding,) = [
            f for f in verdict.findings if f.metric == "stream.rate_error"
        ] or [None]
        now.t += 2.0
    assert (finding.level, finding.value) == ("red", pytest.approx(1.0))
    assert finding.clearing
    assert "1 % (better again, limit 2)" in finding.text


def test_good_signals_get_a_good_verdict(now) -> None:
    monitor = Monitor(now)
    for _ in range(6):
        (verdict,) = monitor.evaluate([emg(muscle(), muscle(seed=3))])
        now.t += 1.0
    assert (verdict.level, verdict.findings) == ("ok", ())


def test_the_same_window_from_another_stream_has_its_own_memory(now) -> None:
    monitor = Monitor(now)
    now.t = 10.0
    (verdict,) = monitor.evaluate([emg(white(60.0))])
    assert all(finding.metric != "semg.snr" for finding in verdict.findings)


def test_event_streams_are_not_judged(now) -> None:
    silent = window(np.zeros((0, 1)), 0.0, ("e",), stats=stats(age_s=999.0))
    (verdict,) = Monitor(now).evaluate([("Markers", silent)])
    assert verdict.level == "ok"


def test_limits_can_be_overridden_but_not_invented(now, tmp_path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("semg.snr: {amber: 40}\n")
    monitor = Monitor(now, load_limits(path))
    metrics = {metric.name: metric for metric in monitor.metrics("EMG")}
    assert metrics["semg.snr"].level(30) == "amber"
    assert metrics["semg.snr"].level(1) == "amber"
    with pytest.raises(LimitsError, match=r"semg\.snrr"):
        merged({"semg.snrr": Limits()})


def test_every_metric_is_complete() -> None:
    assert {metric.name for metric in ALL} == set(DEFAULT_LIMITS)
    assert len({metric.name for metric in ALL}) == len(ALL)
    for metric in ALL:
        assert metric.advice.endswith((".", "?")), metric.name
        assert metric.unit, metric.name
        amber, red = metric.limits.amber, metric.limits.red
        if amber is not None and red is not None:
            assert (red > amber) == (metric.better == "low"), metric.name


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (5000.0, "ms", "5000 ms"),
        (0.3112, "%", "0.311 %"),
        (31.26, "µV", "31.3 µV"),
        (np.nan, "%", "not known now"),
    ],
)
def test_numbers_are_written_without_exponents(value, unit, words) -> None:
    assert in_words(value, unit) == words
