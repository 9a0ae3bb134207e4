"""One take, from opening its file to the verdict on it."""

from protocols.asking import after
from protocols.engine import RecordingStatus
from protocols.fatigue import Indices, condition_of
from protocols.moving import go_on
from protocols.replay import FATIGUE
from protocols.run import Run
from protocols.states import State
from protocols.verdict import Proposal, missing_rises, propose, still_high

LINE_LOW_TIMEOUT_S = 10.0  #: beyond the time it has to be low
RISE_TIMEOUT_S = 5.0
FALL_TIMEOUT_S = 3.0
ANYWAY = "record anyway"


def in_arming(run: Run) -> None:
    """Wait until the recorder writes."""
    recording = run.engine.recording()
    if recording.state == "failed":
        fail_take(run, recording.problems, ANYWAY)
    elif recording.state == "armed":
        run.engine.record()
    elif recording.state == "recording":
        run.enter(State.LOW_BEFORE, duration_s=run.settings.line_low_s)


def in_low_before(run: Run) -> None:
    """Record the line at rest; it must be read low for long enough."""
    recording = _living(run)
    if recording is None:
        return
    low_s = run.settings.line_low_s
    high = still_high(recording.triggers)
    if high:
        run.low_since_s = None
        if run.spent_s > low_s + LINE_LOW_TIMEOUT_S:
            fail_take(run, tuple(f"{name}: the trigger line is high" for name in high))
        return
    if run.low_since_s is None:
        run.low_since_s = run.now() if run.spent_s > 0 else run.entered_s
    if run.now() - run.low_since_s >= low_s:
        trial = run.current
        run.enter(State.RAISING)
        run.take.line_high = True
        run.engine.capture(True, trial)


def in_raising(run: Run) -> None:
    """Wait until an instrument has recorded the rise."""
    recording = _living(run)
    if recording is None:
        return
    triggers = recording.triggers
    if not triggers or any(seen.n_rises for seen in triggers.values()):
        left_s = max(run.current.record_s - run.spent_s, 0.0)  # it rose when asked to
        run.enter(State.RECORDING, duration_s=left_s)
        run.ticked_s = run.now()
    elif run.spent_s > RISE_TIMEOUT_S:
        fail_take(
            run,
            (
                f"no instrument saw the trigger within {RISE_TIMEOUT_S:g} s; is the "
                "motion-capture system armed for a remote start?",
            ),
        )


def in_recording(run: Run) -> None:
    """Record for the time, or the strides, the protocol wants."""
    recording = _living(run)
    if recording is None:
        return
    _observe(run, recording)
    wanted = run.settings.record_strides
    walks = not run.current.is_calibration
    complete = wanted is not None and walks and run.take.strides >= wanted
    if complete or run.time_is_up:
        message = run.message
        run.lower_line()
        run.enter(State.LOWERING, message)


def _observe(run: Run, recording: RecordingStatus) -> None:
    """Notice triggers not seen, poor quality, strides and fatigue."""
    take, person = run.take, run.engine.person()
    now_s, before_s = run.now(), run.ticked_s
    run.ticked_s = now_s
    take.strides += (person.cadence_spm or 0.0) / 120.0 * (now_s - before_s)
    run.fatigue.measure(person.muscles)
    take.notice(run.engine.findings())
    if not take.triggers_checked and run.spent_s >= run.settings.trigger_seen_s:
        take.triggers_checked = True
        missing = missing_rises(recording.triggers)
        run.engine.event(
            "trigger_seen",
            trial=run.current.name,
            seen=[n for n, each in recording.triggers.items() if each.n_rises],
            missing=missing,
        )
        if missing:
            take.problems |= dict.fromkeys(missing)
            run.message = "; ".join(missing)


def in_lowering(run: Run) -> None:
    """Wait until every instrument reads the line low again."""
    recording = _living(run)
    if recording is None:
        return
    high = still_high(recording.triggers)
    if high and run.spent_s <= FALL_TIMEOUT_S:
        return
    missing = missing_rises(recording.triggers)  # of a take shorter than the check
    late = [f"{name}: no fall of the trigger" for name in high]
    run.take.problems |= dict.fromkeys([*missing, *late])
    run.enter(State.LOW_AFTER, run.message, duration_s=run.settings.line_low_s)


