"""Live views over real LSL streams, and over an outlet that restarts."""

import numpy as np
import pytest

from acquire.live import LiveStreams
from acquire.live.lsl import live_over_lsl
from acquire.lsl import Outlet, local_clock
from devices.stream import Channel, Chunk, Counter, StreamSpec
from tests.builders.live_fakes import until

SPEC = StreamSpec(
    "live-test",
    "Test",
    100.0,
    (Channel("value"), Channel("index")),
    serial="live",
    counter=Counter("device", "index"),
)


def outlet() -> Outlet:
    return Outlet(SPEC, device="test", kind="test", simulated=True)


def push(to: Outlet, first: int, n: int) -> None:
    index = np.arange(first, first + n)
    rows = np.column_stack([index * 2.0, index]).astype(np.float32)
    to.push(Chunk(SPEC.name, rows, local_clock()))


def n_seen(live: LiveStreams) -> int:
    """Samples the live view has of our stream, which it may not list yet."""
    stats = live.stats().get(SPEC.name)
    return stats.n_samples if stats else 0


@pytest.mark.usefixtures("lsl_session")
def test_texts_arrive_in_order() -> None:
    spec = StreamSpec("live-texts", "Markers", 0.0, (Channel("e"),), "string")
    events = Outlet(spec, device="test", kind="test", simulated=True)
    live = live_over_lsl(ignore=lambda name: name != spec.name)
    try:
        until(events.have_consumers, 10.0)
        for text in ("a", "b", "c"):
            events.push_text(text, local_clock())
        until(lambda: len(live.texts(spec.name)) == 3, 5.0)
        assert [text for _, _, text in live.texts(spec.name)] == ["a", "b", "c"]
        assert live.stats()[spec.name].is_text
    finally:
        live.close()
        events.close()


@pytest.mark.usefixtures("lsl_session")
def test_follows_an_outlet_through_a_restart() -> None:
    first = outlet()
    live = live_over_lsl(ignore=lambda name: name != SPEC.name)
    try:
        until(lambda: first.have_consumers(), 10.0)
        push(first, 0, 50)
        push(first, 53, 50)
        until(lambda: n_seen(live) == 100, 5.0)
        stats = live.stats()[SPEC.name]
        assert stats.n_lost == 3
        assert live.latest(SPEC.name, 0.01).samples.tolist() == [[204.0, 102.0]]
        assert -0.1 < stats.latency_s < 1.0
        first.close()
        second = outlet()
        until(lambda: live.stats()[SPEC.name].n_restarts == 1, 10.0)
        until(second.have_consumers, 10.0)
        push(second, 0, 20)
        until(lambda: live.stats()[SPEC.name].n_samples >= 120, 5.0)
        assert live.stats()[SPEC.name].n_lost == 3
        until(lambda: live.stats()[SPEC.name].rtt_s > 0, 10.0)
        second.close()
    finally:
        live.close()
