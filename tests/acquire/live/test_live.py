"""Live views follow streams by name as they come, restart and change."""

import logging

import numpy as np
import pytest

from devices.stream import Channel, Counter, StreamSpec, TriggerInput
from tests.builders.live_fakes import FakeTime, fake_live, until

EMG = StreamSpec(
    "semg",
    "EMG",
    100.0,
    (Channel("R_TA", "uV"), Channel("sync"), Channel("index")),
    counter=Counter("adapter", "index"),
    trigger=TriggerInput("sync", "digital"),
)
EVENTS = StreamSpec("kinemuse-events", "Markers", 0.0, (Channel("e"),), "string")


def rows(first: int, n: int, line: float = 0.0) -> np.ndarray:
    index = np.arange(first, first + n)
    return np.column_stack([np.sin(index), np.full(n, line), index])


@pytest.fixture
def now():
    return FakeTime()


@pytest.fixture
def emg(now):
    live, finder = fake_live(EMG, now=now)
    yield live, finder, finder.sources["semg"]
    live.close()


def test_fills_and_counts(emg, now) -> None:
    live, _, source = emg
    source.push_rows(rows(0, 150), t0=now.t - 1.5)
    source.push_rows(rows(155, 50, line=1.0), t0=now.t + 0.05)
    until(lambda: live.stats()["semg"].n_samples == 200)
    now.t += 0.25
    stats = live.stats()["semg"]
    assert stats.n_lost == 5
    assert stats.age_s == pytest.approx(0.25)
    assert stats.trigger_high is True
    assert (stats.n_rises, stats.n_falls) == (1, 0)
    assert stats.simulated
    assert live.latest("semg", 0.1).samples.shape == (10, 3)
    assert live.since("semg", 190).samples[0, 2] == 195


def test_measures_the_clock_offset(emg) -> None:
    live, _, source = emg
    source.push_rows(rows(0, 1))
    until(lambda: live.stats()["semg"].rtt_s == 0.0002)


def test_goes_on_in_the_same_ring_after_a_restart(emg) -> None:
    live, finder, source = emg
    source.push_rows(rows(7000, 10))
    until(lambda: live.stats()["semg"].n_samples == 10)
    again = finder.announce(EMG)
    live.look()
    again.push_rows(rows(0, 10))
    until(lambda: live.stats()["semg"].n_samples == 20)
    stats = live.stats()["semg"]
    assert (stats.n_restarts, stats.n_lost) == (1, 0)
    assert source.closed
    assert live.generation("semg") == 1


def test_other_channels_get_a_new_ring(emg) -> None:
    live, finder, source = emg
    source.push_rows(rows(0, 10))
    more = StreamSpec("semg", "EMG", 100.0, (*EMG.channels, Channel("L_TA", "uV")))
    finder.announce(more).push_rows(np.zeros((5, 4)))
    live.look()
    until(lambda: live.stats()["semg"].n_samples == 5)
    assert live.generation("semg") == 2
    assert live.facts("semg").labels[-1] == "L_TA"
    assert live.stats()["semg"].n_lost is None


def test_a_lost_inlet_is_opened_again(emg, caplog) -> None:
    live, finder, source = emg
    with caplog.at_level(logging.CRITICAL, "kinemuse"):
        source.lose()
        until(lambda: not live.stats()["semg"].connected)
    source.lost = False
    live.look()
    source.push_rows(rows(0, 3))
    until(lambda: live.stats()["semg"].n_samples == 3)
    assert live.stats()["semg"].connected
    assert len(finder.found) == 1


def test_a_stream_that_cannot_be_opened_is_tried_again(now, caplog) -> None:
    live, finder = fake_live(now=now)
    finder.announce(EMG)
    good = finder.found[0]

    def fail():
        raise TimeoutError("no answer")

    finder.found[0] = type(good)(good.name, good.uid, good.created_at_s, fail)
    live.look()
    assert live.names() == ()
    assert "no answer" in caplog.text
    finder.found[0] = good
    live.look()
    assert live.names() == ("semg",)
    live.close()


def test_text_streams_give_every_event_once(now) -> None:
    live, finder = fake_live(EVENTS, now=now)
    finder.sources["kinemuse-events"].push(["a", "b"], [1.0, 2.0])
    until(lambda: live.stats()["kinemuse-events"].n_samples == 2)
    assert live.texts("kinemuse-events") == [(1, 1.0, "a"), (2, 2.0, "b")]
    assert [text for _, _, text in live.texts("kinemuse-events", after=1)] == ["b"]
    live.close()


def test_unknown_streams_give_nothing() -> None:
    live, finder = fake_live()
    assert live.latest("semg", 1.0) is None
    assert live.since("semg", 0) is None
    assert live.facts("semg") is None
    assert live.texts("semg") == []
    assert live.stats() == {}
    live.close()
    assert finder.closed


def test_ignored_streams_are_left_alone() -> None:
    live, finder = fake_live()
    live._ignore = lambda name: name == "semg"
    finder.announce(EMG)
    live.look()
    assert live.names() == ()
    live.close()


def test_looks_by_itself_once_started() -> None:
    live, finder = fake_live()
    live.start()
    finder.announce(EMG)
    until(lambda: live.names() == ("semg",))
    live.close()
    assert finder.sources["semg"].closed
