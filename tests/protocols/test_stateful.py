"""Any order of requests, answers and faults: belts obey, and the journal knows."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from protocols.course import Course
from protocols.engine import Muscle, QualityFinding
from protocols.errors import NotAllowedError
from protocols.expansion import timeline
from protocols.replay import replay
from protocols.states import ALLOWED, State
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

TEXT = """
settings: {settle_s: 1, record_s: 3, rest_s: 2, steady_timeout_s: 3, block_rest_s: 4}
steps:
  - {type: calibration, kind: MVC, optional: true, text: "MVC?"}
  - {type: walk, speed_mps: 0.5, duration_s: 5}
  - type: cycle
    repeat: 3
    stop: {borg_at_least: 8, median_frequency_drop_percent: 10, muscles: 1}
    steps:
      - {type: squats}
      - {type: trials, mode: AS_10, speed_mps: 1.0}
      - {type: borg, while_walking: true}
  - {type: matrix, modes: [LG_0, DS_5], speeds_mps: [0.5, 1.5], trials: 1}
  - {type: gap_check}
"""
LINE_MAY_BE_HIGH = {State.RAISING, State.RECORDING, State.ABORTING}
AT_REST = {
    State.CONFIRMING_DECK, State.MOVING_DECK, State.CONFIRMING_FACING,
    State.CHECKING_FACING, State.INSTRUCTING, State.RESTING,
}  # fmt: skip


PASSING_FAULTS = (
    "recorder", "blind", "stuck", "strides", "facing", "quality", "fatigue", "status",
    "missing",
)  # fmt: skip
ENDING_FAULTS = (
    *[""] * 12, "abort", "silence", "dead man", "unexpected_stop", "adopted",
)  # fmt: skip


class AnyOrder(RuleBasedStateMachine):
    """`MemoryLab` itself raises on any unsafe command; see its assertions."""

    @initialize(participant=st.sampled_from(["P01", "P02", "P08"]))
    def begin(self, participant: str) -> None:
        self.lab = MemoryLab(muscles={"A": Muscle(100.0, 50.0)})
        self.drive = Drive(TEXT, self.lab, participant=participant, dt_s=0.25)
        self.drive.start()

    @property
    def is_over(self) -> bool:
        return self.drive.state.is_over

    # ---- time and people ----

    @rule(n=st.integers(1, 20))
    def time_passes(self, n: int) -> None:
        self._let_pass(n, answering=False)

    @rule(n=st.integers(10, 200))
    def work_goes_on(self, n: int) -> None:
        self._let_pass(n, answering=True)

    @rule(n=st.integers(10, 200))
    def work_goes_on_well(self, n: int) -> None:
        self.lab.cv_percent, self.lab.turned, self.lab.quality = 2.0, None, ()
        self.lab.blind, self.lab.stuck_high, self.lab.missing = set(), set(), ()
        self._let_pass(n, answering=True)

    @rule(which=st.integers(0, 3), words=st.sampled_from(["", "9", "no idea"]))
    def operator_answers(self, which: int, words: str) -> None:
        question = self.drive.runner.snapshot().question
        if question:
            answers = (*question.answers, words)
            chosen = answers[which % len(answers)]
            if "Borg" in question.text:
                chosen = "9" if words else "3"
            if chosen != "abort":
                self._ask(lambda: self.drive.answer(chosen))

    @rule(
        what=st.sampled_from(
            ["pause", "resume", "resume", "skip", "repeat", "adverse", "start"]
        )
    )
    def operator_interferes(self, what: str) -> None:
        runner = self.drive.runner
        published = runner.snapshot().requests
        if what == "adverse":
            assert not published["adverse_event"].refusal
            runner.adverse_event("felt odd")
        else:
            refusal = self._ask(getattr(runner, what))
            assert refusal == published[what].refusal

    # ---- faults ----

    @rule(fault=st.sampled_from(PASSING_FAULTS), n=st.integers(1, 12))
    def something_fails_for_a_while(self, fault: str, n: int) -> None:
        lab = self.lab
        if fault == "recorder" and lab.recorder == "recording":
            lab.recorder, lab.problems = "failed", ("disk full",)
        elif fault == "blind":
            lab.blind = {"semg"}
        elif fault == "missing":
            lab.missing = ("semg: not on the network",)
        elif fault == "stuck":
            lab.stuck_high = {"amode"}
        elif fault == "strides":
            lab.cv_percent = None
        elif fault == "facing":
            lab.turned = not lab.reversed_facing
        elif fault == "quality":
            lab.quality = (QualityFinding("semg", "red", "A flat"),)
        elif fault == "fatigue":
            lab.muscles = {"A": Muscle(80.0, 50.0)}
        elif fault == "status":
            lab.fresh = False
            self._let_pass(n % 8, answering=True)
            lab.fresh = True

    @rule(fault=st.sampled_from(ENDING_FAULTS))
    def something_ends_the_run(self, fault: str) -> None:
        """Rare, so that runs get far: most draws do nothing."""
        lab = self.lab
        if fault == "abort":
            self._ask(lambda: self.drive.runner.abort("operator"))
        elif fault == "silence":
            lab.fresh = False
            self._let_pass(40, answering=True)
            lab.fresh = True
        elif fault == "dead man" and lab.target_mps:
            lab.stop()
        elif fault in ("unexpected_stop", "adopted"):
            lab.treadmill_state = fault
            self.drive.tick()
            lab.treadmill_state = ""

    @rule(later=st.booleans())
    def runner_is_killed(self, later: bool) -> None:
        if self.is_over:
            return
        self.drive = self.drive.cut_off()
        while later and self.lab.belt_mps:  # the dead man is at work meanwhile
            self.lab.step()
        self.drive.start()

    def _let_pass(self, n: int, *, answering: bool) -> None:
        for _ in range(n):
            self.drive.tick(answering=answering)
            self._belts_are_where_they_should_be()

    def _ask(self, request: Callable[[], None]) -> str:
        """Return why it was refused; nothing where it was not."""
        try:
            request()
        except NotAllowedError as error:
            return str(error)
        return ""

    # ---- what must always hold ----

    def _belts_are_where_they_should_be(self) -> None:
        lab, state = self.lab, self.drive.state
        assert abs(lab.belt_mps) <= 1.5
        if state is State.IDLE or state.is_over:
            assert lab.target_mps == 0.0, "belts without a run do not ramp down"
        if state in AT_REST:
            assert lab.belt_mps == lab.target_mps == 0.0
        if lab.incline_deg != lab.incline_target_deg:
            assert lab.belt_mps == 0.0

    @invariant()
    def belts(self) -> None:
        if hasattr(self, "lab"):
            self._belts_are_where_they_should_be()

    @invariant()
    def line_is_low_outside_a_take(self) -> None:
        if hasattr(self, "lab") and self.drive.state not in LINE_MAY_BE_HIGH:
            assert not self.lab.line_high

    @invariant()
    def journal_tells_the_state(self) -> None:
        if not hasattr(self, "lab"):
            return
        progress = replay(self.lab.journal)
        assert progress.state is self.drive.state
        entries = timeline(self.drive.protocol, self.drive.participant)
        course, snapshot = Course(entries, progress), self.drive.runner.snapshot()
        assert course.left == self.drive.runner.left()
        assert course.n_done == snapshot.n_done

    @invariant()
    def only_ways_of_the_table_are_taken(self) -> None:
        if hasattr(self, "lab"):
            states = [s for s in self.lab.states() if s is not State.RESUMING]
            ways = [w for w in pairwise(self.lab.states()) if State.RESUMING not in w]
            assert all(way in ALLOWED for way in ways)
            assert State.FAILED not in states[:-1]

    def teardown(self) -> None:
        if not hasattr(self, "lab"):
            return
        self.lab.fresh, self.lab.treadmill_state = True, ""
        if not self.is_over:
            self.drive.runner.abort("end of the example")
            self.drive.until(lambda: self.is_over, limit_s=60.0)
        assert self.lab.belt_mps == self.lab.target_mps == 0.0
        assert not self.lab.line_high
        assert not self.lab.armed


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
