"""The rules of safety, each over the wire against the simulated panel."""

import numpy as np
import pytest

from devices.bertec.state import BeltState
from devices.errors import SetpointRejectedError

FAST = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 2.0}
LIMITS = {"max_accel_mps2": 4.0, "max_decel_mps2": 5.0}


def test_lost_heartbeat_stops_the_real_belts(either):
    mill = either().connect()
    mill.walk()
    mill.heart = False
    assert mill.pump(2.5, lambda: mill.state() == "idle")
    assert "dead_man" in mill.codes
    assert mill.column("left_mps")[-1] == 0.0
    assert mill.adapter.snapshot()["cause"] == "dead man: no heartbeat for 0.5 s"


@pytest.mark.parametrize("verb", ["stop", "abort"])
def test_a_stop_that_was_asked_for_is_named(bench, verb):
    mill = bench().connect()
    mill.walk()
    mill.adapter.command(verb, {})
    assert mill.pump(2.5, lambda: mill.state() == "idle")
    assert f"a{'n' if verb == 'abort' else ''} {verb} was asked" in mill.cause()
    mill.adapter.command("belts", FAST)
    assert mill.cause() == ""


@pytest.mark.parametrize(
    ("panel_mps", "state", "cause"),
    [
        (1.5, "adopted", "hand at the panel"),
        (0.0, "unexpected_stop", "emergency stop, or a hand at the panel"),
    ],
)
def test_belts_set_at_the_panel_are_seen_and_named(either, panel_mps, state, cause):
    mill = either().connect()
    mill.walk()
    mill.at_the_panel(panel_mps)
    assert mill.pump(2.5, lambda: mill.state() == state)
    assert cause in mill.cause()
    mill.adapter.command("stop", {})  # whoever asks last is obeyed
    assert mill.pump(4.0, lambda: mill.column("left_mps")[-1] == 0.0)


def test_an_estop_is_an_unexpected_stop_and_its_release_moves_nothing(either):
    mill = either().connect()
    mill.walk()
    mill.inject("estop:for=0.8")
    assert mill.pump(2.5, lambda: mill.state() == "unexpected_stop")
    assert "emergency stop" in mill.cause()
    left, state = mill.column("left_mps"), mill.column("state")
    seen = np.flatnonzero(state == BeltState.UNEXPECTED_STOP.value)
    slower = np.flatnonzero(left < 0.95)  # after the walk began
    n_late = (seen[0] if seen.size else left.size) - slower[slower > left.argmax()][0]
    assert n_late <= 25  # status packets at 50 Hz: half a second
    with pytest.raises(SetpointRejectedError, match="unexpected_stop"):
        mill.adapter.command("belts", FAST)
    mill.pump(1.5)
    assert mill.column("left_mps")[-1] == 0.0
    mill.adapter.command("take_over", {})
    assert mill.state() == "idle"


def test_the_deck_moves_only_at_standstill_and_abort_freezes_it(either):
    mill = either({"deck_rate_dps": 4.0}, limits={**LIMITS, "max_slope_rate_dps": 6.0})
    mill.connect()
    mill.walk()
    with pytest.raises(SetpointRejectedError):
        mill.adapter.command("deck", {"incline_deg": 5.0, "confirm": True})
    mill.adapter.command("stop", {})
    assert mill.pump(3.0, lambda: mill.state() == "idle")
    mill.adapter.command("deck", {"incline_deg": 5.0, "confirm": True})
    assert mill.pump(3.0, lambda: mill.column("incline_deg")[-1] > 1.0)
    mill.adapter.command("abort", {})
    mill.pump(1.0)
    frozen = mill.column("incline_set_deg")[-1]
    assert 1.0 < frozen < 4.9
    assert np.abs(mill.column("incline_deg") - frozen).min() < 1e-3  # was reported
    assert mill.pump(2.0, lambda: abs(mill.column("incline_deg")[-1] - frozen) <= 0.1)


