"""The table of states is whole, and the documentation shows it."""

from pathlib import Path

from protocols.runner import HANDLERS, WALKING
from protocols.state_table import page
from protocols.states import ALLOWED, DEADLINES_S, OVER, RUNNING, State


def test_documentation_is_current() -> None:
    written = Path("docs/reference/protocol-states.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m protocols.state_table <that file>"


def test_every_state_is_reached_and_left() -> None:
    reached, new = {State.IDLE}, {State.IDLE}
    while new:
        new = {b for a, b in ALLOWED if a in new} - reached
        reached |= new
    assert reached == set(State)
    assert {a for a, _ in ALLOWED} == RUNNING
    assert {a for a, b in ALLOWED if b is State.ABORTING} == RUNNING - {State.ABORTING}


def test_every_running_state_does_something_on_a_tick() -> None:
    assert set(HANDLERS) == RUNNING - {State.IDLE}
    assert not set(DEADLINES_S) & OVER
    assert set(WALKING) < RUNNING


def test_belts_and_deck_are_never_ready_at_once() -> None:
    assert (State.CONFIRMING_DECK, State.RAMPING) not in ALLOWED
    assert (State.MOVING_DECK, State.RAMPING) not in ALLOWED
    assert {b for a, b in ALLOWED if a is State.MOVING_DECK} == {
        State.STOPPING, State.PAUSED, State.ABORTING,
    }  # fmt: skip
