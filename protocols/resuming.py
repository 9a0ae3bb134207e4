"""Going on with a session that was cut off."""

from protocols.errors import DeclinedError
from protocols.moving import halt
from protocols.run import Run
from protocols.states import State
from protocols.taking import judge
from protocols.verdict import TakeRecord

GO_ON, SKIP, ABORT = "go on", "skip it", "abort"


def begin(run: Run) -> None:
    """Begin a run, or offer what a run that was cut off was doing."""
    if not run.resumed.begun:
        halt(run)
        return
    run.enter(State.RESUMING)
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
    if answer == GO_ON and _has_unjudged_take(run):
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
