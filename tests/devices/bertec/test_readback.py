"""Without fresh readback nothing is known and nothing is sent."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def test_state_is_unknown_until_status(make_mill):
    mill = make_mill()
    assert mill.controller.state is BeltState.CONNECTION_LOST
    mill.controller.connected()
    assert mill.controller.state is BeltState.UNKNOWN
    assert "BELT STATE UNKNOWN" in mill.controller.snapshot()["message"]
    with pytest.raises(SetpointRejectedError, match="fresh status"):
        mill.controller.command("belts", WALK)
    mill.run(0.02)
    assert mill.controller.state is BeltState.IDLE


def test_no_command_without_fresh_status(mill):
    mill.silent = True
    mill.run(0.4)
    assert mill.controller.state is BeltState.UNKNOWN
    with pytest.raises(SetpointRejectedError, match="fresh status"):
        mill.controller.command("belts", WALK)
    assert mill.sent == []
    assert mill.controller.snapshot()["left_mps"] is None
    assert "stale" in mill.codes()


def test_loss_of_readback_is_known_within_half_a_second(mill):
    mill.walk()
    mill.silent = True
    n_missing = 0  # packets of status, 20 ms apart
    while mill.controller.state is not BeltState.UNKNOWN:
        mill.run(0.02)
        n_missing += 1
    assert n_missing * 0.02 <= 0.5
    assert "stale" in mill.codes()


def test_a_command_waiting_for_pacing_dies_with_the_status(make_mill):
    mill = make_mill(pacing_s=0.9, fresh_s=0.2)
    mill.heart = True
    mill.connect()
    mill.walk()
    mill.sent.clear()
    mill.controller.command("belts", {**WALK, "left_mps": 1.2, "right_mps": 1.2})
    mill.run(0.02)
    mill.controller.command("belts", {**WALK, "left_mps": 1.3, "right_mps": 1.3})
    mill.silent = True
    mill.run(1.2)
    assert [command.left_mmps for _, command in mill.sent] == [1200]
    assert "withdrawn" in mill.codes()
