"""A treadmill in memory, with an injected clock, for the controller's tests."""

import pytest

from devices.bertec.config import BertecConfig
from devices.bertec.controller import Controller
from devices.bertec.state import BeltState
from devices.bertec.wire import Status

STEP_S = 0.02
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
