"""One take: the line is read back, steadiness is measured, quality has its say."""

import pytest

from protocols.engine import QualityFinding
from protocols.errors import NotAllowedError
from protocols.states import State
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

WALK = """
settings: {settle_s: 2, record_s: 6, rest_s: 5}
steps:
  - {type: trials, mode: LG_0, speed_mps: 1.0, repeat: 2}
"""
NAME = "Ideal LG_0 1.0 m/s trial 1"


def at(state: State, lab: MemoryLab | None = None, text: str = WALK) -> Drive:
    return Drive(text, lab).start().until(state)


# ---- steady walking -----------------------------------------------------------------


def test_unsteady_walking_is_waited_for_and_then_asked_about() -> None:
    lab = MemoryLab(cv_percent=12.0)
    drive = at(State.SETTLING, lab)
    begun_s = lab.t_s
    drive.to_question("not steady")
    assert lab.t_s - begun_s >= 2.0 + 30.0
    assert "vary by 12.0 %" in drive.text
    lab.cv_percent = 2.0
    drive.until(State.ARMING, answering=False)  # it became steady meanwhile
    assert drive.text == ""


def test_unsteady_trial_can_be_left_out() -> None:
    lab = MemoryLab(cv_percent=None)
    drive = Drive(WALK, lab).start().to_question("too few strides")
    drive.answer("skip")
    drive.tick()
    assert drive.runner.snapshot().trial.number == 2
    assert lab.verdicts == []


def test_steadiness_is_journalled() -> None:
    drive = at(State.ARMING)
    assert drive.lab.events("steady") == [
        {
            "event": "steady",
            "steady": True,
            "reason": "",
            "cadence_spm": 100.0,
            "stride_cv_percent": 2.0,
        }
    ]


def test_belts_off_their_speed_are_not_steady() -> None:
    drive = at(State.SETTLING)
    drive.lab.target_mps = 0.9  # a hand at the panel
    drive.to_question("belts are not at their speed")


# ---- the trigger line ---------------------------------------------------------------


def test_line_that_reads_high_is_not_raised() -> None:
    lab = MemoryLab(stuck_high={"semg"})
    drive = at(State.LOW_BEFORE, lab)
    for _ in range(100):
        drive.tick()
    assert lab.rises == []
    drive.to_question("semg: the trigger line is high")
    lab.stuck_high.clear()
    drive.answer("repeat")
    drive.until(State.RECORDING)


def test_line_has_to_be_low_for_the_whole_time() -> None:
    lab = MemoryLab(stuck_high={"amode"})
    drive = at(State.LOW_BEFORE, lab)
    for _ in range(100):
        drive.tick()
    lab.stuck_high.clear()
    low_s = lab.t_s
    drive.until(State.RAISING)
    assert lab.t_s - low_s >= 2.0


def test_no_instrument_saw_the_trigger() -> None:
    lab = MemoryLab(blind={"vicon-forces", "semg", "amode"})
    drive = at(State.RAISING, lab).to_question("no instrument saw the trigger")
    assert not lab.line_high
    drive.answer("repeat")
    lab.blind.clear()
    drive.until(lambda: (NAME, True, "accept") in lab.verdicts)


def test_one_instrument_without_trigger_is_said_at_once() -> None:
    lab = MemoryLab(blind={"amode"})
    drive = at(State.RECORDING, lab)
    raised_s = lab.t_s
    missing = ("amode: no rise of the trigger",)
    drive.until(lambda: drive.runner.snapshot().problems == missing)
    assert lab.t_s - raised_s == pytest.approx(3.0, abs=0.2)
    assert "amode" in drive.runner.snapshot().message
    (seen,) = lab.events("trigger_seen")
    assert seen["seen"] == ["vicon-forces", "semg"]
    drive.to_question("Keep this take?")
    question = drive.runner.snapshot().question
    assert question is not None
    assert question.answers[0] == "repeat"
    assert "amode: no rise" in question.text


def test_line_that_does_not_fall_is_noted() -> None:
    drive = at(State.RECORDING)
    drive.lab.stuck_high = {"semg"}
    drive.to_question("semg: no fall of the trigger")


# ---- length -------------------------------------------------------------------------


def test_strides_are_counted() -> None:
    """100 steps a minute: ten strides last 12 s, less than the longest."""
    text = WALK.replace("record_s: 6", "record_s: 60, record_strides: 10")
    drive = at(State.RECORDING, text=text)
    begun_s = drive.lab.t_s
    drive.until(State.LOWERING)
    assert drive.lab.t_s - begun_s == pytest.approx(12.0, abs=0.2)


def test_strides_that_are_not_measured_end_with_the_longest() -> None:
    text = WALK.replace("record_s: 6", "record_s: 8, record_strides: 10")
    drive = at(State.RECORDING, text=text)
    drive.lab.cv_percent = None
    begun_s = drive.lab.t_s
    drive.until(State.LOWERING)
    assert drive.lab.t_s - begun_s == pytest.approx(8.0, abs=0.2)


