"""Belts: states, acknowledgement, dead man, adoption, unexpected stop."""

from itertools import pairwise

import pytest

from devices.bertec.state import BeltState
from devices.errors import DeviceConnectionError, SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


def walk(mill):
    mill.controller.command("belts", WALK)
    mill.run(5.0)
    assert mill.left == 1.0
    assert mill.controller.state is BeltState.MOVING


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


def test_a_command_is_commanded_then_accepted_then_reached(mill):
    reply = mill.controller.command("belts", WALK)
    request = reply["requests"]["belts"]
    assert request["sent_s"] is None
    assert request["accepted_s"] is None
    walk(mill)
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
    walk(mill)
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
    walk(mill)
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
    walk(mill)
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
    walk(mill)
    mill.controller.command("stop", {})
    mill.run(0.2)
    with pytest.raises(SetpointRejectedError, match="stopping"):
        mill.controller.command("belts", WALK)


# arm


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
    walk(mill)


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
    walk(mill)
    mill.heart = False
    mill.run(1.5)
    assert mill.controller.state is BeltState.MOVING
    assert mill.controller.armed  # else the dead man would not act
    mill.run(6.0)
    assert mill.left == 0.0
    assert not mill.controller.armed


# dead man


def test_lost_heartbeat_ramps_the_belts_down(mill):
    walk(mill)
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
    walk(mill)
    mill.silent, mill.heart = True, False
    mill.run(0.8)
    assert mill.controller.state is BeltState.UNKNOWN
    assert mill.sent[-1][1].left_mmps == 0


# adopted


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
    walk(mill)
    mill.sent.clear()
    mill.target = (1.5, 1.5)
    mill.run(2.0)
    assert mill.controller.state is BeltState.ADOPTED
    assert mill.sent == []


# unexpected stop


def test_an_estop_is_an_unexpected_stop_and_nothing_restarts(mill):
    walk(mill)
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
    walk(mill)
    mill.target = (1.0, 0.0)
    mill.accel = 2.0
    mill.run(0.5)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP


def test_an_unexpected_stop_is_acknowledged_at_standstill_only(mill):
    walk(mill)
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
    walk(mill)


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


def test_a_stop_that_does_not_work_is_called_out(mill):
    walk(mill)
    mill.deaf = True
    mill.controller.command("stop", {})
    mill.run(2.0)
    assert "no_stop" in mill.codes()
    assert mill.controller.state is BeltState.STOPPING


# status and link


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
    walk(mill)
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
    walk(mill)
    mill.sent.clear()
    mill.controller.command("belts", {**WALK, "left_mps": 1.2, "right_mps": 1.2})
    mill.run(0.02)
    mill.controller.command("belts", {**WALK, "left_mps": 1.3, "right_mps": 1.3})
    mill.silent = True
    mill.run(1.2)
    assert [command.left_mmps for _, command in mill.sent] == [1200]
    assert "withdrawn" in mill.codes()


def test_stop_is_sent_even_without_fresh_status(mill):
    walk(mill)
    mill.silent = True
    mill.run(0.5)
    mill.controller.command("stop", {})
    mill.pump()
    assert mill.sent[-1][1].left_mmps == 0


def test_without_a_link_stop_points_at_the_hardware_estop(mill):
    walk(mill)
    mill.controller.lost()
    assert mill.controller.state is BeltState.CONNECTION_LOST
    for verb in ("stop", "abort"):
        with pytest.raises(DeviceConnectionError, match="hardware e-stop"):
            mill.controller.command(verb, {})
    with pytest.raises(SetpointRejectedError):
        mill.controller.command("belts", WALK)


def test_after_a_lost_link_the_belts_are_adopted_not_assumed(mill):
    walk(mill)
    mill.controller.lost()
    mill.connect()
    assert mill.controller.state is BeltState.ADOPTED
    assert mill.controller.snapshot()["left_set_mps"] is None


def test_an_unknown_verb_lists_the_known(mill):
    with pytest.raises(SetpointRejectedError, match="take_over"):
        mill.controller.command("run", {})
