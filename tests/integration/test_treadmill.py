"""The treadmill's own process: what an abort, a dead runner and its own death do."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from acquire.control import ControlClient, ControlError
from acquire.device_host import DeviceHost
from acquire.supervise import ChildSpec, Supervisor
from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.bertec.twin import BertecTwin
from devices.sim.config import LabConfig, TwinConfig
from devices.sim.lab import LocalLab
from devices.testing_peers import serving

WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 2.0}
N_ABORTS = 5

#: A runner, as the treadmill's process sees one: it arms, beats, asks for a walk.
RUNNER = """
import sys, time
from pathlib import Path
from acquire.control import ControlClient, ControlError
belts = ControlClient("bertec", Path(sys.argv[1]))
def ask(verb, **arguments):
    return belts.request("command", 2.0, verb=verb, arguments=arguments)
walks = False
while True:
    try:
        ask("heartbeat")
        if not walks:
            ask("arm")
            ask("belts", left_mps=1.0, right_mps=1.0, accel_mps2=2.0)
            walks = True
    except ControlError:
        pass
    time.sleep(0.1)
"""


class NoOutlet:
    """Stands in for an outlet; nothing is published."""

    def __init__(self, spec: object) -> None:
        self.spec, self.source_id = spec, "none"

    def push(self, chunk: object) -> None:
        del chunk

    def close(self) -> None:
        pass


def wait(until: Callable[[], bool], seconds: float, what: str) -> None:
    end_s = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end_s, what
        time.sleep(0.005)


def belts(lab: LocalLab) -> list[tuple[float, float]]:
    """Every setpoint the mill took: host time, speed of the left belt."""
    return [
        (lab.epoch_host_s + item.t_s, item.value["left_mps"])
        for item in lab.history.inputs
        if item.kind == "belts"
    ]


def asked_of(lab: LocalLab) -> float:
    """Return what the mill was asked for last, m/s."""
    return belts(lab)[-1][1] if belts(lab) else 0.0


def state_of(host: DeviceHost) -> str:
    return str((host.snapshot()["device"] or {}).get("state"))


@pytest.mark.parametrize("interface", ["tcp", "zeromq"])
def test_an_abort_reaches_the_mill_within_100_ms(interface: str) -> None:
    twin = TwinConfig(options={"interface": interface})
    lab = LocalLab(LabConfig(twins={"bertec": twin}))
    served = BertecTwin(lab, "bertec", 0)
    config = BertecConfig.model_validate(
        {
            "interface": interface,
            "port": served.port,
            "requires_arm": False,
            "limits": {"max_accel_mps2": 2.0},
            "zeromq": {**served.more_ports, "heartbeat_port": 0},
        }
    )
    host = DeviceHost(
        BertecAdapter("bertec", config, perf_counter),
        make_outlet=NoOutlet,  # type: ignore[arg-type]
        now=perf_counter,
    )
    thread = threading.Thread(target=host.run)
    took_s: list[float] = []
    with serving(served):
        thread.start()
        try:
            wait(lambda: host.state == "streaming", 5.0, "no connection")
            for _ in range(N_ABORTS):
                wait(lambda: state_of(host) == "idle", 5.0, "not at rest")
                host.command("heartbeat", {}, 2.0)
                host.command("belts", WALK, 2.0)
                wait(lambda: asked_of(lab) == 1.0, 2.0, "no walk")
                n_packets = len(belts(lab))
                asked_s = perf_counter()  # in the pause after the packet of the walk
                host.command("abort", {}, 2.0)
                wait(lambda: asked_of(lab) == 0.0, 2.0, "no stop")
                stop_s = next(t for t, v in belts(lab)[n_packets:] if v == 0.0)
                took_s.append(stop_s - asked_s)
        finally:
            host.stop()
            thread.join(5.0)
    assert sorted(took_s)[N_ABORTS // 2] <= 0.1, took_s
    assert max(took_s) < config.pacing_s + 0.3, took_s


@pytest.fixture
def mill(tmp_path: Path) -> Iterator["Mill"]:
    with contextlib.ExitStack() as stack:
        yield Mill(stack, tmp_path)


class Mill:
    """A simulated mill, and the adapter's process under a supervisor."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self.lab = LocalLab(LabConfig())
        twin = BertecTwin(self.lab, "bertec", 0)
        stack.enter_context(serving(twin))
        self.runtime = folder / "runtime"
        self.runtime.mkdir()
        rig = folder / "rig.yaml"
        rig.write_text(
            "{rig: 1, name: mill, capture: null, devices: {bertec: {kind: bertec, "
            f"port: {twin.port}, stop_decel_mps2: 2.0, limits: {{max_accel_mps2: 2.0"
            "}}}}",
            encoding="utf-8",
        )
        arguments = ("--rig", str(rig), "--device", "bertec")
        common = ("--runtime", str(self.runtime), "--session-id", f"mill{os.getpid()}")
        spec = ChildSpec("bertec", "acquire.device_host", (*arguments, *common))
        self.supervisor = Supervisor([spec], folder / "log")
        stack.enter_context(self.supervisor)
        self._client = ControlClient("bertec", self.runtime)
        stack.callback(self._client.close)
        self._stack = stack

    @property
    def pid(self) -> int | None:
        return self.supervisor.status()["bertec"].pid

    def state(self) -> str:
        try:
            said = self._client.request("snapshot", 1.0)
        except ControlError:
            return "gone"
        return str((said["device"] or {}).get("state", said["state"]))

    def cause(self) -> str:
        """Why belts are not as asked, in the adapter's own words."""
        return str(self._client.request("snapshot", 1.0)["device"]["cause"])

    def runner(self) -> "subprocess.Popen[bytes]":
        """Start a runner and wait until it walks."""
        process = subprocess.Popen([sys.executable, "-c", RUNNER, str(self.runtime)])
        self._stack.callback(_kill, process)
        wait(lambda: asked_of(self.lab) == 1.0, 30.0, f"nobody walks: {self.state()}")
        return process


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def test_a_killed_runner_leaves_belts_that_stop_by_themselves(mill: Mill) -> None:
    runner = mill.runner()
    runner.kill()
    killed_s = perf_counter()
    wait(lambda: asked_of(mill.lab) == 0.0, 5.0, "the belts run on")
    assert (
        belts(mill.lab)[-1][0] - killed_s <= 0.5 + 0.5
    )  # dead man, and a busy machine
    wait(lambda: mill.state() == "idle", 5.0, "the belts do not come to rest")
    assert mill.cause().startswith("dead man")


def test_a_killed_adapter_is_back_adopts_and_ramps_down_alone(mill: Mill) -> None:
    runner = mill.runner()
    wait(lambda: mill.state() == "moving", 5.0, "no readback")
    first = mill.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait(lambda: mill.pid not in (None, first), 1.0, "not started again within 1 s")
    wait(lambda: mill.state() == "adopted", 30.0, "belts not adopted")
    assert mill.cause() == "belts found moving on connecting"
    time.sleep(0.7)  # the runner lives: nothing is stopped, nothing is assumed
    assert mill.state() == "adopted"
    assert asked_of(mill.lab) == 1.0
    runner.kill()
    wait(lambda: asked_of(mill.lab) == 0.0, 5.0, "the belts run on")
    wait(lambda: mill.state() == "idle", 5.0, "the belts do not come to rest")
