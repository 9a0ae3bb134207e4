import logging
import threading

import pytest

from acquire.repeating import Repeating
from tests.builders.live_fakes import until

LOG = logging.getLogger("kinemuse.test")


def test_it_goes_on_after_a_failure_until_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns: list[int] = []

    def act() -> None:
        turns.append(len(turns))
        if len(turns) == 2:
            raise RuntimeError("no printer")

    repeating = Repeating("test", act, lambda: 0.001, "printing failed", LOG)
    repeating.start()
    until(lambda: len(turns) > 5)
    repeating.close()
    n = len(turns)
    repeating.close()
    assert len(turns) == n
    assert caplog.text.count("RuntimeError: no printer") == 1
    assert "printing failed" in caplog.text


def test_the_pause_is_asked_anew_and_cut_short_by_the_end() -> None:
    pauses = iter([0.0, 0.0, 3600.0])
    turns: list[None] = []
    repeating = Repeating(
        "test", lambda: turns.append(None), lambda: next(pauses), "", LOG
    )
    repeating.start()
    until(lambda: len(turns) == 3)
    repeating.close()
    assert len(turns) == 3


def test_a_turn_may_close_it() -> None:
    closed = threading.Event()

    def act() -> None:
        repeating.close()
        closed.set()

    repeating = Repeating("test", act, lambda: 0.0, "", LOG)
    repeating.start()
    assert closed.wait(5.0)


def test_closing_before_the_start_waits_for_nothing() -> None:
    Repeating("test", lambda: None, lambda: 0.0, "", LOG).close()
