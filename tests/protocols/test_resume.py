"""A run that was cut off anywhere goes on where it was, and loses nothing."""

import pytest

from protocols.engine import Muscle
from protocols.replay import replay
from protocols.states import TAKE_STATES, State
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

TEXT = """
settings: {settle_s: 2, record_s: 4, rest_s: 20}
steps:
  - {type: prompt, text: "Markers on?"}
  - {type: rest, duration_s: 30}
  - {type: calibration, kind: Static, text: "Stands?"}
  - {type: trials, mode: AS_5, speed_mps: 1.0, repeat: 2}
  - {type: trials, mode: DS_5, speed_mps: 0.5}
"""
NAMES = [
    "Calibration Static trial 1",
    "Ideal AS_5 1.0 m/s trial 1",
    "Ideal AS_5 1.0 m/s trial 2",
    "Ideal DS_5 0.5 m/s trial 1",
]
STATES = [
    State.STOPPING, State.PROMPTING, State.RESTING, State.CONFIRMING_DECK,
    State.MOVING_DECK, State.CONFIRMING_FACING, State.CHECKING_FACING,
    State.INSTRUCTING, State.RAMPING, State.SETTLING, *TAKE_STATES, State.JUDGING,
]  # fmt: skip


def accepted(lab: MemoryLab) -> list[str]:
    return [name for name, yes, _ in lab.verdicts if yes]


@pytest.mark.parametrize("state", STATES)
def test_cut_off_in_any_state(state: State) -> None:
    drive = Drive(TEXT).start().until(state)
    again = drive.cut_off().start()
    assert again.state is State.RESUMING
    assert f"cut off in state {state}" in again.text
    again.until(State.FINISHED)
    assert accepted(again.lab) == NAMES
    assert again.lab.belt_mps == 0.0


@pytest.mark.parametrize("trial", NAMES)
def test_the_trial_it_was_in_is_offered(trial: str) -> None:
    drive = Drive(TEXT).start()
    drive.until(lambda: trial in drive.lab.rises)
    again = drive.cut_off().start()
    assert f"Go on with {trial}?" in again.text
    assert again.runner.snapshot().n_done == NAMES.index(trial)
    again.until(State.FINISHED)
    assert again.lab.rises.count(trial) == 2
    assert accepted(again.lab) == NAMES


def test_answered_prompts_and_taken_rests_are_not_repeated() -> None:
    drive = Drive(TEXT).start()
    drive.until(lambda: NAMES[1] in drive.lab.rises)
    again = drive.cut_off().start()
    again.until(State.FINISHED)
    texts = [line["question"] for line in again.lab.events("answer")]
    assert texts.count("Markers on?") == 1
    assert texts.count("Stands?") == 1


def test_a_recorded_take_that_was_not_judged_is_judged_first() -> None:
    drive = Drive(TEXT).start()
    drive.until(lambda: drive.text.startswith(NAMES[1]) and "Keep" in drive.text)
    n_rises = len(drive.lab.rises)
    again = drive.cut_off().start()
    assert f"A take of {NAMES[1]} was recorded, but not judged" in again.text
    again.to_question("Keep this take?")
    assert len(again.lab.rises) == n_rises
    again.until(State.FINISHED)
    assert again.lab.rises.count(NAMES[1]) == 1
    assert accepted(again.lab) == NAMES


def test_the_trial_can_be_left_out_or_the_run_given_up() -> None:
    drive = Drive(TEXT).start().until(State.RECORDING)
    again = drive.cut_off().start()
    again.answer("skip it")
    again.until(State.FINISHED)
    assert accepted(again.lab) == NAMES[1:]
    drive = Drive(TEXT).start().until(State.RECORDING)
    again = drive.cut_off().start()
    again.answer("abort")
    again.until(State.ABORTED)


def test_cut_off_again_and_again() -> None:
    drive = Drive(TEXT).start()
    for state in STATES:
        while drive.state not in (state, State.FINISHED):
            drive.tick()
        if drive.state is State.FINISHED:
            break
        drive = drive.cut_off().start()
    drive.until(State.FINISHED)
    assert accepted(drive.lab) == NAMES


