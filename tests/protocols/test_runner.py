"""The runner drives belts, deck and recording in order, and never surprises."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import NotAllowedError
from protocols.replay import Progress
from protocols.runner import Runner
from protocols.schema import ProtocolDefinition, load_protocol, parse_protocol
from protocols.states import State
from tests.builders.protocol_engine import MemoryLab

DOWNHILL = """
protocol: 1
name: downhill
title: Level twice, then down
settings: {settle_s: 2, record_s: 3}
steps:
  - {type: prompt, text: "Markers on?"}
  - {type: trials, mode: LG_0, speed_mps: 1.0, repeat: 2}
  - {type: rest, duration_s: 5}
  - {type: trials, mode: DS_5, speed_mps: 0.5}
"""


class RefusingLab(MemoryLab):
    """Cannot be reached for some aborts."""

    refusals = 0

    def abort(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("bertec takes no command: lost")
        super().abort()


def protocol(text: str = DOWNHILL) -> ProtocolDefinition:
    return parse_protocol(text, source="test")


def agree(runner: Runner) -> None:
    question = runner.snapshot().question
    if question:
        runner.answer(question.id, question.default)


def run(
    runner: Runner,
    lab: MemoryLab,
    until: Callable[[], bool],
    answering: bool = True,
    limit_s: float = 600.0,
) -> None:
    end_s = lab.t_s + limit_s
    while not until():
        assert lab.t_s < end_s, runner.snapshot()
        lab.step()
        if answering:
            agree(runner)
        runner.tick()


def in_state(runner: Runner, state: State) -> Callable[[], bool]:
    return lambda: runner.snapshot().state is state


def test_whole_protocol_ends_level_and_still() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.FINISHED))
    names = [f"Ideal LG_0 1.0 m/s trial {k}" for k in (1, 2)]
    names.append("Ideal DS_5 0.5 m/s trial 1")
    assert lab.rises == names
    assert lab.verdicts == [(name, True, "accept") for name in names]
    assert (lab.belt_mps, lab.incline_deg, lab.line_high) == (0.0, 0.0, False)
    assert runner.snapshot().n_done == runner.snapshot().n_trials == 3


def test_downhill_walks_reversed_on_the_raised_deck() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, lambda: len(lab.rises) == 3)
    assert (lab.belt_mps, lab.incline_deg, lab.reversed_facing) == (-0.5, 5.0, True)


def test_demo_moves_the_deck_between_its_trials() -> None:
    lab = MemoryLab()
    runner = Runner(load_protocol("demo"), lab, now=lab.now)
    runner.start()
    run(runner, lab, lambda: len(lab.rises) == 1)
    assert lab.rises == ["Calibration Static trial 1"]
    assert lab.belt_mps == lab.incline_deg == 0.0
    run(runner, lab, lambda: len(lab.rises) == 3)
    assert lab.incline_deg == 5.0
    run(runner, lab, in_state(runner, State.FINISHED))
    assert lab.incline_deg == pytest.approx(0.0, abs=0.1)


def test_rest_after_a_trial_is_stood() -> None:
    lab = MemoryLab()
    with_rest = DOWNHILL.replace("settle_s: 2", "settle_s: 2, rest_s: 30")
    runner = Runner(protocol(with_rest), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.RESTING))
    begun_s = lab.t_s
    assert lab.belt_mps == 0.0
    run(runner, lab, in_state(runner, State.RAMPING))
    assert lab.t_s - begun_s >= 30.0


def test_deck_waits_for_the_operator() -> None:
    lab = MemoryLab()
    text = "protocol: 1\nname: up\ntitle: up\nsteps:\n"
    text += "  - {type: trials, mode: AS_10, speed_mps: 1.0}"
    runner = Runner(protocol(text), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.CONFIRMING_DECK), answering=False)
    for _ in range(5000):
        lab.step()
        runner.tick()
    assert lab.incline_target_deg == 0.0
    question = runner.snapshot().question
    assert question is not None
    runner.answer(question.id, "abort")
    runner.tick()
    run(runner, lab, in_state(runner, State.ABORTED))


def test_line_is_low_two_seconds_before_the_rise_and_after_the_fall() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.LOW_BEFORE))
    armed_s = lab.t_s
    run(runner, lab, lambda: lab.line_high)
    rise_s = lab.t_s
    run(runner, lab, lambda: not lab.line_high)
    fall_s = lab.t_s
    run(runner, lab, in_state(runner, State.CLOSING))
    assert rise_s - armed_s >= 2.0
    assert fall_s - rise_s == pytest.approx(3.0, abs=0.1)
    assert lab.t_s - fall_s >= 2.0


def test_a_repeated_take_is_recorded_again_without_stopping() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.JUDGING))
    question = runner.snapshot().question
    assert question is not None
    runner.answer(question.id, "repeat")
    run(runner, lab, lambda: len(lab.rises) == 2)
    assert lab.rises[0] == lab.rises[1]
    assert lab.belt_mps == 1.0


def test_pause_stops_the_belts_and_resume_repeats_the_trial() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.RECORDING))
    runner.pause()
    assert not lab.line_high
    assert lab.target_mps == 0.0
    assert lab.verdicts == [("Ideal LG_0 1.0 m/s trial 1", False, "paused")]
    runner.resume()
    run(runner, lab, in_state(runner, State.FINISHED))
    assert lab.rises.count("Ideal LG_0 1.0 m/s trial 1") == 2


def test_a_dead_recorder_is_said_at_once_and_the_take_offered_again() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.RECORDING))
    lab.recorder, lab.problems = "failed", ("disk full",)
    lab.step()
    runner.tick()
    question = runner.snapshot().question
    assert question is not None
    assert "disk full" in question.text
    assert not lab.line_high
    assert question.answers == ("repeat", "reject")


@pytest.mark.parametrize("broken", ["unexpected_stop", "connection_lost"])
def test_a_broken_treadmill_ends_the_run(broken: str) -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.SETTLING))
    lab.treadmill_state = broken
    runner.tick()
    assert runner.snapshot().state is State.ABORTING
    run(runner, lab, in_state(runner, State.FAILED))
    assert lab.belt_mps == 0.0


def test_unknown_belts_are_called_unknown() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.SETTLING))
    lab.fresh = False
    runner.abort("operator")
    run(runner, lab, in_state(runner, State.ABORTED))
    assert "hardware emergency stop" in runner.snapshot().message


def test_an_engine_that_refuses_ends_the_run_with_its_words() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.SETTLING))
    lab.recorder = "recording"  # arming now is refused by the lab in memory
    run(runner, lab, in_state(runner, State.FAILED))
    assert "armed while recording" in runner.snapshot().message


def test_accepted_trials_are_passed_over_on_resume() -> None:
    lab = MemoryLab()
    progress = Progress(done={"Ideal LG_0 1.0 m/s trial 1": "accepted"})
    runner = Runner(protocol(), lab, now=lab.now, progress=progress)
    assert runner.snapshot().n_done == 1
    runner.start()
    run(runner, lab, in_state(runner, State.FINISHED))
    assert lab.rises[0] == "Ideal LG_0 1.0 m/s trial 2"


def test_requests_out_of_place_are_refused() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    with pytest.raises(NotAllowedError, match="not being asked"):
        runner.answer(1, "yes")
    with pytest.raises(NotAllowedError, match="not paused"):
        runner.resume()
    runner.start()
    with pytest.raises(NotAllowedError, match="not idle"):
        runner.start()
    run(runner, lab, in_state(runner, State.PROMPTING))
    question = runner.snapshot().question
    assert question is not None
    with pytest.raises(NotAllowedError, match="it takes 'done'"):
        runner.answer(question.id, "perhaps")


REQUESTS = st.sampled_from(
    ["tick"] * 12
    + ["answer", "answer_last", "pause", "resume", "abort", "record_fails"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, max_size=400))
def test_random_requests_never_leave_belts_running(requests: list[str]) -> None:
    lab = MemoryLab()
    runner = Runner(load_protocol("demo"), lab, now=lab.now)
    runner.start()
    for request in requests:
        lab.step(0.5)
        question = runner.snapshot().question
        try:
            if request == "tick":
                runner.tick()
            elif request.startswith("answer") and question:
                last = -1 if request == "answer_last" else 0
                answers = (question.default, *question.answers)
                runner.answer(question.id, answers[last])
            elif request == "record_fails" and lab.recorder == "recording":
                lab.recorder = "failed"
            elif request in ("pause", "resume"):
                getattr(runner, request)()
            elif request == "abort":
                runner.abort("operator")
        except NotAllowedError:
            pass
        assert abs(lab.belt_mps) <= 1.0
    if not runner.snapshot().state.is_over:
        runner.abort("end")
        run(runner, lab, lambda: runner.snapshot().state.is_over)
    assert lab.target_mps == 0.0
    assert not lab.line_high


def test_an_abort_that_did_not_get_through_is_repeated() -> None:
    lab = RefusingLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.SETTLING))
    lab.refusals = 3
    runner.abort("operator")
    assert lab.target_mps == 1.0
    run(runner, lab, in_state(runner, State.ABORTED), limit_s=5.0)
    assert lab.belt_mps == 0.0


def test_a_full_journal_does_not_keep_belts_running() -> None:
    lab = RefusingLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, lambda: lab.line_high)
    lab.journal_is_full = True
    run(runner, lab, in_state(runner, State.FAILED))
    assert lab.belt_mps == 0.0
    assert not lab.line_high


@pytest.mark.parametrize("state", [State.SETTLING, State.RECORDING, State.LOW_AFTER])
@pytest.mark.parametrize("cause", ["dead man: no heartbeat for 0.5 s", ""])
def test_belts_that_another_stopped_end_the_run(state: State, cause: str) -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, state))
    lab.stop()  # the dead man, or a hand at the panel
    lab.cause = cause
    run(runner, lab, in_state(runner, State.FAILED))
    told = f"treadmill: the belts stopped: {cause or 'cause unknown'}"
    assert runner.snapshot().message == told
    ends = [line for line in lab.journal if line.get("state") in ("aborting", "failed")]
    assert [line["message"] for line in ends] == [told, told]
    assert not any(accepted for _, accepted, _ in lab.verdicts)


def test_resuming_at_once_does_not_record_while_the_belts_stop() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.RECORDING))
    runner.pause()
    runner.resume()
    assert runner.snapshot().state is State.STOPPING
    run(runner, lab, in_state(runner, State.FINISHED))


def test_pause_stops_a_moving_deck() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.MOVING_DECK))
    lab.step()
    runner.pause()
    stands_at = lab.incline_deg
    for _ in range(100):
        lab.step()
        runner.tick()
    assert lab.incline_deg == stands_at
    runner.resume()
    run(runner, lab, in_state(runner, State.FINISHED))


def test_a_take_nobody_judged_is_rejected_by_a_pause() -> None:
    lab = MemoryLab()
    runner = Runner(protocol(), lab, now=lab.now)
    runner.start()
    run(runner, lab, in_state(runner, State.JUDGING))
    runner.pause()
    assert lab.verdicts == [("Ideal LG_0 1.0 m/s trial 1", False, "paused")]
