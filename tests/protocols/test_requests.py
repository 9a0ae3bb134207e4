"""What the operator may do at any moment: skip, repeat, an adverse event, facing."""

import pytest

from protocols.errors import NotAllowedError
from protocols.states import TAKE_STATES, State
from tests.builders.protocol_engine import MemoryLab
from tests.builders.runs import Drive

TWO = """
settings: {settle_s: 2, record_s: 4, rest_s: 20}
steps:
  - {type: prompt, text: "Markers on?"}
  - {type: rest, duration_s: 30}
  - {type: trials, mode: LG_0, speed_mps: 1.0, repeat: 2}
  - {type: trials, mode: DS_5, speed_mps: 0.5}
"""
FIRST, SECOND = (f"Ideal LG_0 1.0 m/s trial {k}" for k in (1, 2))
DOWN = "Ideal DS_5 0.5 m/s trial 1"


def at(state: State, text: str = TWO) -> Drive:
    return Drive(text).start().until(state)


# ---- skip ---------------------------------------------------------------------------


def test_prompt_and_rest_are_skipped() -> None:
    drive = at(State.PROMPTING)
    drive.runner.skip("done before")
    drive.until(State.RESTING)
    begun_s = drive.lab.t_s
    drive.runner.skip("not tired")
    drive.until(State.INSTRUCTING)
    assert drive.lab.t_s - begun_s < 1.0
    skipped = drive.lab.events("step_done")
    assert [line["outcome"] for line in skipped] == ["skipped", "skipped"]


@pytest.mark.parametrize(
    "state",
    [State.INSTRUCTING, State.RAMPING, State.SETTLING, *TAKE_STATES, State.JUDGING],
)
def test_a_trial_is_skipped_in_any_state(state: State) -> None:
    drive = at(state)
    drive.runner.skip("participant coughed")
    drive.until(State.FINISHED)
    verdicts = [v for v in drive.lab.verdicts if v[0] == FIRST]
    began = state in (*TAKE_STATES, State.JUDGING)
    assert [v[1] for v in verdicts] == ([False] if began else [])
    assert all("participant coughed" in v[2] for v in verdicts)
    assert [name for name, accepted, _ in drive.lab.verdicts if accepted] == [
        SECOND, DOWN,
    ]  # fmt: skip
    assert not drive.lab.line_high


@pytest.mark.parametrize(
    "state",
    [State.CONFIRMING_DECK, State.MOVING_DECK, State.CONFIRMING_FACING],
)
def test_a_trial_is_skipped_while_its_deck_or_facing_is_made(state: State) -> None:
    drive = at(state)
    drive.runner.skip("no downhill today")
    drive.until(State.FINISHED)
    assert DOWN not in drive.lab.rises
    assert drive.lab.incline_deg == pytest.approx(0.0, abs=0.1)


def test_the_rest_owed_after_a_trial_is_skipped_alone() -> None:
    drive = at(State.JUDGING).until(State.RESTING)
    drive.runner.skip("ready")
    drive.until(State.FINISHED)
    assert drive.lab.rises == [FIRST, SECOND, DOWN]


def test_the_way_back_to_level_cannot_be_skipped() -> None:
    drive = at(State.CONFIRMING_FACING).until(State.JUDGING)
    drive.until(lambda: drive.state is State.CONFIRMING_DECK)
    with pytest.raises(NotAllowedError, match="nothing is left"):
        drive.runner.skip("enough")


# ---- repeat -------------------------------------------------------------------------


@pytest.mark.parametrize("state", TAKE_STATES[1:])
def test_a_take_is_begun_again_in_any_state(state: State) -> None:
    drive = at(state)
    drive.runner.repeat("stumbled")
    assert drive.state is State.ARMING
    assert not drive.lab.line_high
    drive.until(State.FINISHED)
    verdicts = [v[1:] for v in drive.lab.verdicts if v[0] == FIRST]
    assert verdicts == [(False, "repeat: stumbled"), (True, "accept")]


@pytest.mark.parametrize("state", [State.RESTING, State.INSTRUCTING, State.SETTLING])
def test_the_trial_before_is_done_again_even_after_its_verdict(state: State) -> None:
    drive = at(State.JUDGING).until(State.RESTING).until(state)
    assert drive.lab.verdicts == [(FIRST, True, "accept")]
    drive.runner.repeat("seen on video")
    assert drive.runner.snapshot().n_done == 0
    drive.until(State.FINISHED)
    verdicts = [v[1] for v in drive.lab.verdicts if v[0] == FIRST]
    assert verdicts == [True, False, True]
    assert drive.lab.rises == [FIRST, FIRST, SECOND, DOWN]


def test_nothing_to_repeat_before_the_first_trial() -> None:
    drive = at(State.RESTING)
    with pytest.raises(NotAllowedError, match="no trial was judged"):
        drive.runner.repeat("why not")


# ---- what is published --------------------------------------------------------------


