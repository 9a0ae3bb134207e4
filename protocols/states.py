"""The runner's states, and the one table of how they follow one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from protocols.timeline import TrialPlan


class State(StrEnum):
    """Where the runner is."""

    IDLE = "idle"
    RESUMING = "resuming"
    STOPPING = "stopping"
    RESTING = "resting"
    PROMPTING = "prompting"
    CONFIRMING_DECK = "confirming_deck"
    MOVING_DECK = "moving_deck"
    CONFIRMING_FACING = "confirming_facing"
    CHECKING_FACING = "checking_facing"
    INSTRUCTING = "instructing"
    RAMPING = "ramping"
    SETTLING = "settling"
    ARMING = "arming"
    LOW_BEFORE = "low_before"
    RAISING = "raising"
    RECORDING = "recording"
    LOWERING = "lowering"
    LOW_AFTER = "low_after"
    CLOSING = "closing"
    JUDGING = "judging"
    PAUSED = "paused"
    ABORTING = "aborting"
    FINISHED = "finished"
    ABORTED = "aborted"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """No further state follows."""
        return self in OVER


OVER: Final = frozenset({State.FINISHED, State.ABORTED, State.FAILED})
RUNNING: Final = frozenset(State) - OVER
TAKE_STATES: Final = (
    State.ARMING,
    State.LOW_BEFORE,
    State.RAISING,
    State.RECORDING,
    State.LOWERING,
    State.LOW_AFTER,
    State.CLOSING,
)
"""From opening a file to its end, in order."""

NEXT: Final = (State.STOPPING, State.PROMPTING, State.RAMPING, State.SETTLING)
"""What can follow when a step is done: belts come to rest, or go on."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from state to state, and when it is taken."""

    source: State
    target: State
    when: str


def _to_next(source: State, when: str) -> tuple[Transition, ...]:
    return tuple(Transition(source, target, when) for target in NEXT)


_S = State
TRANSITIONS: Final = (
    Transition(_S.IDLE, _S.RESUMING, "start: cut off before, or belts found moving"),
    Transition(_S.IDLE, _S.STOPPING, "start"),
    Transition(_S.RESUMING, _S.JUDGING, "go on: its last take was not judged"),
    Transition(_S.RESUMING, _S.STOPPING, "go on"),
    Transition(_S.STOPPING, _S.RESTING, "belts at zero: a rest is next"),
    Transition(_S.STOPPING, _S.PROMPTING, "belts at zero: people are next"),
    Transition(_S.STOPPING, _S.CONFIRMING_DECK, "belts at zero: deck elsewhere"),
    Transition(_S.STOPPING, _S.CONFIRMING_FACING, "belts at zero: facing differs"),
    Transition(_S.STOPPING, _S.CHECKING_FACING, "belts at zero: facing not checked"),
    Transition(_S.STOPPING, _S.INSTRUCTING, "ready to walk"),
    Transition(_S.STOPPING, _S.RAMPING, "ready to walk, no confirmation wanted"),
    Transition(_S.STOPPING, _S.SETTLING, "a calibration stands"),
    Transition(_S.STOPPING, _S.FINISHED, "nothing left, deck level"),
    Transition(_S.RESTING, _S.STOPPING, "time is up, or skipped"),
    *_to_next(_S.PROMPTING, "answered, or skipped"),
    Transition(_S.CONFIRMING_DECK, _S.MOVING_DECK, "confirmed"),
    Transition(_S.CONFIRMING_DECK, _S.STOPPING, "skipped"),
    Transition(_S.MOVING_DECK, _S.STOPPING, "the deck is read at its target"),
    Transition(_S.CONFIRMING_FACING, _S.CHECKING_FACING, "confirmed"),
    Transition(_S.CONFIRMING_FACING, _S.STOPPING, "skipped"),
    Transition(_S.CHECKING_FACING, _S.STOPPING, "markers agree, or skipped"),
    Transition(_S.CHECKING_FACING, _S.CONFIRMING_FACING, "markers disagree"),
    Transition(_S.INSTRUCTING, _S.RAMPING, "the operator starts the belts"),
    Transition(_S.INSTRUCTING, _S.STOPPING, "skipped"),
    Transition(_S.RAMPING, _S.SETTLING, "belts are read at their speed"),
    *_to_next(_S.RAMPING, "skipped"),
    Transition(_S.SETTLING, _S.ARMING, "steady, or the operator says so"),
    *_to_next(_S.SETTLING, "an unrecorded walk is over, or skipped"),
    Transition(_S.ARMING, _S.LOW_BEFORE, "the recorder writes"),
    Transition(_S.LOW_BEFORE, _S.RAISING, "line read low for long enough"),
    Transition(_S.RAISING, _S.RECORDING, "an instrument saw the rise"),
    Transition(_S.RECORDING, _S.LOWERING, "time or strides are complete"),
    Transition(_S.LOWERING, _S.LOW_AFTER, "line read low"),
    Transition(_S.LOW_AFTER, _S.CLOSING, "low for long enough"),
    *(Transition(s, _S.JUDGING, "recording failed") for s in TAKE_STATES[:-1]),
    Transition(_S.CLOSING, _S.JUDGING, "the file is verified, or not"),
    *(Transition(s, _S.ARMING, "repeated") for s in TAKE_STATES[1:]),
    *(t for s in TAKE_STATES for t in _to_next(s, "skipped, or belts do not run")),
    Transition(_S.JUDGING, _S.ARMING, "repeat, still walking"),
    *_to_next(_S.JUDGING, "judged"),
    *_to_next(_S.PAUSED, "resumed"),
    *(
        Transition(source, _S.PAUSED, "pause, or adverse event")
        for source in sorted(RUNNING - {_S.IDLE, _S.PAUSED, _S.ABORTING})
    ),
    *(
        Transition(source, _S.ABORTING, "abort, or a failure")
        for source in sorted(RUNNING - {_S.ABORTING})
    ),
    Transition(_S.ABORTING, _S.ABORTED, "belts at zero, or unknown for too long"),
    Transition(_S.ABORTING, _S.FAILED, "belts at zero, or unknown for too long"),
)
"""Every way there is; the runner takes no other."""

