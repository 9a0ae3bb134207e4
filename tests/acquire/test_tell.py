"""A running session is told things from another terminal."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from acquire.cli import app
from acquire.commands import telling
from acquire.control import ControlServer

SNAPSHOT = {
    "state": "prompting", "trial": None, "step": "Borg?", "n_done": 3, "n_trials": 12,
    "message": "", "belts": {"state": "idle", "left_mps": 0.0, "right_mps": 0.0,
                             "incline_deg": 5.0},
    "prompts": [{"id": 7, "text": "Borg?", "answers": []}],
}  # fmt: skip
Heard = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """What a session hears that stands in a prompt."""
    got: Heard = []

    def listen(verb: str) -> object:
        def act(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            got.append((verb, arguments))
            return SNAPSHOT

        return act

    verbs = ("pause", "skip", "answer", "adverse_event", "abort")
    handlers = {verb: listen(verb) for verb in verbs}
    monkeypatch.setattr(telling, "runtime_dir", lambda _: tmp_path)
    with ControlServer(
        "session", {**handlers, "snapshot": lambda _: SNAPSHOT}, tmp_path
    ):
        yield got


def test_an_answer_goes_to_the_question_that_is_asked(heard: Heard) -> None:
    result = CliRunner().invoke(app, ["tell", "answer", "7"])
    assert result.exit_code == 0, result.output
    assert heard == [("answer", {"prompt_id": 7, "value": "7"})]
    assert "3/12" in result.output


def test_reasons_and_events_are_handed_on(heard: Heard) -> None:
    for words in (["skip", "cable loose"], ["adverse-event", "dizzy"], ["pause"]):
        assert CliRunner().invoke(app, ["tell", *words]).exit_code == 0
    assert heard == [
        ("skip", {"reason": "cable loose"}),
        ("adverse_event", {"text": "dizzy"}),
        ("pause", {}),
    ]


def test_an_event_without_words_is_wrong_usage(heard: Heard) -> None:
    assert CliRunner().invoke(app, ["tell", "adverse-event"]).exit_code == 2
    assert not heard
