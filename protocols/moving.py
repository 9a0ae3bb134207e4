"""Getting to the next step: belts to rest, deck, facing, speed, steady walking."""

from protocols.engine import Person, Treadmill
from protocols.errors import DeclinedError
from protocols.run import Run
from protocols.states import State
from protocols.timeline import Asking, GapChecking, Resting, TrialPlan

STOP_AGAIN_S = 0.5
FACING_TIMEOUT_S = 5.0  #: markers may need so long to show that somebody turned


def go_on(run: Run) -> None:
    """Begin whatever is next: walking on where that is possible, else at rest."""
    action, trial = run.action, run.trial
    if isinstance(action, Asking) and action.while_walking and _belts_run(run):
        ask_people(run, action)
    elif trial is not None and _may_walk_on(run, trial):
        if run.engine.treadmill().at_speed(trial.belt_mps):
            settle(run, trial, run.settings.resettle_s)
        else:
            start_belts(run, trial)
    else:
        halt(run)


def halt(run: Run, message: str = "") -> None:
    """Bring the belts to rest, if they are not known to rest already."""
    if not message and run.course.head is None:
        level = run.engine.treadmill().at_incline(0.0)
        message = "last trial done" if level else "to level"
    run.enter(State.STOPPING, message)
    run.stopped_s = run.now()
    if not run.engine.treadmill().at_standstill:
        run.engine.stop()


def insist_on_rest(run: Run, treadmill: Treadmill) -> None:
    """Repeat a stop that has not got through."""
    if (
        treadmill.state in ("moving", "adopted")
        and run.now() - run.stopped_s >= STOP_AGAIN_S
    ):
        run.stopped_s = run.now()
        run.engine.stop()


def ask_people(run: Run, action: Asking) -> None:
    """Put what people have to do or to say."""
    run.enter(State.PROMPTING)
    choices = ("done", "skip") if action.leaves_out else ("done",)
    answers = () if action.number else choices
    run.ask(action.text, *answers, number=action.number, suggestion=action.suggestion)


def start_belts(run: Run, trial: TrialPlan) -> None:
    """Command the trial's speed; readback decides when it is reached."""
    run.enter(State.RAMPING, f"belts to {trial.belt_mps:+.2f} m/s")
    run.engine.belts(trial.belt_mps, run.settings.accel_mps2)


def settle(run: Run, trial: TrialPlan, duration_s: float) -> None:
    """Walk, or stand, for a while before the recording."""
    lasts_s = duration_s if trial.recorded else trial.record_s
    run.enter(State.SETTLING, duration_s=lasts_s)


# ---- at rest ------------------------------------------------------------------------


def in_stopping(run: Run) -> None:
    """Wait for belts read as zero, then choose what can happen with them at zero."""
    treadmill = run.engine.treadmill()
    if not treadmill.at_standstill:
        insist_on_rest(run, treadmill)
        return
    action = run.action
    owed_s, run.rest_s = run.rest_s, 0.0
    if isinstance(action, Resting):
        run.enter(State.RESTING, duration_s=max(action.duration_s, owed_s))
    elif owed_s > 0 and action is not None:
        run.enter(State.RESTING, duration_s=owed_s)
    elif isinstance(action, Asking):
        ask_people(run, action)
    elif isinstance(action, GapChecking):
        _check_gap(run, action)
    else:
        _stand_for(run, action, treadmill)


def _stand_for(run: Run, trial: TrialPlan | None, treadmill: Treadmill) -> None:
    """Bring deck and facing to where a trial, or the end, wants them."""
    target_deg = trial.incline_deg if trial else 0.0
    if not treadmill.at_incline(target_deg):
        run.enter(State.CONFIRMING_DECK)
        run.deck_target_deg = target_deg
        run.ask(
            "Belts stand. Participant holds on, nobody near the frame: "
            f"move the deck to {target_deg:.1f}°?",
            "move the deck",
            "abort",
        )
    elif trial is None:
        run.finish(State.FINISHED, "all trials done")
    elif trial.is_calibration:
        run.enter(State.SETTLING, duration_s=0.0)
    elif treadmill.reversed_facing != trial.reversed_facing:
        _confirm_facing(run, trial, "")
    elif not run.facing_checked:
        run.enter(State.CHECKING_FACING)
    elif run.settings.confirm_start:
        run.enter(State.INSTRUCTING)
        run.ask(
            f"{trial.name}: belts start and reach {trial.speed_mps:g} m/s. "
            "Participant ready, hands free?",
            "start the belts",
            "abort",
        )
    else:
        start_belts(run, trial)


def in_resting(run: Run) -> None:
    """Wait for the end of a rest."""
    if run.time_is_up:
        if isinstance(run.action, Resting):
            run.advance("done")
        halt(run)


