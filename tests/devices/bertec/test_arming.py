"""Arm and dead man: who may move the belts, and that somebody lives."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def test_live_hardware_obeys_only_after_arm(make_mill):
    mill = make_mill(armed=False)
    mill.heart = True
    mill.connect()
    with pytest.raises(SetpointRejectedError, match="not armed"):
        mill.controller.command("belts", WALK)
    with pytest.raises(SetpointRejectedError, match="not armed"):
        mill.controller.command("deck", {"incline_deg": 5.0, "confirm": True})
    assert mill.sent == []
    mill.controller.command("arm", {})
    mill.walk()


def test_stop_needs_no_arm(make_mill):
    mill = make_mill(armed=False)
    mill.left = mill.right = 1.0
    mill.target = (1.0, 1.0)
    mill.connect()
    mill.controller.command("stop", {})
    mill.run(4.0)
    assert mill.left == 0.0


def test_a_virtual_mill_is_armed_by_its_rig_file(make_mill):
    assert make_mill(armed=False, requires_arm=False).controller.armed


def test_a_mill_left_at_rest_disarms_itself(make_mill):
    mill = make_mill(armed=False, disarm_after_s=5.0)
    mill.heart = True
    mill.connect()
    mill.controller.command("arm", {})
    mill.run(6.0)
    assert mill.controller.armed  # somebody is there
    mill.heart = False
    mill.run(4.8)
    assert mill.controller.armed
    mill.run(0.4)
    assert not mill.controller.armed
    mill.heart = True
    mill.run(0.2)
    with pytest.raises(SetpointRejectedError, match="not armed"):
        mill.controller.command("belts", WALK)


def test_a_mill_that_somebody_walks_on_never_disarms_itself(make_mill):
    mill = make_mill(armed=False, disarm_after_s=1.0, dead_man_s=2.0)
    mill.heart = True
    mill.connect()
    mill.controller.command("arm", {})
    mill.walk()
    mill.heart = False
    mill.run(1.5)
    assert mill.controller.state is BeltState.MOVING
    assert mill.controller.armed  # else the dead man would not act
    mill.run(6.0)
    assert mill.left == 0.0
    assert not mill.controller.armed


def test_lost_heartbeat_ramps_the_belts_down(mill):
    mill.walk()
    mill.heart = False
    mill.run(0.46)
    assert mill.controller.state is BeltState.MOVING
    mill.run(0.06)
    assert mill.controller.state is BeltState.STOPPING
    assert mill.sent[-1][1].accel_left_mmps2 == 500
    assert mill.left > 0.9  # a ramp, not a drop
    mill.run(3.0)
    assert mill.left == 0.0
    assert "dead_man" in mill.codes()


def test_belts_do_not_start_without_a_heartbeat(mill):
    mill.heart = False
    mill.run(0.6)
    with pytest.raises(SetpointRejectedError, match="heartbeat"):
        mill.controller.command("belts", WALK)


def test_the_grace_after_connecting_is_no_heartbeat(make_mill):
    mill = make_mill()
    mill.controller.connected()
    mill.run(0.1)
    with pytest.raises(SetpointRejectedError, match="heartbeat"):
        mill.controller.command("belts", WALK)


def test_the_dead_man_also_acts_without_fresh_status(mill):
    mill.walk()
    mill.silent, mill.heart = True, False
    mill.run(0.8)
    assert mill.controller.state is BeltState.UNKNOWN
    assert mill.sent[-1][1].left_mmps == 0
