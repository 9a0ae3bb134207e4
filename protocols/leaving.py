"""Out of the ordinary: pause, skip, repeat, adverse event, abort, failure."""

from collections.abc import Callable

from protocols.moving import go_on, halt, insist_on_rest
from protocols.requests import require, rest_is_owed
from protocols.run import Run
from protocols.states import TAKE_STATES, State
from protocols.taking import again, reject, repeat
from protocols.timeline import TrialPlan

ABORT_AGAIN_S = 0.5  #: an abort is repeated this often until the belts stop
ESTOP = "BELT STATE UNKNOWN: use the hardware emergency stop"
STILL = (State.STOPPING, State.MOVING_DECK, State.PAUSED)
"""States that look at what is next by themselves."""
GOING = (State.PROMPTING, State.RAMPING, State.SETTLING)


# ---- pause --------------------------------------------------------------------------


def pause(run: Run) -> None:
    """Stop belts and deck and wait; an open take is closed and rejected."""
    require(run, "pause")
    run.stopped_s = run.now()
    run.engine.stop()
    run.discard_take("paused")
    run.enter(State.PAUSED, "belts stop; the trial starts again on resume")


def in_paused(run: Run) -> None:
    """See to it that the belts do come to rest."""
    insist_on_rest(run, run.engine.treadmill())


def adverse_event(run: Run, text: str) -> None:
    """Stop as fast as an abort does, note it, and wait for the operator."""
    runs = run.state not in (State.IDLE, State.ABORTING) and not run.state.is_over
    if runs:
        run.stopped_s = run.now()
        run.engine.abort()
    run.engine.event("adverse_event", text=text, state=str(run.state))
    if runs and run.state is not State.PAUSED:
        run.discard_take(f"adverse event: {text}")
        run.enter(State.PAUSED, f"adverse event: {text}; belts stopped")


# ---- skip and repeat ----------------------------------------------------------------


def skip(run: Run, reason: str) -> None:
    """Leave out what is under way or next, and go on behind it."""
    require(run, "skip")
    if run.state is State.JUDGING:
        reject(run, f"skipped: {reason}")
        return
    if run.state in TAKE_STATES:
        run.discard_take(f"skipped: {reason}")
        run.advance("skipped", reason=reason)
        go_on(run)
        return
    if run.stop_group or rest_is_owed(run):  # the question, or the rest after a trial
        run.rest_s = 0.0
    else:
        run.advance("skipped", reason=reason)
    _look_again(run)


def repeat_last(run: Run, reason: str) -> None:
    """Have the take under way, or else the trial judged last, done again."""
    require(run, "repeat")
    if run.state is State.JUDGING:
        repeat(run, reason)
    elif run.state in TAKE_STATES:
        run.discard_take(f"repeat: {reason}")
        again(run)
    else:
        _put_back(run, reason)
        _look_again(run)


def _put_back(run: Run, reason: str) -> None:
    if run.course.last is None:
        return
    entry, outcome = run.course.last
    if outcome == "accepted" and isinstance(entry.action, TrialPlan):
        run.engine.verdict(entry.action, False, f"repeat: {reason}")
    run.put_back()
    run.rest_s = 0.0


def _look_again(run: Run) -> None:
    """Begin what is next now that it is something else."""
    run.facing_checked = False
    if run.state in GOING:
        go_on(run)
    elif run.state not in STILL:
        halt(run)


# ---- the end ------------------------------------------------------------------------


def end(run: Run, ending: State, reason: str) -> None:
    """Stop the belts first, then let go of line and file, whatever fails."""
    if run.state is State.ABORTING or run.state.is_over:
        return
    run.ending, run.aborted_s = ending, run.now()
    steps: list[Callable[[], None]] = [
        run.engine.abort,
        run.lower_line,
        run.close_take,
        lambda: run.discard_take(reason),
    ]
    problems = [reason]
    for step in steps:
        try:
            step()
        except Exception as error:  # each step must be tried
            said = str(error) or type(error).__name__
            if said not in problems:
                problems.append(said)
    run.enter(State.ABORTING, "; ".join(problems))


def in_aborting(run: Run) -> None:
    """Wait for belts read as zero, and repeat the abort until they stop."""
    treadmill = run.engine.treadmill()
    if treadmill.at_standstill:
        run.finish(run.ending, run.message)
    elif (
        treadmill.state != "stopping" and run.now() - run.aborted_s >= ABORT_AGAIN_S
    ):  # the first may not have got through, and the heartbeat goes on
        run.aborted_s = run.now()
        run.engine.abort()


def overdue(run: Run, limit_s: float) -> None:
    """End a state that has waited for the laboratory for too long."""
    if run.state is State.ABORTING:
        run.finish(run.ending, f"{run.message}; {ESTOP}")
    else:
        end(run, State.FAILED, f"{run.state}: nothing after {limit_s:g} s")
