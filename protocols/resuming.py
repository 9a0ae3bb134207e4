"""The beginning: of a new run, of one that was cut off, on belts that move already."""

from protocols.errors import DeclinedError
from protocols.moving import halt
from protocols.run import Run
from protocols.states import State
from protocols.taking import judge
from protocols.verdict import TakeRecord

GO_ON, SKIP, STOP, ABORT = "go on", "skip it", "stop the belts", "abort"


def begin(run: Run) -> None:
    """Begin a run, or ask about belts that move and about a run that was cut off."""
    treadmill = run.engine.treadmill()
    if treadmill.state == "adopted":
        run.enter(State.RESUMING)
        text = (
            f"Belts were found moving, left {treadmill.left_mps} and right "
            f"{treadmill.right_mps} m/s; nobody here drives them. Stop them?"
        )
        run.ask(text, STOP, ABORT)
    elif run.resumed.begun:
        run.enter(State.RESUMING)
        _offer(run)
    else:
        halt(run)


def _offer(run: Run) -> None:
    head = run.course.head
    course = run.course
    next_up = "bringing the deck to level"
    if head is not None:
        next_up = run.trial.name if run.trial else head.id
    how = "ended" if run.resumed.state.is_over else "was cut off"
    text = (
        f"This session {how} in state {run.resumed.state}; "
        f"{course.n_done} of {course.n_trials} trials are done. "
    )
    if _has_unjudged_take(run):
        text += f"A take of {next_up} was recorded, but not judged. Judge it now?"
    else:
        text += f"Go on with {next_up}?"
    answers = (GO_ON, SKIP, ABORT) if head is not None else (GO_ON, ABORT)
    run.ask(text, *answers)


def in_resuming(run: Run) -> None:
    """Do what the operator chooses."""
    answer = run.take_answer()
    if answer == ABORT:
        raise DeclinedError("the operator did not go on with the session")
    if answer == STOP:
        run.engine.stop()
        if run.resumed.begun:
            _offer(run)
        else:
            halt(run)
    elif answer == GO_ON and _has_unjudged_take(run):
        run.take = TakeRecord(judged=False)
        judge(run, run.resumed.problems)
    elif answer:
        if answer == SKIP:
            run.advance("skipped", reason="skipped on resuming")
        halt(run)


def _has_unjudged_take(run: Run) -> bool:
    resumed, head = run.resumed, run.course.head
    return (
        bool(resumed.unjudged)
        and head is not None
        and (head.id == resumed.unjudged_trial)
    )