def in_low_after(run: Run) -> None:
    """Record the line at rest again."""
    if _living(run) is not None and run.time_is_up:
        run.enter(State.CLOSING)
        run.close_take()


def in_closing(run: Run) -> None:
    """Wait for the verified file, then ask for the verdict."""
    recording = run.engine.recording()
    if recording.state == "failed":
        fail_take(run, recording.problems)
    elif recording.state == "verified":
        judge(run, recording.problems)


def judge(run: Run, problems: tuple[str, ...]) -> None:
    """Propose a verdict on a recorded take, and ask."""
    trial = run.current
    run.proposal = propose(trial, run.take, problems, run.settings.propose_repeat_on)
    run.enter(State.JUDGING)
    run.engine.event(
        "proposal",
        trial=trial.name,
        answer=run.proposal.answer,
        reasons=list(run.proposal.reasons),
    )
    said = run.proposal.words or "no problem found"
    run.ask(f"{trial.name}: {said}. Keep this take?", *run.proposal.answers)


def fail_take(run: Run, problems: tuple[str, ...], *ways_out: str) -> None:
    """Give up a take that cannot be recorded, and ask what to do.

    `ways_out` are answers beside repeating and rejecting.
    """
    run.lower_line()
    run.close_take()
    said = "; ".join(problems) or "the recorder gave no reason"
    run.proposal = Proposal("repeat", problems)
    run.enter(State.JUDGING)
    text = f"{run.current.name} was not recorded: {said}"
    run.ask(text, "repeat", *ways_out, "reject")


def in_judging(run: Run) -> None:
    """Take the verdict; a rejection, or recording in spite of all, wants a reason."""
    answer = run.take_answer()
    if not answer:
        return
    reasons = run.proposal.words or "the operator"
    if run.reason_for == ANYWAY:
        run.engine.override(answer)
        repeat(run, reasons)
    elif run.reason_for:
        reject(run, answer)
    elif answer == "repeat":
        repeat(run, reasons)
    elif answer == "accept":
        _accept(run)
    elif answer == ANYWAY:
        run.ask(f"Why is it recorded although {reasons}?")
        run.reason_for = answer
    else:
        run.ask("Why is it rejected?", suggestion=reasons)
        run.reason_for = answer


def _accept(run: Run) -> None:
    trial, against = run.current, run.proposal.words
    run.verdict(True, f"accepted although {against}" if against else "accept")
    indices = run.fatigue.means()
    if indices and not trial.is_calibration:
        _note_fatigue(run, condition_of(trial), indices)
    _leave(run, "accepted")


def _note_fatigue(run: Run, condition: str, indices: Indices) -> None:
    run.fatigue.take_in(condition, indices)
    changes = {
        name: [
            round(change.median_frequency_drop_percent, 2),
            round(change.rms_rise_percent, 2),
        ]
        for name, change in run.fatigue.changes.items()
    }
    run.engine.event(FATIGUE, condition=condition, indices=indices, changes=changes)


def reject(run: Run, reason: str) -> None:
    """Reject the take and go on with the next step."""
    run.verdict(False, reason)
    _leave(run, "rejected")


def repeat(run: Run, reason: str) -> None:
    """Reject the take and record the trial again, without stopping if it walks."""
    run.verdict(False, f"repeat: {reason}")
    again(run)


def again(run: Run) -> None:
    """Record the trial under way again, without stopping if it walks."""
    trial, treadmill = run.current, run.engine.treadmill()
    moves = trial.is_calibration or treadmill.state == "moving"
    if moves and treadmill.at_speed(trial.belt_mps):
        run.open_take()
    else:
        go_on(run)


def _leave(run: Run, outcome: str) -> None:
    run.rest_s = 0.0 if run.current.is_calibration else run.settings.rest_s
    after(run, run.advance(outcome))


def _living(run: Run) -> RecordingStatus | None:
    """Return what the recorder says; a take that is not being written has failed."""
    recording = run.engine.recording()
    if recording.state == "recording":
        return recording
    problems = recording.problems or (f"the recorder is {recording.state}",)
    fail_take(run, problems)
    return None
