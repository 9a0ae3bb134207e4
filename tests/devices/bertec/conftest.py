"""Two treadmills: one in memory with an injected clock, one behind a socket."""

import contextlib
from time import perf_counter

import numpy as np
import pytest

from devices.bertec.adapter import BertecAdapter
from devices.bertec.config import BertecConfig
from devices.bertec.controller import Controller
from devices.bertec.state import BeltState
from devices.bertec.stream import CHANNELS
from devices.bertec.twin import BertecTwin
from devices.bertec.wire import Status
from devices.sim.config import LabConfig, TwinConfig
from devices.sim.faults import FaultSpec
from devices.sim.lab import LocalLab
from devices.testing_peers import serving

STEP_S = 0.02
FAST = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 2.0}
LIMITS = {"max_accel_mps2": 4.0, "max_decel_mps2": 5.0}
LABELS = [channel.label for channel in CHANNELS]
WALK = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.25}


class Mill:
    """Obeys packets after `delay_s`; ramps belts and tilts the deck linearly."""

    def __init__(self, config, **options):
        self.t = 100.0
        self.left = self.right = self.incline = 0.0
        self.target = (0.0, 0.0)
        self.accel, self.deck_target, self.deck_rate = 0.5, 0.0, 1.0
        self.noise_deg, self.delay_s, self.deck_stuck = 0.0, 0.1, False
        self.estop_mps2: float | None = None  # None: by a fifth in each step
        self.estop = self.silent = self.deaf = self.heart = False
        self.sent: list[tuple[float, object]] = []
        self._coming: list[tuple[float, object]] = []
        self.controller = Controller(config, lambda: self.t, **options)
        self.notices: list = []

    def connect(self):
        self.controller.connected()
        self.run(0.5)
        return self.controller

    def walk(self):
        """Have both belts run at 1 m/s."""
        self.controller.command("belts", WALK)
        self.run(5.0)
        assert self.left == 1.0
        assert self.controller.state is BeltState.MOVING

    def run(self, seconds):
        """Advance the mill and the controller together."""
        for _ in range(round(seconds / STEP_S)):
            self.t += STEP_S
            self._move()
            if self.heart:
                self.controller.command("heartbeat", {})
            if not self.silent:
                self.controller.observe(self.status())
            self.pump()

    def pump(self):
        command = self.controller.due()
        if command is not None:
            self.sent.append((self.t, command))
            self._coming.append((self.t + self.delay_s, command))
        self.notices += self.controller.notices()

    def status(self):
        sign = 1 if round(self.t / STEP_S) % 2 else -1
        return Status(
            round(self.left * 1000),
            round(self.right * 1000),
            round((self.incline + sign * self.noise_deg) * 100),
        )

    def codes(self):
        return [notice.code for notice in self.notices]

    def _move(self):
        while self._coming and self._coming[0][0] <= self.t and not self.deaf:
            _, command = self._coming.pop(0)
            self.target = command.left_mmps / 1000, command.right_mmps / 1000
            self.accel = command.accel_left_mmps2 / 1000
            self.deck_target = command.incline_cdeg / 100
        if self.estop and self.estop_mps2:
            step = self.estop_mps2 * STEP_S
            self.left, self.right = (
                _toward(self.left, 0, step),
                _toward(self.right, 0, step),
            )
        elif self.estop:
            self.left, self.right = 0.8 * self.left, 0.8 * self.right
        else:
            self.left = _toward(self.left, self.target[0], self.accel * STEP_S)
            self.right = _toward(self.right, self.target[1], self.accel * STEP_S)
        if not self.deck_stuck:
            step = self.deck_rate * STEP_S
            self.incline = _toward(self.incline, self.deck_target, step)


def _toward(value, target, step):
    return min(value + step, target) if target > value else max(value - step, target)


@pytest.fixture
def make_mill():
    def make(*, armed=True, is_reversed=False, **settings):
        return Mill(BertecConfig(**settings), armed=armed, is_reversed=is_reversed)

    return make


@pytest.fixture
def mill(make_mill):
    """A connected, armed mill at rest, with the runner's heartbeat."""
    mill = make_mill()
    mill.heart = True
    mill.connect()
    mill.sent.clear()
    return mill


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
