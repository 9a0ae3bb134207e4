"""The adapter against the simulated panel, over a socket."""

import socket
from time import perf_counter

import numpy as np
import pytest

from devices.adapter import Commandable, DeviceAdapter, Reporting
from devices.bertec.kind import KIND
from devices.bertec.wire import Command, pack_command
from devices.errors import DeviceConnectionError, DeviceError, SetpointRejectedError

FAST = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 2.0}


def test_the_kind_makes_an_adapter_that_can_be_driven():
    adapter = KIND.make("mill", KIND.config(), perf_counter)
    for seam in (DeviceAdapter, Commandable, Reporting):
        assert isinstance(adapter, seam)


def test_belts_follow_and_the_stream_shows_both_sides(either):
    mill = either().connect()
    mill.walk()
    assert mill.column("left_mps")[-1] == pytest.approx(1.0, abs=0.03)
    assert mill.column("left_set_mps")[-1] == 1.0
    assert np.isnan(mill.column("left_set_mps")[0])
    assert set(mill.column("facing")) == {1.0}
    assert set(mill.column("state")) == {1.0, 2.0}
    np.testing.assert_array_equal(np.diff(mill.column("index")), 1)
    assert float(mill.lab.history.belt_mps(np.array([mill.lab.world_now()]))[0, 0]) == 1


def test_closing_in_mid_walk_sends_a_stop(either):
    mill = either().connect()
    mill.walk()
    mill.adapter.close()
    stopped = [item for item in mill.lab.history.inputs if item.kind == "belts"]
    end_s = perf_counter() + 1.0
    while stopped[-1].value["left_mps"] and perf_counter() < end_s:
        stopped = [item for item in mill.lab.history.inputs if item.kind == "belts"]
    assert stopped[-1].value["left_mps"] == 0.0


def test_a_disconnect_raises_and_the_state_is_unknown(either):
    mill = either(status_timeout_s=0.8).connect()
    mill.pump(0.3)
    mill.inject("disconnect:for=4")
    with pytest.raises(DeviceError, match=r"closed|BELT STATE UNKNOWN"):
        mill.pump(3.0)
    assert mill.state() == "connection_lost"
    assert "BELT STATE UNKNOWN" in mill.adapter.snapshot()["message"]
    with pytest.raises(DeviceConnectionError, match="e-stop"):
        mill.adapter.command("stop", {})
    mill.adapter.close()


def test_a_stall_makes_the_state_unknown_and_refuses_commands(either):
    mill = either().connect()
    mill.pump(0.3)
    mill.inject("stall:for=1.0")
    assert mill.pump(2.0, lambda: mill.state() == "unknown")
    with pytest.raises(SetpointRejectedError, match="fresh"):
        mill.adapter.command("belts", FAST)
    assert mill.pump(2.0, lambda: mill.state() == "idle")


def test_a_silent_panel_is_given_up_within_its_time(bench):
    mill = bench(status_timeout_s=0.8).connect()
    mill.pump(0.3)
    mill.inject("stall:for=60")
    with pytest.raises(DeviceError, match="BELT STATE UNKNOWN"):
        mill.pump(5.0)


def test_a_burst_of_held_back_status_is_no_unexpected_stop(bench):
    mill = bench().connect()
    mill.walk()
    mill.inject("burst:for=0.4")
    mill.pump(1.5)
    assert mill.state() == "moving"
    np.testing.assert_array_equal(np.diff(mill.column("index")), 1)


def test_an_old_backlog_is_not_taken_for_the_present(bench):
    mill = bench({"backlog": 500, "split_bytes": 7}).connect()
    mill.walk()
    mill.adapter.command("stop", {})
    assert mill.pump(2.0, lambda: mill.state() == "idle")
    mill.adapter.close()
    mill.connect()  # the panel first sends the walk again
    assert mill.state() == "idle"


def test_a_panel_that_does_not_obey_is_reported(bench):
    mill = bench({"obeys": False}, accept_s=0.3).connect()
    mill.pump(0.3)
    mill.adapter.command("belts", {**FAST, "accel_mps2": 0.2})
    assert mill.pump(1.0, lambda: "not_accepted" in mill.codes)


def test_a_second_client_is_held_and_told_why(bench):
    mill = bench().connect()
    second = mill.new_adapter()
    with pytest.raises(DeviceError, match="another client"):
        second.connect(0.3)
    second.close()


def test_the_panel_drops_bad_packets_and_counts_them(bench):
    mill = bench()
    bad = bytearray(pack_command(Command(1000, 1000, 500, 500, 0)))
    bad[5] ^= 1
    with socket.create_connection(("127.0.0.1", mill.twin.port)) as client:
        client.sendall(bytes(bad) + pack_command(Command(0, 0, 500, 500, 200)))
        end_s = perf_counter() + 1.0
        while not mill.lab.history.inputs[1:] and perf_counter() < end_s:
            client.recv(4096)
    assert mill.twin.n_bad_packets == 1
    assert [item.kind for item in mill.lab.history.inputs] == ["belts", "deck"]
