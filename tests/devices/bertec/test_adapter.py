"""The adapter against the simulated panel, over a socket."""

import contextlib
import socket
from time import perf_counter

import numpy as np
import pytest

from devices.adapter import Commandable, DeviceAdapter, Reporting
from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.bertec.kind import KIND
from devices.bertec.stream import CHANNELS
from devices.bertec.twin import BertecTwin
from devices.bertec.wire import Command, pack_command
from devices.errors import DeviceConnectionError, DeviceError, SetpointRejectedError
from devices.sim.config import LabConfig, TwinConfig
from devices.sim.faults import FaultSpec
from devices.sim.lab import LocalLab
from devices.testing_peers import serving

FAST = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 2.0}
LIMITS = {"max_accel_mps2": 4.0, "max_decel_mps2": 5.0}
LABELS = [channel.label for channel in CHANNELS]


class Bench:
    """A lab, a panel and an adapter; `pump` is the device host's loop."""

    def __init__(self, stack, options=None, *, interface="tcp", **settings):
        twin = TwinConfig(options={"interface": interface, **(options or {})})
        self.lab = LocalLab(LabConfig(twins={"mill": twin}))
        self.twin = BertecTwin(self.lab, "mill", 0)
        stack.enter_context(serving(self.twin))
        settings = {
            "requires_arm": False,
            "limits": LIMITS,
            "stop_decel_mps2": 4.0,
            "abort_decel_mps2": 5.0,
            **settings,
        }
        if interface == "zeromq":
            ports = {"heartbeat_port": 0, **self.twin.more_ports}
            settings["zeromq"] = {**ports, **settings.get("zeromq", {})}
        self.config = BertecConfig(interface=interface, port=self.twin.port, **settings)
        self.adapter = self.new_adapter()
        stack.callback(lambda: self.adapter.close())
        self.heart = True
        self.rows: list = []
        self.codes: list[str] = []

    def new_adapter(self):
        return BertecAdapter("mill", self.config, perf_counter)

    def connect(self):
        self.adapter.connect(2.0)
        self.adapter.start()
        return self

    def inject(self, text):
        """Make a fault happen, as of now."""
        fault = FaultSpec.parse(f"mill:{text}").to_mapping()
        del fault["at"]
        self.lab.append("fault", fault)

    def pump(self, seconds, until=lambda: False):
        end_s = perf_counter() + seconds
        while perf_counter() < end_s and not until():
            if self.heart:
                self.adapter.command("heartbeat", {})
            self.rows += [chunk.samples[0] for chunk in self.adapter.read(0.05)]
            self.codes += [notice.code for notice in self.adapter.notices()]
        return until()

    def state(self):
        return self.adapter.snapshot()["state"]

    def cause(self):
        return self.adapter.snapshot()["cause"]

    def at_the_panel(self, speed_mps):
        """Set both belts by hand, as of now."""
        speeds = {"left_mps": speed_mps, "right_mps": speed_mps}
        accels = {"accel_left_mps2": 2.0, "accel_right_mps2": 2.0}
        self.lab.append("belts", speeds | accels)

    def column(self, label):
        return np.array(self.rows)[:, LABELS.index(label)]

    def walk(self):
        self.pump(0.3)
        self.adapter.command("belts", FAST)
        assert self.pump(5.0, lambda: "reached" in self.codes)


@pytest.fixture
def bench():
    with contextlib.ExitStack() as stack:
        yield lambda *args, **settings: Bench(stack, *args, **settings)


@pytest.fixture(params=["tcp", "zeromq"])
def either(bench, request):
    """A bench over each of the two interfaces."""
    return lambda *args, **more: bench(*args, interface=request.param, **more)


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
