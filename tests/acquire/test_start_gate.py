"""A run does not begin while something speaks against it, unless somebody says why."""

import pytest

from acquire.findings import Finding
from acquire.session_plan import SessionError
from acquire.start_gate import GATE_QUESTION, StartGate

SILENT = Finding("device-silent", "error", "noraxon", "is it running?")
LOW = Finding("disk-low", "warning", "dataset", "7.0 GB free")


class Gate:
    """A gate, what its check finds, and what came through."""

    def __init__(self, *found: Finding) -> None:
        self.found = list(found)
        self.began = 0
        self.published: list[tuple[str, dict[str, object]]] = []
        self.gate = StartGate(
            lambda: self.found,
            self.begin,
            lambda event, facts: self.published.append((event, dict(facts))),
        )

    def begin(self) -> None:
        self.began += 1


def test_warnings_do_not_hold_it() -> None:
    case = Gate(LOW)
    case.gate.start()
    assert (case.began, case.gate.question) == (1, None)
    assert case.published == []


def test_an_error_holds_it_and_asks_for_a_reason() -> None:
    case = Gate(SILENT, LOW)
    with pytest.raises(SessionError, match="noraxon: is it running"):
        case.gate.start()
    assert case.began == 0
    question = case.gate.question
    assert question is not None
    assert question.id == GATE_QUESTION
    assert "noraxon: is it running?" in question.text
    with pytest.raises(SessionError, match="a few words"):
        case.gate.answer("   ")
    assert case.began == 0
    case.gate.answer(" without sEMG today ")
    assert (case.began, case.gate.question) == (1, None)
    facts = {"reason": "without sEMG today", "although": ["noraxon: is it running?"]}
    assert case.published == [("start_override", facts)]


def test_what_was_mended_needs_no_reason() -> None:
    case = Gate(SILENT)
    with pytest.raises(SessionError):
        case.gate.start()
    case.found.clear()
    case.gate.start()
    assert (case.began, case.gate.question) == (1, None)
    assert case.published == []


def test_a_beginning_that_fails_is_asked_about_again() -> None:
    case = Gate(SILENT)
    with pytest.raises(SessionError):
        case.gate.start()

    def fail() -> None:
        raise ConnectionError("the treadmill refuses to be armed")

    case.gate = StartGate(lambda: [SILENT], fail, lambda *_: None)
    with pytest.raises(SessionError):
        case.gate.start()
    with pytest.raises(ConnectionError):
        case.gate.answer("all the same")
    assert case.gate.question is not None


def test_nothing_is_answered_that_was_not_asked() -> None:
    case = Gate()
    with pytest.raises(SessionError, match="not being asked"):
        case.gate.answer("why not")
    assert case.began == 0
