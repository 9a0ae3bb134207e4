"""Metrics of any stream."""

import numpy as np
import pytest

from acquire.quality import stream
from tests.acquire.quality.windows import stats, window

METRIC = {each.name: each for each in stream.METRICS}


def judge(name: str, *, rate_hz: float = 100.0, counter=None, **changes) -> str:
    metric = METRIC[f"stream.{name}"]
    index = np.arange(1000.0) if counter is None else np.asarray(counter, np.float64)
    seen = window(
        index[:, None], rate_hz, ("index",), counter="index", stats=stats(**changes)
    )
    return metric.level(metric.compute(seen)[""])


@pytest.mark.parametrize("name", [each.partition(".")[2] for each in METRIC])
def test_a_good_stream_raises_nothing(name: str) -> None:
    assert judge(name) == "ok"


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("stale", {"age_s": 0.5}, "amber"),
        ("stale", {"age_s": 1.5}, "red"),
        ("stale", {"age_s": 1.5, "rate_hz": 1.0}, "ok"),
        ("silent", {"age_s": 9.0}, "ok"),
        ("silent", {"age_s": 1.5, "rate_hz": 0.0}, "amber"),
        ("silent", {"age_s": 9.0, "rate_hz": 0.0}, "red"),
        ("rtt", {"rtt_s": 0.007}, "amber"),
        ("latency", {"latency_s": 2.0}, "red"),
        ("latency", {"latency_s": 2.0, "offset_s": float("nan")}, "ok"),
    ],
)
def test_limits(name: str, changes: dict[str, float], said: str) -> None:
    changes = dict(changes)
    rate_hz = changes.pop("rate_hz", 100.0)
    assert judge(name, rate_hz=rate_hz, **changes) == said


@pytest.mark.parametrize(("hz", "said"), [(99.0, "amber"), (95.0, "red")])
def test_wrong_rate(hz: float, said: str) -> None:
    assert judge("rate_error", **{"rate_hz": 100.0}) == "ok"
    metric = METRIC["stream.rate_error"]
    seen = window(np.zeros((9, 1)), 100.0, ("x",), stats=stats(rate_hz=hz))
    assert metric.level(metric.compute(seen)[""]) == said


def test_a_gated_stream_may_be_silent_while_the_line_is_low() -> None:
    silent = {"age_s": 60.0, "gated": True}
    assert judge("stale", **silent, trigger_high=False) == "ok"
    assert judge("stale", **silent, trigger_high=True) == "red"


@pytest.mark.parametrize(
    ("counter", "percent"),
    [
        (np.arange(900), 0.0),
        (np.r_[0:500, 510:900], 100 * 10 / 900),
        (np.r_[2**15 - 400 : 2**15, 0:500] % 2**15, 0.0),
        (np.r_[800:1200, 0:500], 0.0),
    ],
)
def test_missing_is_counted_across_wraps_and_restarts(counter, percent: float) -> None:
    found = stream.missing_percent(counter.astype(np.float64), 2**15)
    assert found == pytest.approx(percent)


def test_missing_needs_a_counter() -> None:
    metric = METRIC["stream.missing"]
    assert np.isnan(metric.compute(window(np.zeros((5, 1)), 100.0, ("x",)))[""])
