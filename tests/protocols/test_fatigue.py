"""Squats, ratings of effort, live sEMG indices, and the rules that end a cycle."""

import pytest

from protocols.engine import Muscle
from protocols.errors import NotAllowedError
from protocols.fatigue import Fatigue
from protocols.states import State
from protocols.steps import StopRules
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

CYCLE = """
settings: {settle_s: 2, record_s: 4}
steps:
  - {type: trials, mode: LG_0, speed_mps: 1.0}
  - type: cycle
    repeat: 4
    stop: {borg_at_least: 9, median_frequency_drop_percent: 15, muscles: 2}
    steps:
      - {type: squats, count: 12}
      - {type: borg}
      - {type: trials, mode: LG_0, speed_mps: 1.0}
  - {type: prompt, text: "Water?"}
"""


def muscles(*frequencies_hz: float, rms_uv: float = 80.0) -> dict[str, Muscle]:
    return {f"M{k}": Muscle(f, rms_uv) for k, f in enumerate(frequencies_hz)}


def answers(**wanted: str):
    def answer(text: str) -> str | None:
        return next((value for words, value in wanted.items() if words in text), None)

    return answer


def test_squats_and_ratings_are_entered_and_journalled() -> None:
    drive = Drive(CYCLE, answers=answers(squats="10", Borg="4.5")).start()
    drive.until(State.FINISHED)
    squats, ratings = drive.lab.events("squats"), drive.lab.events("borg")
    assert [(line["asked"], line["value"]) for line in squats] == [(12, 10.0)] * 4
    assert [(line["scale"], line["value"]) for line in ratings] == [("CR10", 4.5)] * 4
    assert len(drive.lab.rises) == 5


@pytest.mark.parametrize("answer", ["11", "-1", "hard", ""])
def test_a_rating_off_the_scale_is_refused(answer: str) -> None:
    drive = Drive(CYCLE).start().to_question("Borg CR10")
    with pytest.raises(NotAllowedError, match="no number from 0 to 10"):
        drive.answer(answer)
    drive.answer("7")


def test_the_rating_ends_the_cycle_if_the_operator_says_so() -> None:
    drive = Drive(CYCLE).start().to_question("Borg")
    drive.answer("9")
    drive.to_question("Stop rule: rating of effort 9")
    drive.answer("end the cycle")
    drive.to_question("Water?")
    drive.until(State.FINISHED)
    assert len(drive.lab.rises) == 1
    (ended,) = drive.lab.events("group_ended")
    assert ended["reason"] == "stop rule"


def test_the_operator_may_go_on_against_the_rule() -> None:
    drive = Drive(CYCLE).start().to_question("Borg")
    drive.answer("10")
    drive.to_question("Stop rule")
    drive.answer("go on")
    drive.until(State.FINISHED)
    assert len(drive.lab.rises) == 5


def test_falling_median_frequency_ends_the_cycle() -> None:
    lab = MemoryLab(muscles=muscles(100.0, 90.0, 80.0))
    drive = Drive(CYCLE, lab).start()
    drive.until(lambda: len(lab.rises) == 2)
    lab.muscles = muscles(80.0, 70.0, 79.0)  # two of three fall by 20 and 22 %
    drive.to_question("Stop rule")
    assert "in 2 muscles the median frequency fell by more than 15 %" in drive.text
    shown = drive.runner.snapshot().fatigue
    assert shown["M0"] == pytest.approx(-20.0, abs=1.0)
    assert shown["M2"] == pytest.approx(-1.2, abs=0.5)
    last = lab.events("fatigue")[-1]
    assert last["condition"] == "LG_0 1"
    assert last["changes"]["M1"][0] == pytest.approx(22.2, abs=1.0)


def test_rejected_trials_are_no_baseline() -> None:
    lab = MemoryLab(muscles=muscles(100.0))
    drive = Drive(CYCLE, lab).start().to_question("Keep this take?")
    drive.answer("reject")
    drive.until(State.PROMPTING)
    assert lab.events("fatigue") == []


