"""A stop nobody asked for is seen at once, and nothing restarts by itself."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def test_an_estop_is_an_unexpected_stop_and_nothing_restarts(mill):
    mill.walk()
    mill.sent.clear()
    mill.estop = True
    mill.run(0.5)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    assert "unexpected_stop" in mill.codes()
    mill.run(1.0)
    mill.estop = False
    mill.run(3.0)
    assert mill.left < 0.01
    assert all(command.left_mmps == 0 for _, command in mill.sent)


def test_an_estop_while_ramping_up_is_noticed(mill):
    mill.controller.command("belts", WALK)
    mill.run(2.0)
    mill.estop = True
    mill.run(0.8)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP


@pytest.mark.parametrize(
    ("speed", "ramping"),
    [(0.1, False), (0.5, False), (2.0, False), (-1.0, False), (0.5, True), (2.0, True)],
)
@pytest.mark.parametrize("estop_mps2", [1.0, 3.0, 10.0])
def test_an_estop_is_seen_within_half_a_second(make_mill, speed, ramping, estop_mps2):
    mill = make_mill(is_reversed=speed < 0)
    mill.heart, mill.estop_mps2 = True, estop_mps2
    mill.connect()
    accel = 0.5 if ramping else 0.25
    belts = {"left_mps": speed, "right_mps": speed, "accel_mps2": accel}
    mill.controller.command("belts", belts)
    mill.run(0.9 * abs(speed) / accel if ramping else abs(speed) / accel + 2.0)
    mill.estop = True
    n_packets = 0  # of status, 20 ms apart
    while mill.controller.state is not BeltState.UNEXPECTED_STOP and n_packets < 100:
        mill.run(0.02)
        n_packets += 1
    assert n_packets * 0.02 <= 0.5


def test_one_belt_alone_is_enough(mill):
    mill.walk()
    mill.target = (1.0, 0.0)
    mill.accel = 2.0
    mill.run(0.5)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP


def test_a_mill_at_rest_after_an_unexpected_stop_can_be_disarmed(mill):
    mill.walk()
    mill.estop = True
    mill.run(0.6)
    with pytest.raises(SetpointRejectedError, match="belts read as zero"):
        mill.controller.command("disarm", {})
    mill.run(3.0)
    mill.controller.command("disarm", {})
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    with pytest.raises(SetpointRejectedError, match="not armed"):
        mill.controller.command("take_over", {})


def test_an_unexpected_stop_is_acknowledged_at_standstill_only(mill):
    mill.walk()
    mill.estop = True
    mill.run(0.34)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    with pytest.raises(SetpointRejectedError, match="zero"):
        mill.controller.command("take_over", {})
    with pytest.raises(SetpointRejectedError, match="unexpected_stop"):
        mill.controller.command("belts", WALK)
    mill.run(4.0)
    mill.controller.command("stop", {})
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    mill.controller.command("take_over", {})
    assert mill.controller.state is BeltState.IDLE
    mill.estop = False
    mill.walk()


@pytest.mark.parametrize("accel", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("delay_s", [0.02, 0.2, 0.4])
def test_an_ordinary_walk_with_changes_is_never_unexpected(mill, accel, delay_s):
    mill.delay_s = delay_s
    for speed in (0.5, 1.5, 1.0, 0.0, 1.0):
        mill.controller.command(
            "belts", {"left_mps": speed, "right_mps": speed, "accel_mps2": accel}
        )
        mill.run(1.7)
    assert mill.controller.state is BeltState.MOVING
    assert not {"unexpected_stop", "adopted"} & set(mill.codes())
