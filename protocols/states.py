"""The runner's states, what each waits for, and how they follow one another.

```
idle → next → prompting ─┐
        │ ├──→ resting ──┤
        │ └──→ stopping → confirming_deck → moving_deck → confirming_facing
        │        (only what the next trial needs)             │
        │ ┌───────────────────────────────────────────────────┘
        │ └→ ramping → settling → arming → low_before → recording → low_after
        │                                                              │
        └──────── judging ← closing ←──────────────────────────────────┘
              (repeat: arming again)         all done → levelling → finished
any state: abort → aborting → aborted;  a failure → aborting → failed
prompting, resting, judging, settling: pause → paused (belts stop) → next
```
"""

from dataclasses import dataclass
from enum import StrEnum

from protocols.timeline import TrialPlan


class State(StrEnum):
    """Where the runner is."""

    IDLE = "idle"
    PROMPTING = "prompting"
    RESTING = "resting"
    STOPPING = "stopping"
    CONFIRMING_DECK = "confirming_deck"
    MOVING_DECK = "moving_deck"
    CONFIRMING_FACING = "confirming_facing"
    RAMPING = "ramping"
    SETTLING = "settling"
    ARMING = "arming"
    LOW_BEFORE = "low_before"
    RECORDING = "recording"
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
        return self in (State.FINISHED, State.ABORTED, State.FAILED)


DEADLINES_S: dict[State, float] = {
    State.STOPPING: 60.0,
    State.MOVING_DECK: 180.0,
    State.RAMPING: 60.0,
    State.ARMING: 15.0,
    State.CLOSING: 20.0,
    State.ABORTING: 30.0,
}
"""Longest stay in a state that waits for the laboratory, s. Waiting for people has no
deadline; the deck's is long because its rate is not published."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the operator can answer; `answers[0]` goes on."""

    id: int
    text: str
    answers: tuple[str, ...]


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
