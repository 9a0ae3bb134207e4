"""In the virtual lab questions are answered, and hopeless trials are given up."""

from acquire.autopilot import MOST_REPEATS, Autopilot, Participant
from protocols.engine import QualityFinding
from protocols.states import State
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

WALK = """
settings: {settle_s: 1, record_s: 3}
steps:
  - {type: squats}
  - {type: trials, mode: LG_0, speed_mps: 1.0}
"""


def test_a_trial_that_stays_poor_is_rejected_after_some_repeats() -> None:
    lab = MemoryLab(quality=(QualityFinding("semg", "red", "R_TA flat"),))
    drive = Drive(WALK, lab).start()
    pilot = Autopilot(drive.runner)
    for _ in range(3000):
        drive.tick(answering=False)
        question = drive.runner.snapshot().question
        if question:
            pilot.answer(question)
        if drive.state.is_over:
            break
    assert drive.state is State.FINISHED
    assert [yes for _, yes, _ in lab.verdicts] == [False] * (MOST_REPEATS + 1)
    assert lab.events("squats")[0]["value"] == 20.0


def test_without_a_virtual_lab_nobody_turns() -> None:
    person = Participant(None)
    person.follow(Drive(WALK).runner.snapshot())
    person.tire(20)
    person.close()
