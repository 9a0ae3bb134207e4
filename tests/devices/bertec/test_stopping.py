"""Stop and abort: at once, again and again, whatever else is asked."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import DeviceConnectionError, SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


@pytest.mark.parametrize("verb", ["stop", "abort"])
def test_stop_and_abort_do_not_wait_for_pacing(mill, verb):
    mill.controller.command("belts", WALK)
    mill.run(0.02)
    mill.controller.command(verb, {})
    mill.pump()
    (_, first), (t_stop, last) = mill.sent
    assert first.left_mmps == 1000
    assert last.left_mmps == last.right_mmps == 0
    assert t_stop - mill.sent[0][0] < 0.14


def test_a_stop_is_repeated_until_belts_are_read_as_zero(mill):
    mill.walk()
    mill.sent.clear()
    mill.controller.command("stop", {})
    mill.run(4.0)
    assert mill.left == 0.0
    assert mill.controller.state is BeltState.IDLE
    assert len(mill.sent) > 5
    assert all(command.left_mmps == 0 for _, command in mill.sent)
    n_sent = len(mill.sent)
    mill.run(1.0)
    assert len(mill.sent) == n_sent


def test_a_stop_with_a_bad_deceleration_still_stops(mill):
    mill.walk()
    mill.controller.command("stop", {"decel_mps2": 99.0})
    mill.run(4.0)
    assert mill.left == 0.0
    assert "stop_default" in mill.codes()


def test_an_abort_right_after_a_start_is_not_mistaken_for_rest(mill):
    mill.delay_s = 0.3
    mill.controller.command("belts", {**WALK, "accel_mps2": 0.5})
    mill.run(0.1)
    mill.controller.command("abort", {})
    mill.run(0.2)
    assert mill.controller.state is BeltState.STOPPING
    mill.run(3.0)
    assert mill.controller.state is BeltState.IDLE
    assert "adopted" not in mill.codes()


def test_stop_wins_over_a_command_not_yet_sent(mill):
    mill.controller.command("belts", WALK)
    mill.run(0.02)
    mill.controller.command("belts", {**WALK, "left_mps": 1.2, "right_mps": 1.2})
    mill.controller.command("stop", {})
    mill.run(3.0)
    assert [command.left_mmps for _, command in mill.sent[1:]] == [0] * (
        len(mill.sent) - 1
    )


def test_belts_are_refused_while_stopping(mill):
    mill.walk()
    mill.controller.command("stop", {})
    mill.run(0.2)
    with pytest.raises(SetpointRejectedError, match="stopping"):
        mill.controller.command("belts", WALK)


def test_a_stop_that_does_not_work_is_called_out(mill):
    mill.walk()
    mill.deaf = True
    mill.controller.command("stop", {})
    mill.run(2.0)
    assert "no_stop" in mill.codes()
    assert mill.controller.state is BeltState.STOPPING


def test_stop_is_sent_even_without_fresh_status(mill):
    mill.walk()
    mill.silent = True
    mill.run(0.5)
    mill.controller.command("stop", {})
    mill.pump()
    assert mill.sent[-1][1].left_mmps == 0


def test_without_a_link_stop_points_at_the_hardware_estop(mill):
    mill.walk()
    mill.controller.lost()
    assert mill.controller.state is BeltState.CONNECTION_LOST
    for verb in ("stop", "abort"):
        with pytest.raises(DeviceConnectionError, match="hardware e-stop"):
            mill.controller.command(verb, {})
    with pytest.raises(SetpointRejectedError):
        mill.controller.command("belts", WALK)