def _check_gap(run: Run, check: GapChecking) -> None:
    days = run.engine.days_since(check.condition)
    run.enter(State.PROMPTING)
    if days is None:
        said = f"there is no earlier session with {check.condition} in this dataset"
    else:
        said = f"{days:.1f} days since the last session with {check.condition}"
    inside = days is not None and check.min_days <= days <= check.max_days
    wanted = f"wanted are {check.min_days:g} to {check.max_days:g} days"
    text = f"{said}; {wanted}. Go on?"
    run.engine.event("gap", condition=check.condition, days=days, as_wanted=inside)
    run.ask(text, "go on", "abort")


# ---- deck and facing ----------------------------------------------------------------


def in_confirming_deck(run: Run) -> None:
    """Move the deck only on the operator's word."""
    if _confirmed(run, "move the deck", "the operator declined to move the deck"):
        run.enter(State.MOVING_DECK, f"deck to {run.deck_target_deg:.1f}°")
        run.engine.deck(run.deck_target_deg)


def in_moving_deck(run: Run) -> None:
    """Wait until the deck is read at its target."""
    if run.engine.treadmill().at_incline(run.deck_target_deg):
        run.enter(State.STOPPING)


def _confirm_facing(run: Run, trial: TrialPlan, doubt: str) -> None:
    run.enter(State.CONFIRMING_FACING, doubt)
    way = "DOWN" if trial.reversed_facing else "UP"
    run.ask(
        f"{doubt}Participant now faces {way} the slope, standing still?", "yes", "abort"
    )


def in_confirming_facing(run: Run) -> None:
    """Take the facing from the operator, then look for it in the markers."""
    if _confirmed(run, "yes", "the operator did not confirm the facing"):
        run.engine.facing(run.current.reversed_facing)
        run.enter(State.CHECKING_FACING)


def in_checking_facing(run: Run) -> None:
    """Compare the facing with the markers, where they can tell."""
    trial, seen = run.current, run.engine.person().reversed_facing
    if seen is None or seen == trial.reversed_facing:
        known = "not seen by markers" if seen is None else "seen by markers"
        run.facing_checked = True
        run.enter(State.STOPPING, f"facing {known}")
    elif run.spent_s > FACING_TIMEOUT_S:
        _confirm_facing(run, trial, "The MARKERS show the opposite. ")


def in_instructing(run: Run) -> None:
    """Start the belts only on the operator's word."""
    if _confirmed(run, "start the belts", "the operator did not start the belts"):
        start_belts(run, run.current)


def _confirmed(run: Run, yes: str, no: str) -> bool:
    answer = run.take_answer()
    if answer and answer != yes:
        raise DeclinedError(no)
    return answer == yes


# ---- walking ------------------------------------------------------------------------


def in_ramping(run: Run) -> None:
    """Wait until both belts are read at the trial's speed."""
    if run.engine.treadmill().at_speed(run.current.belt_mps):
        settle(run, run.current, run.settings.settle_s)


def in_settling(run: Run) -> None:
    """Walk until steady; a calibration stands and needs no wait."""
    if not run.time_is_up:
        return
    trial = run.current
    if not trial.recorded:
        run.advance("done")
        go_on(run)
        return
    why_not = "" if trial.is_calibration else unsteady(run, trial)
    answer = run.take_answer()
    if answer == "skip":
        run.advance("skipped", reason="not steady")
        go_on(run)
    elif not why_not or answer == "record anyway":
        person = run.engine.person()
        run.engine.event(
            "steady",
            steady=not why_not,
            reason=why_not,
            cadence_spm=person.cadence_spm,
            stride_cv_percent=person.stride_cv_percent,
        )
        run.open_take()
    elif _patience_is_over(run) and run.question is None:
        text = f"Walking is not steady: {why_not}. Record {trial.name}?"
        run.ask(text, "record anyway", "skip")


def unsteady(run: Run, trial: TrialPlan) -> str:
    """Say why walking is not steady now; nothing where it is."""
    if not run.engine.treadmill().at_speed(trial.belt_mps):
        return "the belts are not at their speed"
    limit = run.settings.steady_cv_percent
    return "" if limit is None else _irregular(run.engine.person(), limit)


def _irregular(person: Person, limit_percent: float) -> str:
    cv = person.stride_cv_percent
    if cv is None:
        return "too few strides are measured"
    if cv > limit_percent:
        return f"stride times vary by {cv:.1f} % (limit {limit_percent:g} %)"
    return ""


def _patience_is_over(run: Run) -> bool:
    left_s = run.left_s or 0.0
    return -left_s > run.settings.steady_timeout_s


def _belts_run(run: Run) -> bool:
    return not run.rest_s and run.engine.treadmill().state == "moving"


def _may_walk_on(run: Run, trial: TrialPlan) -> bool:
    treadmill = run.engine.treadmill()
    return (
        run.settings.walk_on
        and not trial.is_calibration
        and _belts_run(run)
        and treadmill.at_incline(trial.incline_deg)
        and treadmill.reversed_facing == trial.reversed_facing
    )