# ---- the verdict --------------------------------------------------------------------


def finding(level: str = "red") -> QualityFinding:
    return QualityFinding("semg", level, "R_TA clipping 4 % (limit 1)")


@pytest.mark.parametrize(
    ("level", "repeat_on", "proposed"),
    [
        ("red", "red", "repeat"),
        ("amber", "red", "accept"),
        ("amber", "amber", "repeat"),
        ("red", "never", "accept"),
    ],
)
def test_quality_proposes_the_verdict(
    level: str, repeat_on: str, proposed: str
) -> None:
    text = WALK.replace("settle_s: 2", f"settle_s: 2, propose_repeat_on: {repeat_on}")
    drive = at(State.RECORDING, text=text)
    drive.tick()
    drive.lab.quality = (finding(level),)
    drive.tick()
    drive.lab.quality = ()  # it was there for a moment only
    drive.to_question("Keep this take?")
    question = drive.runner.snapshot().question
    assert question is not None
    assert question.answers[0] == proposed
    assert ("R_TA clipping" in question.text) == (proposed == "repeat")
    (proposal,) = drive.lab.events("proposal")
    assert proposal["answer"] == proposed


def test_what_was_there_before_the_rise_does_not_count() -> None:
    lab = MemoryLab(quality=(finding(),))
    drive = at(State.RAISING, lab)
    lab.quality = ()
    drive.until(lambda: bool(lab.verdicts))
    assert lab.verdicts == [(NAME, True, "accept")]


@pytest.mark.parametrize(("lasts_s", "proposed"), [(3.0, "accept"), (9.0, "repeat")])
def test_an_echo_of_the_take_before_does_not_count(
    lasts_s: float, proposed: str
) -> None:
    """What was there at the rise counts only if it is there at the end too."""
    lab = MemoryLab(quality=(finding(),))
    drive = at(State.RECORDING, lab)
    end_s = lab.t_s + lasts_s
    drive.until(lambda: lab.t_s >= end_s or bool(drive.text))
    lab.quality = ()
    drive.to_question("Keep this take?")
    question = drive.runner.snapshot().question
    assert question is not None
    assert question.answers[0] == proposed


def test_standing_is_not_judged_by_how_walking_should_look() -> None:
    text = "steps:\n  - {type: calibration, kind: Unloaded}\n"
    lab = MemoryLab(quality=(QualityFinding("vicon-markers", "red", "LASI gap"),))
    drive = Drive(text, lab).start().until(State.FINISHED)
    assert drive.lab.verdicts == [("Calibration Unloaded trial 1", True, "accept")]


def test_rejection_wants_a_reason() -> None:
    drive = at(State.JUDGING)
    drive.answer("reject")
    drive.tick(answering=False)
    assert "Why" in drive.text
    drive.answer("electrode of R_TA came off")
    drive.until(State.RESTING)
    assert drive.lab.verdicts == [(NAME, False, "electrode of R_TA came off")]


def test_a_missing_stream_is_overridden_by_a_typed_reason_alone() -> None:
    drive = at(State.SETTLING)
    drive.lab.missing = ("semg: not on the network",)
    drive.to_question("was not recorded: semg: not on the network")
    drive.answer("record anyway")
    drive.tick(answering=False)
    assert "although semg: not on the network" in drive.text
    with pytest.raises(NotAllowedError, match="a few words"):
        drive.answer("  ")
    drive.answer("amplifier is charging")
    drive.until(State.RECORDING)
    assert [line["reason"] for line in drive.lab.events("override")] == [
        "amplifier is charging"
    ]
    drive.until(State.ARMING)  # it holds for one take
    drive.to_question("was not recorded")


def test_a_take_that_breaks_off_cannot_be_recorded_anyway() -> None:
    drive = at(State.RECORDING)
    drive.lab.recorder, drive.lab.problems = "failed", ("disk full",)
    drive.to_question("disk full")
    question = drive.runner.snapshot().question
    assert question is not None
    assert question.answers == ("repeat", "reject")


def test_a_poor_take_that_is_kept_says_so() -> None:
    drive = at(State.RECORDING)
    drive.lab.quality = (finding(),)
    drive.to_question("Keep this take?")
    drive.answer("accept")
    drive.until(State.RESTING)
    (verdict,) = drive.lab.verdicts
    assert verdict[1]
    assert "although semg: R_TA clipping" in verdict[2]


def test_repeated_until_good() -> None:
    drive = at(State.RECORDING)
    for _ in range(3):
        drive.until(State.RECORDING).tick()
        drive.lab.quality = (finding(),)
        drive.tick()
        drive.lab.quality = ()
        drive.until(State.JUDGING).tick()
    drive.until(State.FINISHED)
    accepted = [accepted for name, accepted, _ in drive.lab.verdicts if name == NAME]
    assert accepted == [False, False, False, True]
