"""A session that goes, or is lost, or comes back, is told from one another."""

import pytest

from gui.models.attachment import attached, greeting
from gui.models.session import SessionView
from protocols.states import Question, Request

GONE = SessionView.unreachable("it is not running")
RUNNING = SessionView(
    reachable=True,
    state="recording",
    session="2026-11-23_1",
    participant="P43",
    protocol="demo",
    trial="Ideal LG_0 1.0 m/s trial 1",
    elapsed_s=3.0,
    belts_known=True,
    recorder="recording",
    problems=("semg: 3 lost",),
    questions=(Question(1, "Keep it?", ("accept",)),),
    requests={"skip": Request()},
)


def ended(state: str, message: str = "") -> SessionView:
    return SessionView(
        reachable=True, state=state, session="2026-11-23_1", message=message, n_done=2
    )


def test_while_it_answers_it_is_shown_as_it_is() -> None:
    assert attached(SessionView(), RUNNING) is RUNNING
    assert attached(attached(RUNNING, GONE), RUNNING) is RUNNING


def test_where_none_ever_answered_nothing_is_claimed() -> None:
    assert attached(SessionView(), GONE) is GONE
    assert not attached(GONE, GONE).lost


@pytest.mark.parametrize("state", ["finished", "aborted", "failed"])
def test_a_run_that_ended_stays_and_says_so(state: str) -> None:
    shown = attached(ended(state, "all trials done"), GONE)
    assert shown.closed
    assert (shown.state, shown.n_done) == (state, 2)
    assert shown.message.startswith(f"Run ended, state {state} (all trials done)")
    assert "A new run shows here by itself" in shown.message
    assert attached(shown, GONE) is shown


def test_a_session_lost_in_a_run_is_an_alarm_and_offers_nothing() -> None:
    shown = attached(RUNNING, GONE)
    assert shown.lost
    assert not shown.closed
    assert not shown.recording
    assert "last state was recording" in shown.message
    assert "hardware e-stop" in shown.message
    assert shown.trial == RUNNING.trial
    assert (shown.questions, shown.problems, shown.elapsed_s) == ((), (), None)
    assert shown.belts_known is None
    assert shown.refusal("skip")


def test_a_session_closed_before_its_run_is_no_alarm() -> None:
    shown = attached(SessionView(reachable=True, state="idle"), GONE)
    assert "before its run began" in shown.message


def test_the_session_watched_is_named_when_it_changes() -> None:
    first = greeting(SessionView(), RUNNING)
    assert first == "watching session 2026-11-23_1 (P43, demo)"
    assert greeting(RUNNING, RUNNING) == ""
    lost = attached(RUNNING, GONE)
    assert greeting(RUNNING, lost) == ""
    assert greeting(lost, RUNNING).startswith("watching session 2026-11-23_1 again")
    other = SessionView(reachable=True, session="2026-11-23_2")
    assert "2026-11-23_2" in greeting(attached(ended("finished"), GONE), other)
