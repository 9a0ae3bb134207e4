"""The deck: a held value, moved at standstill, on confirmation, and frozen by abort."""

import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.5}
UP = {"incline_deg": 5.0, "confirm": True}


def inclines(mill):
    return [command.incline_cdeg for _, command in mill.sent]


def test_every_packet_carries_the_angle_of_the_take_over(make_mill):
    mill = make_mill()
    mill.incline = mill.deck_target = 3.17
    mill.heart = True
    mill.connect()
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.controller.command("stop", {})
    mill.run(3.0)
    assert set(inclines(mill)) == {317}
    assert mill.incline == pytest.approx(3.17)


def test_readback_noise_is_never_echoed(mill):
    mill.noise_deg = 0.04
    for k in range(20):
        speed = 0.5 + 0.01 * k
        mill.controller.command(
            "belts", {"left_mps": speed, "right_mps": speed, "accel_mps2": 0.25}
        )
        mill.run(0.2)
    assert len(mill.sent) == 20
    assert len(set(inclines(mill))) == 1


def test_a_move_holds_its_target_until_and_after_readback_reaches_it(mill):
    mill.controller.command("deck", UP)
    mill.run(6.0)
    assert mill.incline == 5.0
    assert inclines(mill) == [500]
    assert not mill.controller.snapshot()["deck_moving"]
    assert mill.controller.snapshot()["requests"]["deck"]["reached_s"]
    mill.noise_deg = 0.03
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    assert set(inclines(mill)) == {500}


@pytest.mark.parametrize("confirm", [False, None, 1, "yes"])
def test_the_deck_needs_the_operator(mill, confirm):
    with pytest.raises(SetpointRejectedError, match="confirm=True"):
        mill.controller.command("deck", {"incline_deg": 5.0, "confirm": confirm})
    assert mill.sent == []


def test_the_deck_does_not_move_under_running_belts(mill):
    mill.controller.command("belts", WALK)
    with pytest.raises(SetpointRejectedError, match="idle"):
        mill.controller.command("deck", UP)  # asked for, though not moving yet
    mill.run(3.0)
    with pytest.raises(SetpointRejectedError, match="idle"):
        mill.controller.command("deck", UP)
    mill.controller.command("stop", {})
    mill.run(1.0)
    with pytest.raises(SetpointRejectedError):
        mill.controller.command("deck", UP)
    mill.run(3.0)
    mill.controller.command("deck", UP)


def test_a_rig_may_allow_the_deck_under_load(make_mill):
    mill = make_mill(allow_moving_deck_under_load=True)
    mill.heart = True
    mill.connect()
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.controller.command("deck", UP)
    mill.run(6.0)
    assert mill.incline == 5.0
    assert mill.left == 1.0


def test_belts_wait_for_the_deck(mill):
    mill.controller.command("deck", UP)
    mill.run(2.0)
    with pytest.raises(SetpointRejectedError, match="deck moves"):
        mill.controller.command("belts", WALK)
    mill.run(4.0)
    mill.controller.command("belts", WALK)


def test_belts_wait_for_a_deck_that_another_moves(mill):
    mill.deck_target = 4.0
    mill.run(1.0)
    with pytest.raises(SetpointRejectedError, match="deck"):
        mill.controller.command("belts", WALK)


def test_out_of_range_inclines_send_nothing(mill):
    for incline in (-1.0, 10.5, float("nan"), "5"):
        with pytest.raises(SetpointRejectedError, match="incline_deg"):
            mill.controller.command("deck", {"incline_deg": incline, "confirm": True})
    with pytest.raises(SetpointRejectedError, match="rate_dps"):
        mill.controller.command("deck", {**UP, "rate_dps": 5.0})
    mill.run(0.5)
    assert mill.sent == []


@pytest.mark.parametrize("verb", ["stop", "abort"])
def test_a_stop_freezes_the_deck_at_the_angle_then_reported(mill, verb):
    mill.controller.command("deck", UP)
    mill.run(2.0)
    reported = mill.status().incline_cdeg
    assert 100 < reported < 400
    mill.controller.command(verb, {})
    mill.run(5.0)
    assert set(inclines(mill)) == {500, reported}
    assert inclines(mill)[-1] == reported
    assert mill.incline == pytest.approx(reported / 100, abs=0.2)


def test_abort_with_a_standing_deck_does_not_tilt_it(mill):
    mill.controller.command("deck", UP)
    mill.run(6.0)
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.noise_deg = 0.05
    mill.sent.clear()
    mill.controller.command("abort", {})
    mill.run(3.0)
    assert set(inclines(mill)) == {500}
    assert mill.left == 0.0


def test_stop_does_not_tilt_a_deck_that_another_has_moved(mill):
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.deck_target = mill.incline = 4.0
    mill.run(0.2)
    mill.sent.clear()
    mill.controller.command("stop", {})
    mill.run(3.0)
    assert set(inclines(mill)) == {400}


def test_a_deck_moved_by_another_must_be_accepted_before_belts_run(mill):
    mill.controller.command("belts", WALK)
    mill.run(2.5)
    mill.controller.command("stop", {})
    mill.run(4.0)
    mill.deck_target = mill.incline = 4.0
    mill.run(1.0)
    assert "deck_diverged" in mill.codes()
    with pytest.raises(SetpointRejectedError, match="take_over"):
        mill.controller.command("belts", WALK)
    mill.controller.command("take_over", {})
    mill.controller.command("belts", WALK)
    mill.run(2.0)
    assert mill.incline == 4.0


