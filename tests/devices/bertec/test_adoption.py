"""Belts that somebody else moves are adopted, never assumed."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def start_moving(make_mill, speed=1.0, **options):
    mill = make_mill(**options)
    mill.left = mill.right = speed
    mill.target = (speed, speed)
    return mill


def test_belts_found_moving_are_adopted_only_stop_or_take_over(make_mill):
    mill = start_moving(make_mill)
    mill.heart = True
    mill.connect()
    assert mill.controller.state is BeltState.ADOPTED
    for verb, arguments in (
        ("belts", WALK),
        ("deck", {"incline_deg": 1.0, "confirm": True}),
        ("facing", {"reversed": True, "confirm": True}),
        ("disarm", {}),
    ):
        with pytest.raises(SetpointRejectedError):
            mill.controller.command(verb, arguments)
    mill.run(2.0)
    assert mill.sent == []
    mill.controller.command("take_over", {})
    mill.run(0.5)
    assert mill.controller.state is BeltState.MOVING
    mill.controller.command("belts", {**WALK, "left_mps": 1.2, "right_mps": 1.2})
    mill.run(3.0)
    assert mill.left == 1.2


def test_adopted_belts_can_be_stopped(make_mill):
    mill = start_moving(make_mill)
    mill.heart = True
    mill.connect()
    mill.controller.command("stop", {})
    mill.run(4.0)
    assert mill.left == 0.0
    assert mill.controller.state is BeltState.IDLE


def test_adopted_belts_without_heartbeat_ramp_down(make_mill):
    mill = start_moving(make_mill)
    mill.connect()
    assert mill.controller.state is BeltState.ADOPTED
    mill.run(0.1)
    assert mill.controller.state is BeltState.STOPPING
    mill.run(4.0)
    assert mill.left == 0.0


def test_an_unarmed_adapter_only_watches_belts_that_others_drive(make_mill):
    mill = start_moving(make_mill, armed=False)
    mill.connect()
    mill.run(5.0)
    assert mill.sent == []
    assert mill.controller.state is BeltState.ADOPTED


def test_take_over_backward_belts_means_a_reversed_participant(make_mill):
    mill = start_moving(make_mill, speed=-1.0)
    mill.heart = True
    mill.connect()
    mill.controller.command("take_over", {})
    assert mill.controller.is_reversed
    mill.run(1.0)
    assert mill.controller.state is BeltState.MOVING
    assert mill.left == -1.0


def test_take_over_of_belts_beyond_the_limits_is_rejected(make_mill):
    mill = start_moving(make_mill, speed=2.5)
    mill.heart = True
    mill.connect()
    with pytest.raises(SetpointRejectedError, match="left_mps"):
        mill.controller.command("take_over", {})
    assert mill.sent == []


def test_belts_that_start_by_themselves_are_adopted(mill):
    mill.target = (0.8, 0.8)
    mill.run(1.0)
    assert mill.controller.state is BeltState.ADOPTED


def test_belts_made_faster_at_the_panel_are_adopted(mill):
    mill.walk()
    mill.sent.clear()
    mill.target = (1.5, 1.5)
    mill.run(2.0)
    assert mill.controller.state is BeltState.ADOPTED
    assert mill.sent == []


def test_after_a_lost_link_the_belts_are_adopted_not_assumed(mill):
    mill.walk()
    mill.controller.lost()
    mill.connect()
    assert mill.controller.state is BeltState.ADOPTED
    assert mill.controller.snapshot()["left_set_mps"] is None
