"""Buttons, keys and words: what the operator does reaches the session, once."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.models.actions import ACTIONS, ANSWER_SHORTCUT
from gui.models.confirming import PRESS_AGAIN_S, TYPING_S, Confirming
from gui.models.session import SessionView
from gui.widgets.controls import PRESSED, Controls
from protocols.states import Request
from tests.builders.live_fakes import FakeTime

VERBS = ("start", "pause", "resume", "skip", "repeat", "adverse_event", "abort")
FIRST, SECOND = "Ideal LG_0 1.0 m/s trial 1", "Ideal LG_0 1.0 m/s trial 2"


def session(state: str, *allowed: str, about: str = FIRST) -> SessionView:
    requests = {
        verb: Request(about, "" if verb in allowed else f"not in state {state}")
        for verb in VERBS
    }
    return SessionView(reachable=True, state=state, requests=requests)


IDLE = session("idle", "start", "adverse_event", "abort")
RECORDING = session("recording", "pause", "skip", "repeat", "adverse_event", "abort")
PAUSED = session("paused", "resume", "skip", "repeat", "adverse_event", "abort")
OVER = session("finished", "adverse_event")


class Desk:
    """Controls, the time they go by, and what was asked."""

    def __init__(self, keep) -> None:
        self.now = FakeTime()
        self.controls = keep(Controls(now=self.now), (520, 180))
        self.asked: list[tuple[str, dict]] = []
        self.controls.asked.connect(lambda *each: self.asked.append(each))
        self.controls.show_view(RECORDING)

    @property
    def line(self):
        return self.controls.line

    def type(self, words: str, key=Qt.Key.Key_Return) -> None:
        QTest.keyClicks(self.line.entry, words)
        if key is not None:
            QTest.keyClick(self.line.entry, key)

    def wait(self, seconds: float) -> None:
        self.now.t += seconds
        self.controls.tick()


@pytest.fixture
def desk(keep) -> Desk:
    return Desk(keep)


# ---- what is enabled -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "enabled"),
    [
        (SessionView(), set()),
        (IDLE, {"start", "adverse_event"}),
        (RECORDING, {"pause", "skip", "repeat", "adverse_event"}),
        (PAUSED, {"pause", "skip", "repeat", "adverse_event"}),
        (OVER, {"adverse_event"}),
    ],
)
def test_buttons_are_what_the_session_publishes(desk, view, enabled) -> None:
    desk.controls.show_view(view)
    names = ("start", "pause", "skip", "repeat", "adverse_event", "abort")
    seen = {name for name in names if getattr(desk.controls, name).isEnabled()}
    assert seen == enabled | {"abort"}


def test_a_button_that_is_off_says_why(desk) -> None:
    desk.controls.show_view(IDLE)
    assert "Not now: not in state idle" in desk.controls.skip.toolTip()


def test_pause_becomes_resume(desk) -> None:
    desk.controls.pause.click()
    desk.controls.show_view(PAUSED)
    assert desk.controls.pause.text().startswith("Resume")
    desk.controls.pause.click()
    assert desk.asked == [("pause", {}), ("resume", {})]


def test_abort_asks_nothing_back_whatever_the_session_says(desk) -> None:
    for view in (SessionView(), IDLE, RECORDING, PAUSED, OVER):
        desk.controls.show_view(view)
        desk.controls.abort.click()
    assert desk.asked == [("abort", {})] * 5


def test_every_key_has_one_meaning() -> None:
    keys = {action.shortcut for action in ACTIONS} | {ANSWER_SHORTCUT}
    toggles = {"resume"}  # the same key as pause, never at the same time
    assert len(keys) == len([a for a in ACTIONS if a.verb not in toggles]) + 1


# ---- skip and repeat -----------------------------------------------------------------


@pytest.mark.parametrize("verb", ["skip", "repeat"])
def test_the_second_press_confirms(desk, verb) -> None:
    button = getattr(desk.controls, verb)
    button.click()
    assert desk.asked == []
    assert button.text().startswith("Sure?")
    assert FIRST in desk.line.caption.said
    desk.wait(PRESS_AGAIN_S - 0.1)
    button.click()
    assert desk.asked == [(verb, {})]
    assert not button.text().startswith("Sure?")


def test_a_press_alone_is_forgotten(desk) -> None:
    desk.controls.skip.click()
    desk.wait(PRESS_AGAIN_S + 0.1)
    assert desk.controls.skip.text() == "Skip  [F6]"
    desk.controls.skip.click()
    assert desk.asked == []


def test_the_other_button_does_not_confirm(desk) -> None:
    desk.controls.skip.click()
    desk.controls.repeat.click()
    assert desk.asked == []
    assert desk.controls.skip.text() == "Skip  [F6]"
    desk.controls.repeat.click()
    assert desk.asked == [("repeat", {})]


def test_a_reason_is_typed_in_peace_and_sent_along(desk) -> None:
    desk.controls.skip.click()
    desk.type("cable", None)
    desk.wait(PRESS_AGAIN_S + 1.0)
    desk.type(" loose")
    assert desk.asked == [("skip", {"reason": "cable loose"})]
    assert desk.line.purpose == "note"
    assert desk.line.words == ""


def test_a_reason_left_half_typed_is_forgotten_too(desk) -> None:
    desk.controls.skip.click()
    desk.type("cable", None)
    desk.wait(TYPING_S + 0.1)
    desk.type("", Qt.Key.Key_Return)
    assert desk.asked == []


def test_what_it_is_about_must_not_change_between_the_presses(desk) -> None:
    desk.controls.skip.click()
    desk.controls.show_view(session("judging", "skip", "repeat", about=SECOND))
    assert desk.line.purpose == "note"
    desk.controls.skip.click()
    assert desk.asked == []
    assert SECOND in desk.line.caption.said


def test_no_is_no_and_a_half_written_note_comes_back(desk) -> None:
    desk.type("sweating a l", None)
    desk.controls.skip.click()
    assert desk.line.entry.text() == ""
    desk.line.leave.click()
    assert desk.line.entry.text() == "sweating a l"
    desk.type("ot")
    assert desk.asked == [("note", {"text": "sweating a lot"})]


def test_confirming_needs_the_same_thing_twice() -> None:
    now = FakeTime()
    waiting = Confirming(now)
    assert not waiting.lapsed(typing=False)
    assert not waiting.press("skip", FIRST)
    assert not waiting.press("skip", SECOND)
    assert waiting.press("skip", SECOND)
    assert not waiting.press("skip", SECOND)


# ---- words ---------------------------------------------------------------------------


def test_notes_are_sent_and_cleared(desk) -> None:
    desk.type("  coughed ")
    desk.type("")
    assert desk.asked == [("note", {"text": "coughed"})]
    assert desk.line.words == ""


@pytest.mark.parametrize("purpose", ["note", "adverse_event"])
def test_words_that_nobody_takes_are_not_lost(desk, purpose) -> None:
    if purpose == "adverse_event":
        desk.controls.adverse_event.click()
        desk.asked.clear()
    desk.controls.show_view(SessionView())
    desk.type("coughed")
    assert desk.asked == []
    assert "not sent" in desk.line.caption.said
    desk.controls.show_view(RECORDING)
    desk.type(" twice")
    assert desk.asked == [(purpose, {"text": "coughed twice"})]
    assert "not sent" not in desk.line.caption.said


def test_an_adverse_event_stops_first_and_takes_its_words_afterwards(desk) -> None:
    desk.controls.adverse_event.click()
    assert desk.asked == [("adverse_event", {"text": PRESSED})]
    assert "What happened?" in desk.line.caption.said
    desk.type("")  # nothing said yet
    desk.wait(600.0)  # the operator is with the participant
    desk.controls.show_view(PAUSED)
    desk.type("dizzy, sat down")
    assert desk.asked[1:] == [("adverse_event", {"text": "dizzy, sat down"})]
    assert desk.line.purpose == "note"


def test_a_second_adverse_event_stops_again_while_words_are_due(desk) -> None:
    desk.controls.adverse_event.click()
    desk.controls.adverse_event.click()
    assert desk.asked == [("adverse_event", {"text": PRESSED})] * 2


def test_an_adverse_event_clears_a_first_press(desk) -> None:
    desk.controls.skip.click()
    desk.controls.adverse_event.click()
    desk.type("")
    assert [verb for verb, _ in desk.asked] == ["adverse_event"]
    assert desk.controls.skip.text() == "Skip  [F6]"


def test_enter_for_a_skip_that_is_no_longer_allowed_does_nothing(desk) -> None:
    desk.controls.skip.click()
    desk.controls.show_view(SessionView())
    desk.type("")
    assert desk.asked == []


# ---- keys ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Escape, [("abort", {})]),
        (Qt.Key.Key_F8, [("pause", {})]),
        (Qt.Key.Key_F12, [("adverse_event", {"text": PRESSED})]),
        (Qt.Key.Key_F5, []),  # not allowed now
    ],
)
@pytest.mark.parametrize("purpose", ["note", "skip"])
def test_keys_work_while_a_line_is_typed(desk, key, expected, purpose) -> None:
    desk.controls.activateWindow()
    assert QTest.qWaitForWindowActive(desk.controls)
    if purpose == "skip":
        desk.controls.skip.click()
    desk.line.entry.setFocus()
    QTest.keyClicks(desk.line.entry, "half a")
    QTest.keyClick(desk.line.entry, key)
    assert desk.asked == expected


def test_a_key_twice_confirms_and_f9_goes_to_the_note(desk) -> None:
    desk.controls.activateWindow()
    assert QTest.qWaitForWindowActive(desk.controls)
    for _ in range(2):
        QTest.keyClick(desk.controls, Qt.Key.Key_F7)
    assert desk.asked == [("repeat", {})]
    desk.controls.start.setFocus()
    QTest.keyClick(desk.controls, Qt.Key.Key_F9)
    assert desk.line.entry.hasFocus()