ALLOWED: Final = frozenset((each.source, each.target) for each in TRANSITIONS)

DEADLINES_S: Final[Mapping[State, float]] = {
    State.STOPPING: 60.0,
    State.MOVING_DECK: 180.0,
    State.RAMPING: 60.0,
    State.ARMING: 40.0,
    State.CLOSING: 20.0,
    State.ABORTING: 30.0,
}
"""Longest stay in a state that waits for the laboratory, s; beyond it the run fails.
Waiting for people has no deadline, and the line's states have their own, which fail
the take alone. The deck's is long because its rate is not published."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the operator can answer.

    Without `answers` it takes a number (when `number` gives its range) or any text.
    `suggestion` is what goes on; otherwise `answers[0]` does.
    """

    id: int
    text: str
    answers: tuple[str, ...] = ()
    number: tuple[float, float] | None = None
    suggestion: str = ""

    @property
    def default(self) -> str:
        """Return the answer that goes on."""
        return self.suggestion or (self.answers[0] if self.answers else "")

    def refusal(self, answer: str) -> str:
        """Say why an answer is none; nothing where it is one."""
        if self.answers:
            have = " or ".join(repr(choice) for choice in self.answers)
            wrong = answer not in self.answers
            return f"{answer!r} is no answer here; it takes {have}" if wrong else ""
        if self.number is None:
            return "" if answer.strip() else "it takes a few words"
        low, high = self.number
        try:
            inside = low <= float(answer) <= high
        except ValueError:
            inside = False
        return "" if inside else f"{answer!r} is no number from {low:g} to {high:g}"


@dataclass(frozen=True, slots=True)
class Request:
    """Something the operator may ask for: what it would be about, and why not now.

    It is allowed where `refusal` is empty.
    """

    about: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a window needs to know of the runner, at one instant."""

    state: State
    protocol: str
    trial: TrialPlan | None
    n_done: int
    n_trials: int
    time_in_state_s: float
    time_left_s: float | None
    question: Question | None
    message: str
    step: str = ""  #: what is next or under way, in words
    problems: tuple[str, ...] = ()  #: of the take under way
    fatigue: Mapping[str, float] = field(default_factory=dict)
    """Change of each muscle's median frequency against its first trial, %."""
    requests: Mapping[str, Request] = field(default_factory=dict)
    """What the operator may ask for, by verb."""
