"""Commands: what is refused, acknowledged, paced."""

from itertools import pairwise

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def test_a_command_is_commanded_then_accepted_then_reached(mill):
    reply = mill.controller.command("belts", WALK)
    request = reply["requests"]["belts"]
    assert request["sent_s"] is None
    assert request["accepted_s"] is None
    mill.walk()
    request = mill.controller.snapshot()["requests"]["belts"]
    assert request["commanded_s"] < request["sent_s"] < request["accepted_s"]
    assert request["reached_s"] >= request["sent_s"] + 1.0 / 0.25
    codes = mill.codes()
    order = [codes.index(code) for code in ("commanded", "sent", "accepted", "reached")]
    assert order == sorted(order)


def test_nothing_is_acknowledged_without_readback(mill):
    mill.deaf = True
    mill.controller.command("belts", WALK)
    mill.run(0.5)
    assert mill.controller.snapshot()["requests"]["belts"]["accepted_s"] is None
    mill.run(0.15)
    assert mill.left == 0.0


def test_a_mill_that_does_not_follow_is_reported(make_mill):
    mill = make_mill(ramp_latency_s=2.0)
    mill.heart = mill.deaf = True
    mill.connect()
    mill.controller.command("belts", WALK)
    mill.run(1.8)
    assert "not_accepted" in mill.codes()


@pytest.mark.parametrize(
    "arguments",
    [
        {**WALK, "left_mps": 2.5, "right_mps": 2.5},
        {**WALK, "left_mps": "1.0"},
        {**WALK, "left_mps": True},
        {**WALK, "accel_mps2": None},
        {**WALK, "acel_mps2": 0.1},
        {"left_mps": 1.0, "right_mps": 1.0},
        {**WALK, "right_mps": 0.5},
    ],
)
def test_a_rejected_command_sends_nothing(mill, arguments):
    with pytest.raises(SetpointRejectedError):
        mill.controller.command("belts", arguments)
    mill.run(0.5)
    assert mill.sent == []
    assert mill.controller.state is BeltState.IDLE


def test_a_rejected_command_leaves_the_walk_as_it_is(mill):
    mill.walk()
    mill.sent.clear()
    with pytest.raises(SetpointRejectedError):
        mill.controller.command("belts", {**WALK, "left_mps": 9.0, "right_mps": 9.0})
    mill.run(1.0)
    assert mill.sent == []
    assert mill.left == 1.0


def test_ordinary_packets_keep_their_distance_and_the_last_wins(mill):
    for speed in (0.2, 0.3, 0.4, 0.5, 0.6):
        mill.controller.command(
            "belts", {**WALK, "left_mps": speed, "right_mps": speed}
        )
        mill.run(0.04)
    mill.run(0.5)
    times = [t for t, _ in mill.sent]
    assert all(later - t >= 0.14 - 1e-9 for t, later in pairwise(times))
    assert mill.sent[-1][1].left_mmps == 600


def test_an_unknown_verb_lists_the_known(mill):
    with pytest.raises(SetpointRejectedError, match="take_over"):
        mill.controller.command("run", {})
