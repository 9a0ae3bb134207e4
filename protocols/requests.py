"""What the operator may ask of a run now, what that would be about, and why not.

The runner refuses by these rules, and publishes them: whoever shows a button needs no
rules of its own.
"""

from collections.abc import Callable, Mapping
from typing import Final

from protocols.errors import NotAllowedError
from protocols.run import Run
from protocols.states import TAKE_STATES, Request, State
from protocols.timeline import Asking, Resting, TrialPlan

BEFORE_AND_AFTER = (State.IDLE, State.RESUMING, State.ABORTING)
THE_REST = "the rest"


def requests(run: Run) -> dict[str, Request]:
    """Return every request by its verb."""
    return {
        verb: Request(ABOUT.get(verb, _nothing)(run), refuse(run))
        for verb, refuse in REFUSALS.items()
    }


def require(run: Run, verb: str) -> None:
    """Raise `NotAllowedError` where a request is refused now."""
    refusal = REFUSALS[verb](run)
    if refusal:
        raise NotAllowedError(refusal)


def rest_is_owed(run: Run) -> bool:
    """Whether the rest under way is that after a trial, no step of its own."""
    if run.state not in (State.STOPPING, State.RESTING):
        return False
    own = isinstance(run.action, Resting)
    return not own and (run.rest_s > 0 or run.state is State.RESTING)


# ---- why not ------------------------------------------------------------------------


def _start(run: Run) -> str:
    return "" if run.state is State.IDLE else f"the run is {run.state}, not idle"


def _pause(run: Run) -> str:
    nothing = run.state in (State.IDLE, State.PAUSED, State.ABORTING)
    return _over(run) or (f"nothing to pause in state {run.state}" if nothing else "")


def _resume(run: Run) -> str:
    return "" if run.state is State.PAUSED else f"the run is {run.state}, not paused"


def _skip(run: Run) -> str:
    if run.state.is_over or run.state in BEFORE_AND_AFTER:
        return _over(run) or f"nothing to skip in state {run.state}"
    under_way = run.state is State.JUDGING or run.state in TAKE_STATES
    if under_way or run.stop_group or rest_is_owed(run) or run.course.head:
        return ""
    return "nothing is left to skip"


def _repeat(run: Run) -> str:
    if run.state.is_over or run.state in BEFORE_AND_AFTER:
        return _over(run) or f"nothing to repeat in state {run.state}"
    if run.state is State.ARMING:
        return "the take has not begun"
    under_way = run.state is State.JUDGING or run.state in TAKE_STATES
    if under_way or run.course.last:
        return ""
    return "no trial was judged since the last take began"


def _over(run: Run) -> str:
    return f"the run is over: {run.state}" if run.state.is_over else ""


def _nothing(_run: Run) -> str:
    return ""


REFUSALS: Final[Mapping[str, Callable[[Run], str]]] = {
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "skip": _skip,
    "repeat": _repeat,
    "adverse_event": _nothing,  # possible at any moment
    "abort": _over,
}


# ---- what about ---------------------------------------------------------------------


def _skips(run: Run) -> str:
    if run.stop_group:
        return "the question"
    if rest_is_owed(run):
        return THE_REST
    action = run.action
    if isinstance(action, TrialPlan):
        return action.name
    if isinstance(action, Asking):
        return action.text
    return THE_REST if isinstance(action, Resting) else ""


def _repeats(run: Run) -> str:
    if run.state is State.JUDGING or run.state in TAKE_STATES:
        return run.current.name
    last = run.course.last
    action = last[0].action if last else None
    return action.name if isinstance(action, TrialPlan) else ""


ABOUT: Final[Mapping[str, Callable[[Run], str]]] = {"skip": _skips, "repeat": _repeats}