def test_what_may_be_asked_is_published_with_what_it_is_about() -> None:
    drive = Drive(TWO)

    def published() -> dict[str, tuple[str, str]]:
        requests = drive.runner.snapshot().requests
        return {verb: (each.about, each.refusal) for verb, each in requests.items()}

    assert published()["start"] == ("", "")
    assert published()["skip"][1] == "nothing to skip in state idle"
    drive.start().until(State.PROMPTING)
    assert published()["start"][1] == "the run is prompting, not idle"
    assert published()["skip"] == ("Markers on?", "")
    drive.until(State.RESTING)
    assert published()["skip"] == ("the rest", "")
    drive.until(State.RECORDING)
    assert published()["skip"] == published()["repeat"] == (FIRST, "")
    drive.until(State.RESTING)
    assert published()["skip"] == ("the rest", "")  # owed after the trial
    assert published()["repeat"] == (FIRST, "")
    drive.runner.pause()
    assert published()["skip"] == (SECOND, "")
    assert published()["pause"][1] == "nothing to pause in state paused"
    assert not published()["resume"][1]
    drive.runner.abort("enough")
    drive.until(State.ABORTED)
    assert {verb for verb, (_, why_not) in published().items() if not why_not} == {
        "adverse_event"
    }


# ---- adverse event ------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.RECORDING, State.RAMPING, State.MOVING_DECK])
def test_an_adverse_event_stops_everything_and_waits(state: State) -> None:
    drive = at(state)
    drive.tick()
    drive.runner.adverse_event("dizzy")
    lab = drive.lab
    assert drive.state is State.PAUSED
    assert lab.target_mps == 0.0
    assert lab.accel_mps2 == 1.0  # as an abort
    assert lab.incline_target_deg == lab.incline_deg
    (event,) = lab.events("adverse_event")
    assert event["text"] == "dizzy"
    assert event["state"] == str(state)
    if state is State.RECORDING:
        assert lab.verdicts == [(FIRST, False, "adverse event: dizzy")]
    for _ in range(500):
        drive.tick()
    assert drive.state is State.PAUSED
    drive.runner.resume()
    drive.until(State.FINISHED)


@pytest.mark.parametrize("state", [State.IDLE, State.FINISHED])
def test_an_adverse_event_is_noted_before_and_after_the_run(state: State) -> None:
    drive = Drive(TWO)
    if state is State.FINISHED:
        drive.start().until(State.FINISHED)
    drive.runner.adverse_event("felt sick on the way home")
    assert drive.state is state
    assert drive.lab.events("adverse_event")


# ---- facing, belts, deck ------------------------------------------------------------


def test_belts_do_not_move_while_the_markers_show_another_facing() -> None:
    lab = MemoryLab(turned=False)  # never turns round
    drive = Drive(TWO, lab).start().until(State.CONFIRMING_FACING)
    for _ in range(400):
        drive.tick()
        assert lab.belt_mps == 0.0
    assert DOWN not in lab.rises
    drive.to_question("MARKERS show the opposite")
    lab.turned = None
    drive.until(State.FINISHED)
    assert DOWN in lab.rises


def test_belts_start_on_the_operators_word_alone() -> None:
    drive = at(State.INSTRUCTING)
    for _ in range(1000):
        drive.tick(answering=False)
    assert drive.lab.target_mps == 0.0
    drive.answer("abort")
    drive.until(State.ABORTED)
    assert drive.lab.rises == []


def test_speed_changes_without_stopping_where_the_slope_is_the_same() -> None:
    text = """
settings: {settle_s: 2, record_s: 4}
steps:
  - {type: trials, mode: LG_0, speed_mps: 0.5}
  - {type: trials, mode: LG_0, speed_mps: 1.0}
"""
    drive = at(State.RECORDING, text)
    slowest = [drive.lab.belt_mps]
    drive.until(lambda: slowest.append(drive.lab.belt_mps) or len(drive.lab.rises) == 2)
    assert min(slowest) == 0.5


def test_a_stop_that_did_not_get_through_is_repeated() -> None:
    drive = at(State.RECORDING)
    drive.runner.pause()
    drive.lab.target_mps = 1.0  # it never arrived
    for _ in range(20):
        drive.tick()
    assert drive.lab.target_mps == 0.0


def test_finished_run_leaves_the_mill_out_of_arms() -> None:
    assert at(State.FINISHED).lab.armed is False
    drive = at(State.SETTLING)
    drive.runner.abort("operator")
    drive.until(State.ABORTED)
    assert drive.lab.armed is False


def test_a_mill_that_cannot_be_disarmed_is_said() -> None:
    drive = at(State.SETTLING)
    drive.runner.abort("operator")
    drive.lab.fresh = False
    drive.until(State.ABORTED)
    assert "stays armed" in drive.runner.snapshot().message


def test_an_abort_is_no_failure_although_a_tick_sees_the_belts_stop_first() -> None:
    drive = at(State.RECORDING)
    lab, stop = drive.lab, drive.lab.abort

    def abort_while_the_run_goes_on() -> None:
        lab.abort = stop  # type: ignore[method-assign]
        stop()
        drive.tick()

    lab.abort = abort_while_the_run_goes_on  # type: ignore[method-assign]
    drive.runner.abort("the operator")
    drive.until(State.ABORTED)
    assert drive.runner.snapshot().message == "the operator"
    assert State.FAILED not in lab.states()