def test_participants_keep_their_order() -> None:
    drive = Drive("shift", participant="P07", dt_s=0.2).start()
    drive.until(lambda: len(drive.lab.rises) == 14)
    whole = Drive("shift", participant="P07", dt_s=0.2).start()
    whole.until(State.FINISHED, limit_s=7200)
    again = drive.cut_off().start()
    again.until(State.FINISHED, limit_s=7200)
    assert accepted(again.lab) == accepted(whole.lab)


def test_baseline_of_fatigue_and_an_ended_cycle_are_remembered() -> None:
    lab = MemoryLab(muscles={"A": Muscle(100.0, 50.0), "B": Muscle(100.0, 50.0)})
    text = TEXT.replace(
        "  - {type: trials, mode: AS_5, speed_mps: 1.0, repeat: 2}\n", ""
    )
    text += "  - type: cycle\n    repeat: 5\n"
    text += "    stop: {median_frequency_drop_percent: 10, muscles: 2}\n"
    text += "    steps: [{type: trials, mode: LG_0, speed_mps: 1.0}]\n"
    text += "  - {type: prompt, text: 'Water?'}\n"
    drive = Drive(text, lab).start()
    drive.until(lambda: lab.rises[-1:] == ["Ideal LG_0 1.0 m/s trial 2"])
    again = drive.cut_off().start()
    lab.muscles = {"A": Muscle(80.0, 50.0), "B": Muscle(80.0, 50.0)}
    again.to_question("Stop rule")
    again.answer("end the cycle")
    again.to_question("Water?")
    third = again.cut_off().start()
    assert len(third.runner.left()) == 1
    third.until(State.FINISHED)


def test_journal_of_another_program_is_no_run() -> None:
    lines = [
        {"event": "state", "state": "no such state"},
        {"event": "verdict"},
        {"event": "fatigue"},
        {"note": 1},
    ]
    assert not replay(lines).begun


class MovingLab(MemoryLab):
    """Belts run at nobody's word until they are told to stop."""

    def stop(self) -> None:
        self.treadmill_state = ""
        super().stop()

    def abort(self) -> None:
        self.treadmill_state = ""
        super().abort()


@pytest.mark.parametrize("answer", ["stop the belts", "abort"])
def test_belts_found_moving_are_stopped_on_the_operators_word_alone(
    answer: str,
) -> None:
    lab = MovingLab(belt_mps=1.0, target_mps=1.0, treadmill_state="adopted")
    drive = Drive(TEXT, lab).start()
    for _ in range(400):
        drive.tick(answering=False)
    assert drive.state is State.RESUMING
    assert "left 1.0 and right 1.0 m/s" in drive.text
    assert lab.target_mps == 1.0
    drive.answer(answer)
    stops = answer != "abort"
    drive.until(State.FINISHED if stops else State.ABORTED)
    assert lab.belt_mps == 0.0
    assert accepted(lab) == (NAMES if stops else [])


def test_belts_found_moving_after_a_cut_are_asked_about_first() -> None:
    lab = MovingLab()
    drive = Drive(TEXT, lab).start().until(State.RECORDING)
    again = drive.cut_off()
    lab.belt_mps = lab.target_mps = 1.0
    lab.treadmill_state = "adopted"
    again.start()
    assert "found moving" in again.text
    again.answer("stop the belts")
    again.tick(answering=False)
    assert "Go on with Calibration Static trial 1?" in again.text
    again.until(State.FINISHED)
    assert accepted(lab) == NAMES


def test_a_verdict_taken_back_counts_although_the_run_was_cut_off_in_between() -> None:
    verdict = {"event": "verdict", "trial_name": NAMES[1]}
    progress = replay([{**verdict, "accepted": True}, {**verdict, "accepted": False}])
    assert NAMES[1] not in progress.done
