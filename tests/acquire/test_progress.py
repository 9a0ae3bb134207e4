"""A question at the terminal never holds up the run."""

import dataclasses
import queue
import threading

import pytest
from rich.prompt import Prompt

from acquire.commands.progress import SessionProgress
from protocols.errors import NotAllowedError
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


def test_a_number_off_its_scale_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entered, got = iter(["eleven", "7"]), queue.Queue[str]()

    def take(number: int, answer: str) -> None:
        question = Question(number, "Borg?", number=(0.0, 10.0), suggestion="5")
        if question.refusal(answer):
            raise NotAllowedError(question.refusal(answer))
        got.put(answer)

    seen: list[object] = []

    def ask(*_: object, choices: object, default: object, **__: object) -> str:
        seen.append((choices, default))
        return next(entered)

    monkeypatch.setattr(Prompt, "ask", ask)
    progress = SessionProgress()
    progress.ask = take
    question = Question(1, "Borg?", number=(0.0, 10.0), suggestion="5")
    progress.show(dataclasses.replace(asking(1), question=question))
    assert got.get(timeout=5.0) == "7"
    assert seen == [(None, "5"), (None, "5")]
