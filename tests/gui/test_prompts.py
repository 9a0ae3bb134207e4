"""Questions: a button per answer, numbers with bounds, words that cannot be empty."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.models import answers
from gui.models.session import SessionView
from gui.widgets.prompts import PromptBar
from protocols.states import Question

BORG = Question(4, "Borg CR10?", (), (0.0, 10.0), "3")
WHY = Question(5, "Why is it recorded although semg is missing?")


def asking(*questions: Question, message: str = "") -> SessionView:
    return SessionView(reachable=True, questions=questions, message=message)


class Bar:
    """A prompt bar, and what was answered."""

    def __init__(self, keep) -> None:
        self.bar = keep(PromptBar(), (900, 70))
        self.given: list[tuple[int, str]] = []
        self.bar.answered.connect(lambda *each: self.given.append(each))

    def ask(self, *questions: Question) -> PromptBar:
        self.bar.show_view(asking(*questions))
        QApplication.processEvents()
        return self.bar


@pytest.fixture
def case(keep) -> Bar:
    return Bar(keep)


def test_a_question_has_a_button_per_answer(case) -> None:
    bar = case.ask(Question(7, "Move the deck?", ("move the deck", "abort")))
    assert "Move the deck?" in bar.text.said
    assert [button.text() for button in bar.buttons] == ["move the deck", "abort"]
    bar.buttons[1].click()
    assert case.given == [(7, "abort")]
    assert not bar.buttons[0].isEnabled()
    bar.refuse("not now")
    assert bar.buttons[0].isEnabled()
    assert bar.hint.text() == "✕ not now"


def test_the_same_question_keeps_its_buttons_and_the_next_replaces_them(case) -> None:
    bar = case.ask(Question(1, "A?", ("yes", "no")))
    button = bar.buttons[0]
    case.ask(Question(1, "A?", ("yes", "no")))
    assert bar.buttons[0] is button
    case.ask(Question(2, "B?", ("go",)))
    assert [each.text() for each in bar.buttons] == ["go"]
    case.ask()
    assert (bar.buttons, bar.question) == ([], None)


def test_without_a_question_it_says_what_goes_on(case) -> None:
    case.bar.show_view(asking(message="belts to +1.00 m/s"))
    assert case.bar.text.said == "belts to +1.00 m/s"


def test_enter_answers_nothing_by_itself(case) -> None:
    bar = case.ask(Question(1, "Belts on?", ("yes", "no")))
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert case.given == []


def test_a_number_is_prefilled_and_its_bounds_are_shown(case) -> None:
    bar = case.ask(BORG)
    assert bar.entry.text() == "3"
    assert bar.hint.text() == "0 to 10"
    bar.buttons[0].click()
    assert case.given == [(4, "3")]


@pytest.mark.parametrize("typed", ["11", "-1", "a lot", "", "nan", "1 0"])
def test_what_is_out_of_bounds_is_refused_on_the_spot(case, typed) -> None:
    bar = case.ask(BORG)
    bar.entry.clear()
    QTest.keyClicks(bar.entry, typed)
    QTest.keyClick(bar.entry, Qt.Key.Key_Return)
    assert case.given == []
    assert bar.hint.text().startswith("✕ ")
    assert "no number from 0 to 10" in bar.hint.text()
    assert bar.entry.isEnabled()
    QTest.keyClick(bar.entry, Qt.Key.Key_Backspace)
    QTest.keyClick(bar.entry, Qt.Key.Key_A)
    assert bar.hint.text() == "0 to 10"  # typing again


def test_a_decimal_comma_is_a_number(case) -> None:
    bar = case.ask(BORG)
    bar.entry.setText(" 2,5 ")
    bar.buttons[0].click()
    assert case.given == [(4, "2.5")]


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_reason_cannot_be_empty(case, typed) -> None:
    bar = case.ask(WHY)
    bar.entry.setText(typed)
    bar.buttons[0].click()
    assert case.given == []
    assert bar.hint.text() == "✕ it takes a few words"
    bar.entry.setText(" amplifier is charging ")
    QTest.keyClick(bar.entry, Qt.Key.Key_Return)
    assert case.given == [(5, "amplifier is charging")]


def test_a_refused_answer_stays_to_be_changed(case) -> None:
    bar = case.ask(BORG)
    bar.buttons[0].click()
    assert not bar.entry.isEnabled()
    bar.refuse("question 4 is not being asked")
    assert bar.entry.isEnabled()
    assert bar.entry.text() == "3"


def test_a_key_goes_to_the_answer(case) -> None:
    bar = case.ask(BORG)
    bar.activateWindow()
    assert QTest.qWaitForWindowActive(bar)
    QTest.keyClick(bar, Qt.Key.Key_F2)
    assert bar.entry.hasFocus()
    assert bar.entry.selectedText() == "3"
    case.ask(Question(1, "A?", ("yes", "no")))
    QTest.keyClick(bar, Qt.Key.Key_F2)
    assert bar.buttons[0].hasFocus()
    case.ask()
    QTest.keyClick(bar, Qt.Key.Key_F2)  # nothing to go to


def test_the_window_judges_answers_as_the_session_does() -> None:
    for text in ("0", "10", "10.01", "x", ""):
        assert answers.typed(BORG, text) == (text, BORG.refusal(text))
    assert answers.hint(WHY) == "in words"