def test_rising_rms() -> None:
    fatigue = Fatigue()
    fatigue.take_in("AS_10 1", {"A": (100.0, 50.0), "B": (100.0, 50.0)})
    fatigue.take_in("AS_10 1", {"A": (100.0, 80.0), "B": (100.0, 51.0)})
    rules = StopRules(rms_rise_percent=50, muscles=1)
    assert (
        fatigue.reason_to_stop(rules) == "in 1 muscles the RMS rose by more than 50 %"
    )
    assert fatigue.reason_to_stop(StopRules(rms_rise_percent=50, muscles=2)) == ""
    assert fatigue.reason_to_stop(StopRules()) == ""


def test_other_speeds_have_baselines_of_their_own() -> None:
    fatigue = Fatigue()
    fatigue.take_in("LG_0 1", {"A": (100.0, 50.0)})
    fatigue.take_in("LG_0 0.5", {"A": (60.0, 20.0)})
    assert fatigue.changes["A"].median_frequency_drop_percent == 0.0


def test_ratings_while_walking_do_not_stop_the_belts() -> None:
    text = """
settings: {settle_s: 2, record_s: 4}
steps:
  - type: cycle
    repeat: 2
    steps:
      - {type: walk, mode: AS_10, speed_mps: 1.0, duration_s: 20}
      - {type: trials, mode: AS_10, speed_mps: 1.0}
      - {type: borg, while_walking: true}
"""
    drive = Drive(text).start().until(State.RECORDING)
    belts: list[float] = []
    drive.until(lambda: belts.append(drive.lab.belt_mps) or len(drive.lab.rises) == 2)
    assert min(belts) == 1.0
    assert len(drive.lab.events("borg")) == 1
    drive.until(State.FINISHED)


def test_unrecorded_walk_lasts_and_is_not_recorded() -> None:
    text = "steps:\n  - {type: walk, speed_mps: 1.0, duration_s: 60}\n"
    drive = Drive(text).start().until(State.SETTLING)
    begun_s = drive.lab.t_s
    drive.until(State.STOPPING)
    assert drive.lab.t_s - begun_s == pytest.approx(60.0, abs=0.2)
    drive.until(State.FINISHED)
    assert drive.lab.rises == []


def test_an_optional_contraction_is_left_out() -> None:
    text = """
steps:
  - {type: calibration, kind: MVC, label: R_TA, optional: true, text: "MVC of R_TA?"}
  - {type: calibration, kind: Static}
"""
    drive = Drive(text).start().to_question("MVC of R_TA?")
    drive.answer("skip")
    drive.until(State.FINISHED)
    assert drive.lab.rises == ["Calibration Static trial 1"]
    drive = Drive(text).start().until(State.FINISHED)
    assert drive.lab.rises[0] == "Calibration MVC trial 1"


@pytest.mark.parametrize(
    ("days", "says", "as_wanted"),
    [
        (7.0, "7.0 days since", True),
        (0.2, "0.2 days since", False),
        (None, "no earlier session", False),
    ],
)
def test_gap_between_days(days: float | None, says: str, as_wanted: bool) -> None:
    text = "steps:\n  - {type: gap_check}\n  - {type: calibration, kind: Static}\n"
    drive = Drive(text, MemoryLab(days=days)).start().to_question(says)
    assert drive.lab.events("gap")[0]["as_wanted"] is as_wanted
    drive.answer("go on")
    drive.until(State.FINISHED)
    drive = Drive(text, MemoryLab(days=days)).start().to_question(says)
    drive.answer("abort")
    drive.until(State.ABORTED)


def test_a_trial_of_a_cycle_that_was_ended_is_not_done_again() -> None:
    lab = MemoryLab(muscles=muscles(100.0, 90.0))
    drive = Drive(CYCLE, lab).start()
    drive.until(lambda: len(lab.rises) == 2)
    lab.muscles = muscles(70.0, 60.0)
    drive.to_question("Stop rule")
    drive.answer("end the cycle")
    drive.to_question("Water?")
    with pytest.raises(NotAllowedError, match="no trial was judged"):
        drive.runner.repeat("on second thoughts")
