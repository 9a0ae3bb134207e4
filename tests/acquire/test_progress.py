"""A question at the terminal never holds up the run."""

import threading

import pytest
from rich.prompt import Prompt

from acquire.commands.progress import SessionProgress
from protocols.states import Question, Snapshot, State


def asking(number: int) -> Snapshot:
    question = Question(number, "Markers on?", ("done",))
    return Snapshot(
        State.PROMPTING, "demo", None, 0, 3, 0.0, None, question, message=""
    )


def test_the_run_goes_on_while_a_question_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, may_answer, got = threading.Event(), threading.Event(), list[object]()

    def ask(*_: object, **__: object) -> str:
        may_answer.wait(5.0)
        return "done"

    def take(number: int, answer: str) -> None:
        got.append((number, answer))
        answered.set()

    monkeypatch.setattr(Prompt, "ask", ask)
    progress = SessionProgress()
    progress.ask = take
    progress.show(asking(1))  # returns although nobody has answered
    assert not got
    may_answer.set()
    assert answered.wait(5.0)
    assert got == [(1, "done")]
