"""What people do and say: prompts, squats, ratings of effort, and stop rules."""

from protocols.errors import DeclinedError
from protocols.moving import go_on
from protocols.run import Run
from protocols.states import State
from protocols.timeline import Asking, Entry, GapChecking, TrialPlan

RATING = "borg"


def in_prompting(run: Run) -> None:
    """Wait for people, then journal what they said."""
    answer = run.take_answer()
    action = run.action
    if not answer:
        return
    if run.stop_group:
        _end_cycle(run, run.stop_group, answer)
    elif isinstance(action, GapChecking):
        if answer != "go on":
            raise DeclinedError("the operator declined the gap between sessions")
        run.advance("done")
        go_on(run)
    elif isinstance(action, Asking):
        _done(run, action, answer)


def _done(run: Run, action: Asking, answer: str) -> None:
    if action.leaves_out and answer == "skip":
        run.end_group(action.leaves_out, "the operator left it out")
        go_on(run)
        return
    said = {"value": float(answer)} if action.number else {"answer": answer}
    run.engine.event(action.event, **action.facts, **said)
    if action.event == RATING:
        run.fatigue.rating = float(answer)
    after(run, run.advance("done"))


def after(run: Run, entry: Entry) -> None:
    """Go on behind an entry, unless a stop rule of its cycle speaks."""
    action = entry.action
    tells = isinstance(action, TrialPlan) or (
        isinstance(action, Asking) and action.event == RATING
    )
    reason = run.fatigue.reason_to_stop(entry.stop) if tells else ""
    head = run.course.head
    if not reason or head is None or entry.cycle not in head.groups:
        go_on(run)
        return
    run.enter(State.PROMPTING)
    run.stop_group = entry.cycle
    run.engine.event("stop_rule", cycle=entry.cycle, reason=reason)
    run.ask(f"Stop rule: {reason}. End this cycle?", "end the cycle", "go on")


def _end_cycle(run: Run, group: str, answer: str) -> None:
    run.fatigue.rating = None
    if answer == "end the cycle":
        run.end_group(group, "stop rule")
    go_on(run)