def test_a_killed_adapter_adopts_and_without_heartbeat_ramps_down(either, tmp_path):
    kept = tmp_path / "mill.json"
    mill = either(requires_arm=True, state_file=kept).connect()
    mill.adapter.command("arm", {})
    mill.walk()
    mill.adapter._driver.close()  # as kill -9 leaves it: nothing sent, file still there
    mill.adapter = mill.new_adapter()
    mill.connect()
    assert mill.state() == "adopted"
    assert mill.cause() == "belts found moving on connecting"
    assert mill.adapter.snapshot()["armed"]
    mill.heart = False
    assert mill.pump(2.5, lambda: mill.state() == "idle")
    assert "dead_man" in mill.codes
    mill.adapter.close()
    assert not kept.exists()


def test_a_restarted_adapter_can_be_taken_over_by_a_living_runner(either):
    mill = either().connect()
    mill.walk()
    mill.adapter._driver.close()
    mill.adapter = mill.new_adapter()
    mill.connect()
    mill.pump(0.8)
    assert mill.state() == "adopted"
    with pytest.raises(SetpointRejectedError, match="adopted"):
        mill.adapter.command("belts", FAST)
    mill.adapter.command("take_over", {})
    mill.pump(0.5)
    assert mill.state() == "moving"
    assert mill.column("left_mps")[-1] == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("verb", "change", "told"),
    [
        ("belts", {"left_mps": 2.5, "right_mps": 2.5}, "outside its limits"),
        ("belts", {"left_mps": -2.5, "right_mps": -2.5}, "outside its limits"),
        ("belts", {"accel_mps2": 4.5}, "accel"),
        ("belts", {"left_mps": 1.4}, "differ"),
        ("deck", {"incline_deg": 12.0}, "incline"),
        ("deck", {"incline_deg": 5.0, "rate_dps": 3.0}, "rate"),
    ],
)
def test_what_is_out_of_limits_never_reaches_the_mill(bench, verb, change, told):
    mill = bench().connect()
    mill.pump(0.3)
    wanted = {"belts": FAST, "deck": {"confirm": True}}[verb]
    with pytest.raises(SetpointRejectedError, match=told):
        mill.adapter.command(verb, {**wanted, **change})
    mill.pump(0.3)
    assert mill.lab.history.inputs == ()
    assert mill.state() == "idle"


def test_facing_changes_at_standstill_and_turns_the_belts_round(either):
    mill = either().connect()
    mill.walk()
    turn = {"reversed": True, "confirm": True}
    with pytest.raises(SetpointRejectedError, match="read as zero"):
        mill.adapter.command("facing", turn)
    mill.adapter.command("stop", {})
    assert mill.pump(3.0, lambda: mill.state() == "idle")
    mill.adapter.command("facing", turn)
    with pytest.raises(SetpointRejectedError, match="backward"):
        mill.adapter.command("belts", FAST)
    mill.adapter.command("belts", {**FAST, "left_mps": -1.0, "right_mps": -1.0})
    assert mill.pump(3.0, lambda: mill.column("left_mps")[-1] < -0.97)
    assert mill.column("facing")[-1] == -1.0


def test_every_packet_of_a_walk_carries_the_angle_that_is_held(bench):
    mill = bench({"deck_rate_dps": 4.0}, limits={**LIMITS, "max_slope_rate_dps": 6.0})
    mill.connect().pump(0.3)
    mill.adapter.command("deck", {"incline_deg": 3.0, "confirm": True})
    arrived = lambda: abs(mill.column("incline_deg")[-1] - 3.0) < 0.05  # noqa: E731
    assert mill.pump(3.0, arrived)
    mill.pump(0.4)
    mill.walk()
    mill.adapter.command("stop", {})
    assert mill.pump(3.0, lambda: mill.state() == "idle")
    decks = [i.value["target_deg"] for i in mill.lab.history.inputs if i.kind == "deck"]
    assert decks[-1] == 3.0
    assert set(decks) <= {0.0, 3.0}
