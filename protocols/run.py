"""What the steps of a run share: the laboratory, the state, the question, the take."""

import logging
from collections.abc import Callable

from protocols.course import Course
from protocols.engine import Engine
from protocols.errors import IllegalTransitionError, NotAllowedError
from protocols.fatigue import Fatigue
from protocols.replay import AGAIN, DONE, GROUP_ENDED, Progress
from protocols.schema import ProtocolDefinition
from protocols.states import ALLOWED, DEADLINES_S, Question, State
from protocols.timeline import Action, Entry, TrialPlan
from protocols.verdict import Proposal, TakeRecord

log = logging.getLogger("kinemuse.runner")


class Run:
    """One run of a protocol, as the step handlers see and change it.

    The state changes through `enter` alone, which knows the table of transitions and
    journals every one.
    """

    def __init__(
        self,
        protocol: ProtocolDefinition,
        engine: Engine,
        course: Course,
        now: Callable[[], float],
        progress: Progress,
    ) -> None:
        self.protocol, self.settings = protocol, protocol.settings
        self.engine, self.course, self.now = engine, course, now
        self.resumed = progress
        self.state = State.IDLE
        self.message = ""
        self.question: Question | None = None
        self.take = TakeRecord()
        self.proposal = Proposal("accept")
        self.fatigue = Fatigue(baselines=dict(progress.baselines))
        self.rest_s = 0.0  #: owed to the participant after the last trial
        self.deck_target_deg = 0.0
        self.facing_checked = False
        self.stop_group = ""  #: the cycle that the operator is asked to end
        self.reason_for = ""  #: the answer that the operator is asked to give reasons
        self.low_since_s: float | None = None
        self.ending = State.ABORTED  #: where aborting leads
        self.stopped_s = self.aborted_s = 0.0  #: when belts were last asked to rest
        self.ticked_s = self.entered_s = now()
        self._duration_s: float | None = None
        self._n_questions = 0
        self._answer: str | None = None

    # ---- what is under way ------------------------------------------------------

    @property
    def action(self) -> Action | None:
        """The action under way or next."""
        head = self.course.head
        return head.action if head else None

    @property
    def trial(self) -> TrialPlan | None:
        """The trial under way or next; None where something else is."""
        return self.action if isinstance(self.action, TrialPlan) else None

    @property
    def current(self) -> TrialPlan:
        """The trial under way, in a state that has one."""
        if self.trial is None:
            raise NotAllowedError(f"no trial in state {self.state}")
        return self.trial

    # ---- state ------------------------------------------------------------------

    def enter(
        self, state: State, message: str = "", duration_s: float | None = None
    ) -> None:
        """Go to another state, if there is such a way, and journal it."""
        if (self.state, state) not in ALLOWED:
            raise IllegalTransitionError(
                f"there is no way from {self.state} to {state}"
            )
        self.state, self.message, self._duration_s = state, message, duration_s
        self.entered_s = self.now()
        self.question = self._answer = None
        self.stop_group = self.reason_for = ""
        trial = self.trial.name if self.trial else None
        try:
            self.engine.event("state", state=str(state), trial=trial, message=message)
        except Exception:
            if state is not State.ABORTING and not state.is_over:
                raise
            log.exception("the end of the run is not in the journal")

    @property
    def spent_s(self) -> float:
        """Time in this state, s."""
        return self.now() - self.entered_s

    @property
    def left_s(self) -> float | None:
        """Time left in a state that lasts a known time, s."""
        return None if self._duration_s is None else self._duration_s - self.spent_s

    @property
    def time_is_up(self) -> bool:
        return self.spent_s >= (self._duration_s or 0.0)

    @property
    def deadline_s(self) -> float | None:
        """Longest stay in this state, s; None where people decide."""
        limit_s = DEADLINES_S.get(self.state)
        if limit_s is not None and self.state is State.CLOSING and self.trial:
            limit_s += self.trial.record_s  # a long recording takes long to verify
        return limit_s

    # ---- questions --------------------------------------------------------------

    def ask(
        self,
        text: str,
        *answers: str,
        number: tuple[float, float] | None = None,
        suggestion: str = "",
    ) -> None:
        """Put a question in the state the run is in."""
        self._n_questions += 1
        self._answer = None
        self.question = Question(self._n_questions, text, answers, number, suggestion)

    def answer(self, question_id: int, answer: str) -> None:
        """Take the operator's answer to the question shown now."""
        asked = self.question
        if asked is None or asked.id != question_id:
            raise NotAllowedError(f"question {question_id} is not being asked")
        refusal = asked.refusal(answer)
        if refusal:
            raise NotAllowedError(refusal)
        self._answer, self.question = answer, None
        self.engine.event("answer", question=asked.text, answer=answer)

    def take_answer(self) -> str:
        """Return the answer given since the last call; empty when none was."""
        answer, self._answer = self._answer, None
        return answer or ""

    # ---- the course -------------------------------------------------------------

    def advance(self, outcome: str, **facts: object) -> Entry:
        """Go past the entry under way, and journal that."""
        entry = self.course.advance(outcome)
        self.engine.event(DONE, step=entry.id, outcome=outcome, **facts)
        self.facing_checked = False
        return entry

    def end_group(self, group: str, reason: str) -> None:
        """Leave out what is left of a group, and journal that."""
        self.course.end_group(group)
        self.engine.event(GROUP_ENDED, group=group, reason=reason)

    def put_back(self) -> tuple[Entry, str] | None:
        """Have the trial judged last done again, and journal that."""
        last = self.course.put_back()
        if last is not None:
            self.engine.event(AGAIN, step=last[0].id)
        return last

    # ---- the take ---------------------------------------------------------------

    def open_take(self) -> None:
        """Begin a take of the trial under way."""
        trial = self.current
        self.enter(State.ARMING)
        self.take = TakeRecord(open=True, judged=False)
        self.course.last = None  # the engine's take is this one from now on
        self.fatigue.begin()
        self.low_since_s = None
        self.engine.arm(trial)

    def lower_line(self) -> None:
        """Lower the trigger line if this take raised it."""
        if self.take.line_high:
            self.engine.capture(False, self.current)
            self.take.line_high = False

    def close_take(self) -> None:
        """Close the take's file if it is open."""
        if self.take.open:
            self.take.open = False
            self.engine.finish(self.current)

    def verdict(self, accepted: bool, reason: str) -> None:
        """Note whether the take counts; once."""
        self.engine.verdict(self.current, accepted, reason)
        self.take.judged = True

    def discard_take(self, reason: str) -> None:
        """Let go of line and file; reject the take if nobody has judged it."""
        self.lower_line()
        self.close_take()
        if not self.take.judged:
            self.verdict(False, reason)

    # ---- the end ----------------------------------------------------------------

    def finish(self, state: State, message: str) -> None:
        """End the run, and take the treadmill out of arms if it can be."""
        self.enter(state, message)
        try:
            self.engine.release()
        except Exception as error:  # belts unknown, or still moving
            log.warning("the treadmill stays armed: %s", error)
            self.message = f"{message}; the treadmill stays armed: {error}"
