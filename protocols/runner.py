"""Steps through a protocol: asks the engine, waits for readback, asks the operator.

The runner owns no thread and no clock: its owner calls `tick` often (every 20 to
50 ms) and the answers of people come in through `answer`. Nothing it asks for counts as
done until the laboratory reports it. States and the ways between them are one table,
`protocols.states.TRANSITIONS`; what is done in each is a function of `HANDLERS`.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Final

from protocols import asking, leaving, moving, resuming, taking
from protocols.course import Course
from protocols.engine import Engine
from protocols.errors import DeclinedError, NotAllowedError
from protocols.expansion import timeline
from protocols.replay import Progress
from protocols.requests import requests, require
from protocols.run import Run
from protocols.schema import ProtocolDefinition
from protocols.states import Snapshot, State
from protocols.timeline import Asking

BROKEN = ("unexpected_stop", "connection_lost", "adopted")
UNKNOWN_S = 2.0  #: longer without a fresh treadmill status ends the run
WALKING = (
    State.SETTLING,
    State.ARMING,
    State.LOW_BEFORE,
    State.RAISING,
    State.RECORDING,
    State.LOWERING,
    State.LOW_AFTER,
)
HANDLERS: Final[Mapping[State, Callable[[Run], None]]] = {
    State.RESUMING: resuming.in_resuming,
    State.STOPPING: moving.in_stopping,
    State.RESTING: moving.in_resting,
    State.PROMPTING: asking.in_prompting,
    State.CONFIRMING_DECK: moving.in_confirming_deck,
    State.MOVING_DECK: moving.in_moving_deck,
    State.CONFIRMING_FACING: moving.in_confirming_facing,
    State.CHECKING_FACING: moving.in_checking_facing,
    State.INSTRUCTING: moving.in_instructing,
    State.RAMPING: moving.in_ramping,
    State.SETTLING: moving.in_settling,
    State.ARMING: taking.in_arming,
    State.LOW_BEFORE: taking.in_low_before,
    State.RAISING: taking.in_raising,
    State.RECORDING: taking.in_recording,
    State.LOWERING: taking.in_lowering,
    State.LOW_AFTER: taking.in_low_after,
    State.CLOSING: taking.in_closing,
    State.JUDGING: taking.in_judging,
    State.PAUSED: leaving.in_paused,
    State.ABORTING: leaving.in_aborting,
}
"""What a tick does in each state; the others wait for a request."""


class Runner:
    """Runs one protocol once. Thread-safe; requests take effect at once.

    `progress` is what the journal tells of an earlier run of the same session that was
    cut off: what is done is passed over, and the rest is offered.
    """

    def __init__(
        self,
        protocol: ProtocolDefinition,
        engine: Engine,
        *,
        now: Callable[[], float],
        participant: str = "",
        progress: Progress | None = None,
    ) -> None:
        progress = progress or Progress()
        course = Course(timeline(protocol, participant), progress)
        self._run = Run(protocol, engine, course, now, progress)
        self._engine = engine
        self._known_s = now()
        self._abort_reason = ""  #: somebody aborts: belts that stop are no failure
        self._lock = threading.RLock()

    # ---- requests -------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return what is known now, in one consistent piece."""
        run = self._run
        with self._lock:
            left_s, action, head = run.left_s, run.action, run.course.head
            step = head.id if head else ""
            return Snapshot(
                state=run.state,
                protocol=run.protocol.name,
                trial=run.trial,
                n_done=run.course.n_done,
                n_trials=run.course.n_trials,
                time_in_state_s=run.spent_s,
                time_left_s=None if left_s is None else max(0.0, left_s),
                question=run.question,
                message=run.message,
                step=action.text if isinstance(action, Asking) else step,
                problems=tuple(run.take.problems),
                fatigue={
                    name: -change.median_frequency_drop_percent
                    for name, change in run.fatigue.changes.items()
                },
                requests=requests(run),
            )

    def left(self) -> tuple[str, ...]:
        """Return the ids of all entries of the timeline still to do."""
        with self._lock:
            return self._run.course.left

    def start(self) -> None:
        """Begin with the first action, or offer to go on where a run was cut off."""
        with self._lock:
            require(self._run, "start")
            self._known_s = self._run.now()
            self._guarded(lambda: resuming.begin(self._run))

    def answer(self, question_id: int, answer: str) -> None:
        """Give the operator's answer to the question shown now."""
        with self._lock:
            self._run.answer(question_id, answer)

    def pause(self) -> None:
        """Stop the belts and wait; an open take is closed and rejected."""
        self._request(leaving.pause)

    def resume(self) -> None:
        """Go on after a pause, with the same trial from its beginning."""
        with self._lock:
            require(self._run, "resume")
            self._known_s = self._run.now()
            self._guarded(lambda: moving.go_on(self._run))

    def skip(self, reason: str = "the operator") -> None:
        """Leave out what is under way or next; a take of it is rejected."""
        self._request(lambda run: leaving.skip(run, reason))

    def repeat(self, reason: str = "the operator") -> None:
        """Record the take under way again, or else the trial judged last."""
        self._request(lambda run: leaving.repeat_last(run, reason))

    def adverse_event(self, text: str) -> None:
        """Stop the belts now, note what happened, and wait. Possible at any moment."""
        with self._lock:
            self._guarded(lambda: leaving.adverse_event(self._run, text))

    def abort(self, reason: str) -> None:
        """Stop the belts now and end the run. The deck stays where it is.

        The belts are told before anything else, even while a tick is under way.
        """
        require(self._run, "abort")
        self._abort_reason = reason
        with contextlib.suppress(Exception):  # it is told again below
            self._engine.abort()
        with self._lock:
            leaving.end(self._run, State.ABORTED, reason)

    def tick(self) -> None:
        """Advance as far as the clock, the laboratory and the answers allow."""
        with self._lock:
            if self._run.state in HANDLERS:
                self._guarded(self._advance)

    # ---- inside ---------------------------------------------------------------

    def _advance(self) -> None:
        run = self._run
        if self._abort_reason and run.state is not State.ABORTING:
            leaving.end(run, State.ABORTED, self._abort_reason)
            return
        waits = run.state in (State.PAUSED, State.ABORTING)
        trouble = "" if waits else self._treadmill_trouble()
        limit_s = run.deadline_s
        if trouble:
            leaving.end(run, State.FAILED, f"treadmill: {trouble}")
        elif limit_s is not None and run.spent_s > limit_s:
            leaving.overdue(run, limit_s)
        else:
            HANDLERS[run.state](run)

    def _treadmill_trouble(self) -> str:
        treadmill = self._engine.treadmill()
        trouble = self._trouble_of(treadmill.state)
        return f"{trouble}: {treadmill.cause or 'cause unknown'}" if trouble else ""

    def _trouble_of(self, state: str) -> str:
        run = self._run
        if state != "unknown":
            self._known_s = run.now()
        elif run.now() - self._known_s > UNKNOWN_S:
            return f"no status for {UNKNOWN_S:g} s, {leaving.ESTOP}"
        asked = state == "adopted" and run.state in (State.RESUMING, State.STOPPING)
        if state in BROKEN and not asked:
            return state.replace("_", " ")
        stopped = ("stopping",) if run.state is State.RAMPING else ("stopping", "idle")
        walks = run.state in (State.RAMPING, *WALKING)
        if walks and not run.current.is_calibration and state in stopped:
            return "the belts stopped"
        return ""

    def _request(self, act: Callable[[Run], None]) -> None:
        with self._lock:
            self._guarded(lambda: act(self._run))

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step; whatever the engine cannot do ends the run as failed."""
        try:
            step()
        except NotAllowedError:
            raise
        except DeclinedError as error:
            leaving.end(self._run, State.ABORTED, str(error))
        except Exception as error:  # the engine's words reach the operator
            said = str(error) or type(error).__name__
            leaving.end(self._run, State.FAILED, f"{self._run.state}: {said}")
