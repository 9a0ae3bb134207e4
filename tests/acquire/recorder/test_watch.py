import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquire.recorder.watch import CounterWatch, FlowWatch, RateWatch, TriggerWatch
from devices.stream import Counter


def counted(
    values: list[float], *, modulus: int = 1000, chunk: int = 3
) -> CounterWatch:
    watch = CounterWatch(Counter("device", "index", modulus), rate_hz=100.0)
    t = np.arange(len(values)) / 100.0
    for k in range(0, len(values), chunk):
        watch.add(np.array(values[k : k + chunk], np.float32), t[k : k + chunk])
    return watch


@pytest.mark.parametrize(
    ("values", "lost", "gaps", "duplicates", "restarts"),
    [
        ([5, 6, 7, 8], 0, 0, 0, 0),
        ([5, 6, 9, 10, 12], 3, 2, 0, 0),
        ([998, 999, 0, 1], 0, 0, 0, 0),
        ([998, 2, 3], 3, 1, 0, 0),
        ([5, 6, 6, 7], 0, 0, 1, 0),
        ([500, 501, 0, 1], 0, 0, 0, 1),
        ([5, float("nan"), 6, 7], 0, 0, 0, 0),
        ([], 0, 0, 0, 0),
    ],
)
def test_counter(
    values: list[float], lost: int, gaps: int, duplicates: int, restarts: int
) -> None:
    watch = counted(values)
    assert (watch.n_lost, watch.n_gaps) == (lost, gaps)
    assert (watch.n_duplicates, watch.n_restarts) == (duplicates, restarts)


def test_gaps_are_known_one_by_one() -> None:
    watch = CounterWatch(Counter("device", "index", 1000), 100.0)
    count = np.array([997, 998, 2, 3, 4, 8, 9])
    watch.add(count, np.arange(7) / 100)
    watch.add(np.array([12.0]), np.array([0.12]))
    assert list(watch.gaps) == [(999, 3, 0.02), (5, 3, 0.05), (10, 2, 0.12)]
    assert watch.n_lost == 8


def test_a_long_pause_explains_a_long_loss() -> None:
    watch = CounterWatch(Counter("device", "index", 2**24), rate_hz=1000.0)
    watch.add(np.array([0, 1]), np.array([0.0, 0.001]))
    watch.add(np.array([25_000]), np.array([25.0]))
    assert (watch.n_lost, watch.n_restarts) == (24_998, 0)


@given(
    dropped=st.sets(st.integers(1, 198), max_size=60),
    chunk=st.integers(1, 40),
    start=st.integers(0, 2**15 - 1),
)
def test_losses_do_not_depend_on_chunks(
    dropped: set[int], chunk: int, start: int
) -> None:
    kept = np.array([k for k in range(200) if k not in dropped])
    watch = CounterWatch(Counter("device", "seq", 2**15), rate_hz=20.0)
    for k in range(0, len(kept), chunk):
        part = kept[k : k + chunk]
        watch.add(((part + start) % 2**15).astype(np.int16), part / 20.0)
    assert watch.n_lost == len(dropped)


def fed(rate_hz: float, seconds: float, chunk_s: float, jitter_s: float) -> RateWatch:
    rng = np.random.default_rng(3)
    watch, n = RateWatch(), 0
    for t in np.arange(chunk_s, seconds, chunk_s):
        due = int(t * rate_hz)
        if due > n:
            watch.add(due - n, 50.0 + (due - 1) / rate_hz + rng.uniform(0, jitter_s))
            n = due
    return watch


@pytest.mark.parametrize("rate_hz", [20.0, 100.0, 2000.0])
@pytest.mark.parametrize("jitter_s", [0.0, 0.003, 0.015])
def test_rate_is_right_under_jitter(rate_hz: float, jitter_s: float) -> None:
    watch = fed(rate_hz, 3.0, 0.025, jitter_s)
    assert watch.estimate()[0] == pytest.approx(rate_hz, rel=0.01)
    assert not watch.wrong(rate_hz)


@pytest.mark.parametrize("factor", [0.95, 0.98, 1.02, 2.0])
def test_a_wrong_rate_is_seen(factor: float) -> None:
    assert fed(100.0 * factor, 3.0, 0.025, 0.002).wrong(100.0)


def test_a_short_look_says_nothing_of_the_rate() -> None:
    watch = fed(100.0, 1.0, 0.025, 0.0)
    assert np.isnan(watch.estimate()[0])
    watch.reset()
    assert watch.span_s == 0.0


def test_flow_knows_its_normal_pause() -> None:
    flow = FlowWatch(0.0)
    for t in np.arange(0.3, 9.0, 0.3):
        flow.add(t)
    assert flow.limit_s == pytest.approx(0.85)
    coarse = FlowWatch(0.0)
    for t in np.arange(0.6, 9.0, 0.6):
        coarse.add(t)
    assert coarse.limit_s == pytest.approx(0.9)
    fast = FlowWatch(0.0)
    for t in np.arange(0.025, 2.0, 0.025):
        fast.add(t)
    fast.add(10.0)
    assert fast.limit_s == 0.5
    assert fast.n_flows == 2


def chunks(level: list[float], size: int) -> TriggerWatch:
    watch = TriggerWatch()
    for k in range(0, len(level), size):
        watch.add(np.array(level[k : k + size]))
    return watch


LOW, HIGH = [0.02, -0.01] * 8, [4.98, 5.01] * 8


@pytest.mark.parametrize("size", [1, 3, 7, 16, 1000])
@pytest.mark.parametrize(
    ("level", "rises", "falls", "high"),
    [
        (LOW, 0, 0, None),
        (LOW + HIGH, 1, 0, True),
        (HIGH + LOW, 0, 1, False),
        (LOW + HIGH + LOW, 1, 1, False),
        (LOW + HIGH + LOW + HIGH, 2, 1, True),
        ([0] * 5 + [1] * 5 + [0] * 5, 1, 1, False),
    ],
)
def test_trigger_edges(
    level: list[float], size: int, rises: int, falls: int, high: bool | None
) -> None:
    watch = chunks(level, size)
    assert (watch.n_rises, watch.n_falls, watch.high) == (rises, falls, high)


def test_trigger_ignores_what_is_not_a_number() -> None:
    watch = chunks([0.0, float("nan"), 5.0, float("nan"), 0.0], 2)
    assert (watch.n_rises, watch.n_falls) == (1, 1)
    watch.restart()
    watch.add(np.array([5.0]))
    assert (watch.n_rises, watch.n_falls) == (1, 0)
