"""Drives a runner through a laboratory in memory, in its own time."""

from collections.abc import Callable

from protocols.replay import Progress, replay
from protocols.runner import Runner
from protocols.schema import ProtocolDefinition, load_protocol, parse_protocol
from protocols.states import State
from tests.builders.protocol_engine import MemoryLab

Answers = Callable[[str], str | None]


def as_suggested(text: str) -> str | None:  # noqa: ARG001 (of any question)
    """Give every question the answer that goes on."""
    return None


def protocol_of(text: str) -> ProtocolDefinition:
    """Parse steps, settings and all below the head of a protocol file."""
    head = "protocol: 1\nname: x\ntitle: x\n"
    return parse_protocol(head + text, source="test")


class Drive:
    """A runner, its laboratory, and an operator who answers as told."""

    def __init__(
        self,
        protocol: ProtocolDefinition | str,
        lab: MemoryLab | None = None,
        *,
        participant: str = "P01",
        progress: Progress | None = None,
        answers: Answers = as_suggested,
        dt_s: float = 0.05,
    ) -> None:
        if isinstance(protocol, str):
            known = "\n" not in protocol
            protocol = load_protocol(protocol) if known else protocol_of(protocol)
        self.protocol, self.lab = protocol, lab or MemoryLab()
        self.participant = participant
        self.answers, self.dt_s = answers, dt_s
        self.runner = Runner(
            protocol,
            self.lab,
            now=self.lab.now,
            participant=participant,
            progress=progress,
        )

    def start(self) -> "Drive":
        self.runner.start()
        return self

    @property
    def state(self) -> State:
        return self.runner.snapshot().state

    @property
    def text(self) -> str:
        """What is being asked."""
        question = self.runner.snapshot().question
        return question.text if question else ""

    def answer(self, answer: str) -> None:
        question = self.runner.snapshot().question
        assert question is not None, self.runner.snapshot()
        self.runner.answer(question.id, answer)

    def tick(self, *, answering: bool = True) -> None:
        self.lab.step(self.dt_s)
        question = self.runner.snapshot().question
        if question and answering:
            wanted = self.answers(question.text)
            self.runner.answer(
                question.id, question.default if wanted is None else wanted
            )
        self.runner.tick()

    def until(
        self,
        wanted: State | Callable[[], bool],
        *,
        answering: bool = True,
        limit_s: float = 1200.0,
    ) -> "Drive":
        """Go on until a state is reached, or something is so."""
        reached = wanted if callable(wanted) else lambda: self.state is wanted
        end_s = self.lab.t_s + limit_s
        while not reached():
            assert self.lab.t_s < end_s, self.runner.snapshot()
            self.tick(answering=answering)
        return self

    def to_question(self, words: str) -> "Drive":
        """Go on until something is asked, and leave it unanswered."""
        while words not in self.text:
            assert not self.state.is_over, self.runner.snapshot()
            self.tick(answering=bool(self.text))
        return self

    def cut_off(self) -> "Drive":
        """Lose this runner, and make the one that goes on from the journal."""
        lab = self.lab
        progress = replay(lab.journal)
        if progress.line_high:
            lab.line_high = False
            lab.event("trial_stop", trial=progress.line_high)
        lab.recorder = "idle"
        lab.abort()  # the dead man
        return Drive(
            self.protocol,
            lab,
            participant=self.participant,
            progress=progress,
            answers=self.answers,
            dt_s=self.dt_s,
        )
