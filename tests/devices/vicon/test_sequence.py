"""Losses, repeats and restarts are told from frame numbers alone."""

import pytest

from devices.vicon.sequence import MAX_REPEATS, FrameSequence


def verdicts(*numbers: int) -> list[str]:
    sequence = FrameSequence()
    return [sequence.step(number).verdict for number in numbers]


def test_consecutive() -> None:
    assert verdicts(7, 8, 9) == ["first", "next", "next"]


@pytest.mark.parametrize("n_lost", [1, 2, 40, 16_000_000])
def test_gap_is_counted(n_lost: int) -> None:
    sequence = FrameSequence()
    sequence.step(100)
    step = sequence.step(101 + n_lost)
    assert (step.verdict, step.n_lost, step.previous) == ("gap", n_lost, 100)
    assert sequence.step(102 + n_lost).verdict == "next"


def test_repeat_is_refused() -> None:
    assert verdicts(5, 5, 6, 5, 6, 7)[1:] == [
        *("duplicate", "next", "duplicate", "duplicate", "next"),
    ]


def test_server_that_repeats_one_frame_for_long() -> None:
    assert set(verdicts(5, *[5] * 500)[1:]) == {"duplicate"}


def test_restart_far_back() -> None:
    assert verdicts(5000, 5001, 1, 2) == ["first", "next", "restart", "next"]


def test_restart_soon_after_the_start() -> None:
    found = verdicts(40, *range(1, MAX_REPEATS + 3))
    assert found[1:] == ["duplicate"] * MAX_REPEATS + ["restart", "next"]


def test_pause_forgives_one_jump() -> None:
    sequence = FrameSequence()
    sequence.step(10)
    sequence.pause()
    assert sequence.step(50).verdict == "next"
    assert sequence.step(60).n_lost == 9


def test_after_reconnecting_any_lower_number_is_a_restart() -> None:
    sequence = FrameSequence()
    sequence.step(40)
    sequence.reconnect()
    assert sequence.step(40).verdict == "duplicate"
    assert sequence.step(12).verdict == "restart"
    sequence.reconnect()
    assert sequence.step(20).n_lost == 7