def test_a_lost_heartbeat_freezes_a_moving_deck(mill):
    mill.controller.command("deck", UP)
    mill.run(1.5)
    mill.heart = False
    mill.run(4.0)
    assert 1.0 < mill.incline < 3.0
    assert "dead_man" in mill.codes()


def test_a_deck_faster_than_the_limit_is_frozen(mill):
    mill.deck_rate = 4.0
    mill.controller.command("deck", {"incline_deg": 10.0, "confirm": True})
    mill.run(6.0)
    assert "deck_frozen" in mill.codes()
    assert mill.incline < 6.0


def test_an_estop_during_a_move_under_load_freezes_the_deck(make_mill):
    mill = make_mill(allow_moving_deck_under_load=True)
    mill.heart = True
    mill.connect()
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.controller.command("deck", UP)
    mill.run(1.5)
    mill.estop = True
    mill.run(4.0)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    assert mill.incline < 3.0


def test_a_deck_that_is_stopped_from_outside_does_not_go_on_by_itself(mill):
    mill.controller.command("deck", UP)
    mill.run(1.5)
    mill.deck_stuck = True  # as an e-stop that cuts the deck's drive
    mill.run(3.5)
    assert "deck_stopped" in mill.codes()
    assert mill.controller.snapshot()["requests"]["deck"]["ended"]
    mill.deck_stuck = False
    mill.run(5.0)
    assert mill.incline < 2.0


def test_a_slow_deck_is_left_to_arrive(mill):
    mill.deck_rate, mill.noise_deg = 0.1, 0.03
    mill.controller.command("deck", {**UP, "incline_deg": 2.0})
    mill.run(22.0)
    assert mill.incline == 2.0
    assert "deck_stopped" not in mill.codes()


def test_a_repeated_stop_does_not_tilt_back_a_deck_that_sinks(mill):
    mill.controller.command("deck", UP)
    mill.run(6.0)
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    mill.estop = True
    mill.run(0.4)
    assert mill.controller.state is BeltState.UNEXPECTED_STOP
    mill.deck_target = mill.incline = 3.0  # somebody lowers it while packets repeat
    mill.left = mill.right = 0.2
    mill.run(0.3)
    assert inclines(mill)[-1] == 300
    mill.run(2.0)
    assert mill.incline == 3.0


def test_a_stop_before_anything_was_held_says_that_its_angle_is_old(mill):
    mill.incline = mill.deck_target = 4.0
    mill.run(0.1)
    mill.silent = True
    mill.run(0.6)
    mill.controller.command("stop", {})
    mill.pump()
    assert inclines(mill) == [400]  # some angle has to go: the newest there is
    assert "deck_unknown" in mill.codes()


def test_belts_that_start_while_the_deck_moves_are_stopped(mill):
    mill.controller.command("deck", UP)
    mill.run(1.5)
    mill.target = (0.8, 0.8)
    mill.run(4.0)
    assert mill.left == 0.0
    assert mill.incline < 4.0


def test_noise_of_a_level_deck_never_becomes_a_negative_angle(make_mill):
    mill = make_mill()
    mill.heart, mill.incline, mill.deck_target = True, -0.04, -0.04
    mill.connect()
    mill.controller.command("belts", WALK)
    mill.run(1.0)
    mill.controller.command("abort", {})
    mill.run(3.0)
    assert set(inclines(mill)) == {0}  # a panel with an unsigned field reads 655 deg


def test_belts_do_not_run_on_a_deck_beyond_its_limits(make_mill):
    mill = make_mill()
    mill.heart, mill.incline, mill.deck_target = True, 12.0, 12.0
    mill.connect()
    with pytest.raises(SetpointRejectedError, match="deg, outside"):
        mill.controller.command("belts", WALK)
    mill.controller.command("stop", {})
    mill.run(1.0)
    assert mill.incline == 12.0  # a stop tilts nothing


# facing


@pytest.mark.parametrize("confirm", [False, None])
def test_facing_needs_the_operator(mill, confirm):
    with pytest.raises(SetpointRejectedError, match="confirm=True"):
        mill.controller.command("facing", {"reversed": True, "confirm": confirm})


def test_facing_changes_only_at_standstill(mill):
    mill.controller.command("belts", WALK)
    mill.run(3.0)
    with pytest.raises(SetpointRejectedError, match="read as zero"):
        mill.controller.command("facing", {"reversed": True, "confirm": True})
    mill.controller.command("stop", {})
    mill.run(4.0)
    mill.controller.command("facing", {"reversed": True, "confirm": True})
    assert mill.controller.is_reversed


def test_belts_run_the_way_the_participant_faces(mill):
    back = {"left_mps": -1.0, "right_mps": -1.0, "accel_mps2": 0.5}
    with pytest.raises(SetpointRejectedError, match="backward"):
        mill.controller.command("belts", back)
    mill.controller.command("facing", {"reversed": True, "confirm": True})
    with pytest.raises(SetpointRejectedError, match="backward"):
        mill.controller.command("belts", WALK)
    mill.controller.command("belts", back)
    mill.run(3.0)
    assert mill.left == -1.0
