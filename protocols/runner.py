"""Steps through a protocol: asks the engine, waits for readback, asks the operator.

The runner owns no thread and no clock: its owner calls `tick` often (every 20 to
50 ms) and the answers of people come in through `answer`. Nothing it asks for counts as
done until the laboratory reports it. States and their order: `protocols.states`.
"""

import logging
import threading
from collections.abc import Callable, Collection
from typing import Literal

from protocols.engine import Engine
from protocols.errors import NotAllowedError
from protocols.schema import Prompt, ProtocolDefinition, Rest
from protocols.states import DEADLINES_S, Question, Snapshot, State
from protocols.timeline import Action, TrialPlan, actions

log = logging.getLogger("kinemuse.runner")

BROKEN = ("unexpected_stop", "connection_lost", "adopted")
UNKNOWN_S = 2.0  #: longer without a fresh treadmill status ends the run
ABORT_AGAIN_S = 0.5  #: an abort is repeated this often until the belts stop
WALKING = (
    State.SETTLING,
    State.ARMING,
    State.LOW_BEFORE,
    State.RECORDING,
    State.LOW_AFTER,
)
Ending = Literal["aborted", "failed"]


class Runner:
    """Runs one protocol once. Thread-safe; requests take effect at once.

    `already_done` names trials (`TrialPlan.name`) that an earlier, interrupted run of
    the same session has accepted; they are passed over.
    """

    def __init__(
        self,
        protocol: ProtocolDefinition,
        engine: Engine,
        *,
        now: Callable[[], float],
        already_done: Collection[str] = (),
    ) -> None:
        self._protocol, self._engine, self._now = protocol, engine, now
        planned = list(actions(protocol))
        self._n_trials = sum(isinstance(action, TrialPlan) for action in planned)
        self._todo: list[Action] = [
            action
            for action in planned
            if not (isinstance(action, TrialPlan) and action.name in already_done)
        ]
        left = sum(isinstance(action, TrialPlan) for action in self._todo)
        self._n_done = self._n_trials - left
        self._lock = threading.RLock()
        self._state = State.IDLE
        self._entered_s = self._known_s = now()
        self._duration_s: float | None = None
        self._trial: TrialPlan | None = None
        self._rest_s = 0.0
        self._question: Question | None = None
        self._n_questions = 0
        self._answer: str | None = None
        self._message = ""
        self._ending: Ending = "aborted"
        self._aborted_s = 0.0
        self._take_open = False
        self._line_high = False
        self._waits: dict[State, Callable[[], None]] = {
            State.PROMPTING: self._in_prompting,
            State.RESTING: self._in_resting,
            State.STOPPING: self._in_stopping,
            State.CONFIRMING_DECK: self._in_confirming_deck,
            State.MOVING_DECK: self._in_moving_deck,
            State.CONFIRMING_FACING: self._in_confirming_facing,
            State.RAMPING: self._in_ramping,
            State.SETTLING: self._in_settling,
            State.ARMING: self._in_arming,
            State.LOW_BEFORE: self._in_low_before,
            State.RECORDING: self._in_recording,
            State.LOW_AFTER: self._in_low_after,
            State.CLOSING: self._in_closing,
            State.JUDGING: self._in_judging,
            State.ABORTING: self._in_aborting,
        }

    # ---- requests -------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return what is known now, in one consistent piece."""
        with self._lock:
            spent_s = self._now() - self._entered_s
            left_s = None if self._duration_s is None else self._duration_s - spent_s
            return Snapshot(
                state=self._state,
                protocol=self._protocol.name,
                trial=self._trial,
                n_done=self._n_done,
                n_trials=self._n_trials,
                time_in_state_s=spent_s,
                time_left_s=None if left_s is None else max(0.0, left_s),
                question=self._question,
                message=self._message,
            )

    def start(self) -> None:
        """Begin with the first action."""
        with self._lock:
            self._require(State.IDLE)
            self._known_s = self._now()
            self._guarded(self._next)

    def answer(self, question_id: int, answer: str) -> None:
        """Give the operator's answer to the question shown now."""
        with self._lock:
            asked = self._question
            if asked is None or asked.id != question_id:
                raise NotAllowedError(f"question {question_id} is not being asked")
            if answer not in asked.answers:
                have = " or ".join(repr(choice) for choice in asked.answers)
                raise NotAllowedError(f"{answer!r} is no answer here; it takes {have}")
            self._answer, self._question = answer, None
            self._engine.event("answer", question=asked.text, answer=answer)

    def pause(self) -> None:
        """Stop the belts and wait; an open take is closed and rejected."""
        with self._lock:
            if self._state in (State.IDLE, State.PAUSED, State.ABORTING):
                raise NotAllowedError(f"nothing to pause in state {self._state}")
            self._require_running()
            self._guarded(self._pause)

    def resume(self) -> None:
        """Go on after a pause, with the same trial from its beginning."""
        with self._lock:
            self._require(State.PAUSED)
            self._known_s = self._now()
            self._guarded(self._next)

    def abort(self, reason: str) -> None:
        """Stop the belts now and end the run. The deck stays where it is."""
        with self._lock:
            self._require_running()
            self._end("aborted", reason)

    def tick(self) -> None:
        """Advance as far as the clock, the laboratory and the answers allow."""
        with self._lock:
            if self._state in (State.IDLE, State.PAUSED) or self._state.is_over:
                return
            self._guarded(self._advance)

    # ---- moving on ------------------------------------------------------------

    def _advance(self) -> None:
        trouble = self._treadmill_trouble()
        if trouble and self._state is not State.ABORTING:
            self._end("failed", f"treadmill: {trouble}")
            return
        limit_s = self._deadline_s()
        if limit_s is not None and self._now() - self._entered_s > limit_s:
            self._overdue(limit_s)
            return
        self._waits[self._state]()

    def _deadline_s(self) -> float | None:
        limit_s = DEADLINES_S.get(self._state)
        if limit_s is not None and self._state is State.CLOSING and self._trial:
            limit_s += self._trial.record_s  # a long recording takes long to verify
        return limit_s

    def _treadmill_trouble(self) -> str:
        state = self._engine.treadmill().state
        if state != "unknown":
            self._known_s = self._now()
        elif self._now() - self._known_s > UNKNOWN_S:
            return f"no status for {UNKNOWN_S:g} s, belt state unknown"
        if state in BROKEN:
            return state.replace("_", " ")
        walks = self._state in WALKING and not self._current().is_calibration
        return "the belts stopped" if walks and state in ("stopping", "idle") else ""

    def _overdue(self, limit_s: float) -> None:
        if self._state is State.ABORTING:
            warning = "BELT STATE UNKNOWN: use the hardware emergency stop"
            self._enter(State(self._ending), f"{self._message}; {warning}")
        else:
            self._end("failed", f"{self._state}: nothing after {limit_s:g} s")

    def _next(self) -> None:
        if not self._todo:
            self._trial = None
            level = self._engine.treadmill().at_incline(0.0)
            self._halt("last trial done" if level else "to level")
            return
        action = self._todo[0]
        self._trial = action if isinstance(action, TrialPlan) else None
        if isinstance(action, TrialPlan) and self._is_walking_for(action):
            self._enter(State.SETTLING, duration_s=self._protocol.settings.settle_s)
        else:
            self._halt()

    def _halt(self, message: str = "") -> None:
        """Bring the belts to rest, if they are not known to rest already."""
        self._enter(State.STOPPING, message)
        if not self._engine.treadmill().at_standstill:
            self._engine.stop()

    def _is_walking_for(self, trial: TrialPlan) -> bool:
        treadmill = self._engine.treadmill()
        return (
            self._protocol.settings.walk_on
            and not self._rest_s
            and treadmill.state == "moving"
            and treadmill.at_speed(trial.belt_mps)
            and treadmill.at_incline(trial.incline_deg)
            and treadmill.reversed_facing == trial.reversed_facing
        )

    def _in_stopping(self) -> None:
        if self._engine.treadmill().at_standstill:
            self._standing()

    def _standing(self) -> None:
        """Choose what comes next with the belts at zero."""
        action = self._todo[0] if self._todo else None
        treadmill = self._engine.treadmill()
        if self._rest_s > 0:
            rest_s, self._rest_s = self._rest_s, 0.0
            self._enter(State.RESTING, duration_s=rest_s)
        elif isinstance(action, Prompt):
            self._ask(State.PROMPTING, action.text, "done")
        elif isinstance(action, Rest):
            self._enter(State.RESTING, duration_s=action.duration_s)
        elif not treadmill.at_incline(action.incline_deg if action else 0.0):
            target = action.incline_deg if action else 0.0
            text = (
                f"Belts stand. Participant holds on, nobody near the frame: "
                f"move the deck to {target:.1f}°?"
            )
            self._ask(State.CONFIRMING_DECK, text, "move the deck", "abort")
        elif action is None:
            self._enter(State.FINISHED, "all trials done")
        elif treadmill.reversed_facing != action.reversed_facing:
            way = "DOWN" if action.reversed_facing else "UP"
            text = f"Participant now faces {way} the slope, standing still?"
            self._ask(State.CONFIRMING_FACING, text, "yes", "abort")
        elif action.is_calibration:
            self._enter(State.SETTLING, duration_s=self._protocol.settings.settle_s)
        else:
            self._enter(State.RAMPING)
            self._engine.belts(action.belt_mps, self._protocol.settings.accel_mps2)

    def _in_prompting(self) -> None:
        if self._take_answer():
            self._todo.pop(0)
            self._next()

    def _in_resting(self) -> None:
        if self._time_is_up():
            if self._todo and isinstance(self._todo[0], Rest):
                self._todo.pop(0)
            self._next()

    def _in_confirming_deck(self) -> None:
        answer = self._take_answer()
        if answer == "move the deck":
            self._enter(State.MOVING_DECK)
            self._engine.deck(self._trial.incline_deg if self._trial else 0.0)
        elif answer:
            self._end("aborted", "the operator declined to move the deck")

    def _in_moving_deck(self) -> None:
        target = self._trial.incline_deg if self._trial else 0.0
        if self._engine.treadmill().at_incline(target):
            self._standing()

    def _in_confirming_facing(self) -> None:
        answer = self._take_answer()
        if answer == "yes" and self._trial:
            self._engine.facing(self._trial.reversed_facing)
            self._enter(State.STOPPING)
        elif answer:
            self._end("aborted", "the operator did not confirm the facing")

    def _in_ramping(self) -> None:
        if self._engine.treadmill().at_speed(self._current().belt_mps):
            self._enter(State.SETTLING, duration_s=self._protocol.settings.settle_s)

    def _in_settling(self) -> None:
        if self._time_is_up():
            self._enter(State.ARMING)
            self._take_open = True
            self._engine.arm(self._current())

    # ---- one take -------------------------------------------------------------

    def _in_arming(self) -> None:
        recording = self._engine.recording()
        if recording.state == "failed":
            self._judge_failure(recording.problems)
        elif recording.state == "armed":
            self._engine.record()
        elif recording.state == "recording":
            low_s = self._protocol.settings.line_low_s
            self._enter(State.LOW_BEFORE, duration_s=low_s)

    def _in_low_before(self) -> None:
        if self._recording_lives() and self._time_is_up():
            self._enter(State.RECORDING, duration_s=self._current().record_s)
            self._line_high = True
            self._engine.capture(True, self._current())

    def _in_recording(self) -> None:
        if self._recording_lives() and self._time_is_up():
            self._lower_line()
            low_s = self._protocol.settings.line_low_s
            self._enter(State.LOW_AFTER, duration_s=low_s)

    def _in_low_after(self) -> None:
        if self._recording_lives() and self._time_is_up():
            self._enter(State.CLOSING)
            self._close_take()

    def _in_closing(self) -> None:
        recording = self._engine.recording()
        if recording.state == "failed":
            self._judge_failure(recording.problems)
        elif recording.state == "verified":
            said = "; ".join(recording.problems) or "no problem found"
            text = f"{self._current().name}: {said}. Keep this take?"
            answers = ("accept", "repeat", "skip")
            if recording.problems:
                answers = ("repeat", "accept", "skip")
            self._ask(State.JUDGING, text, *answers)

    def _in_judging(self) -> None:
        answer = self._take_answer()
        if not answer:
            return
        trial = self._current()
        self._engine.verdict(trial, answer == "accept", answer)
        if answer == "repeat":
            self._enter(State.ARMING)
            self._take_open = True
            if self._still_walks(trial):
                self._engine.arm(trial)
            else:
                self._take_open = False
                self._next()
            return
        self._n_done += answer == "accept"
        self._todo.pop(0)
        self._rest_s = self._protocol.settings.rest_s
        self._next()

    def _still_walks(self, trial: TrialPlan) -> bool:
        treadmill = self._engine.treadmill()
        moves = trial.is_calibration or treadmill.state == "moving"
        return moves and treadmill.at_speed(trial.belt_mps)

    def _recording_lives(self) -> bool:
        recording = self._engine.recording()
        if recording.state == "recording":
            return True
        self._lower_line()
        problems = recording.problems or (f"the recorder is {recording.state}",)
        self._judge_failure(problems)
        return False

    def _judge_failure(self, problems: tuple[str, ...]) -> None:
        self._close_take()
        said = "; ".join(problems) or "the recorder gave no reason"
        text = f"{self._current().name} was not recorded: {said}"
        self._ask(State.JUDGING, text, "repeat", "skip")

    def _lower_line(self) -> None:
        if self._line_high:
            self._engine.capture(False, self._current())
            self._line_high = False

    def _close_take(self) -> None:
        if self._take_open:
            self._take_open = False
            self._engine.finish(self._current())

    # ---- ways out -------------------------------------------------------------

    def _pause(self) -> None:
        unjudged = self._state in (State.CLOSING, State.JUDGING)
        had_take = self._take_open or unjudged
        if self._state is State.MOVING_DECK:
            self._engine.abort()  # a stop alone would let the deck go on
        else:
            self._engine.stop()
        self._lower_line()
        self._close_take()
        if had_take and self._trial:
            self._engine.verdict(self._trial, False, "paused")
        self._enter(State.PAUSED, "belts stop; the trial starts again on resume")

    def _end(self, ending: Ending, reason: str) -> None:
        """Stop the belts first, then let go of line and file, whatever fails."""
        if self._state is State.ABORTING:
            return
        self._ending, self._aborted_s = ending, self._now()
        had_take = self._take_open
        steps: list[Callable[[], None]] = [
            self._engine.abort,
            self._lower_line,
            self._close_take,
        ]
        if had_take and self._trial:
            trial = self._trial
            steps.append(lambda: self._engine.verdict(trial, False, reason))
        problems = [reason]
        for step in steps:
            try:
                step()
            except Exception as error:  # each step must be tried
                problems.append(str(error))
        self._enter(State.ABORTING, "; ".join(problems))

    def _in_aborting(self) -> None:
        if self._engine.treadmill().at_standstill:
            self._enter(State(self._ending), self._message)
        elif (
            self._engine.treadmill().state != "stopping"
            and self._now() - self._aborted_s >= ABORT_AGAIN_S
        ):  # the first may not have got through, and the heartbeat goes on
            self._aborted_s = self._now()
            self._engine.abort()

    # ---- small things ---------------------------------------------------------

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step; whatever the engine cannot do ends the run as failed."""
        try:
            step()
        except Exception as error:  # the engine's words reach the operator
            self._end("failed", f"{self._state}: {error}")

    def _enter(
        self, state: State, message: str = "", duration_s: float | None = None
    ) -> None:
        self._state, self._message, self._duration_s = state, message, duration_s
        self._entered_s = self._now()
        self._question = self._answer = None
        trial = self._trial.name if self._trial else None
        try:
            self._engine.event("state", state=str(state), trial=trial, message=message)
        except Exception:
            if state is not State.ABORTING and not state.is_over:
                raise
            log.exception("the end of the run is not in the journal")

    def _ask(self, state: State, text: str, *answers: str) -> None:
        self._enter(state)
        self._n_questions += 1
        self._question = Question(self._n_questions, text, answers)

    def _take_answer(self) -> str | None:
        answer, self._answer = self._answer, None
        return answer

    def _time_is_up(self) -> bool:
        return self._now() - self._entered_s >= (self._duration_s or 0.0)

    def _current(self) -> TrialPlan:
        if self._trial is None:
            raise NotAllowedError(f"no trial in state {self._state}")
        return self._trial

    def _require(self, state: State) -> None:
        if self._state is not state:
            raise NotAllowedError(f"the run is {self._state}, not {state}")

    def _require_running(self) -> None:
        if self._state.is_over:
            raise NotAllowedError(f"the run is over: {self._state}")
