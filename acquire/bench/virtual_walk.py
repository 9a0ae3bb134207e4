"""Walks of the simulated person, planned ahead: trials at given times, no clock.

The twins render the same body in real time; here whole trials are rendered as fast as
the processor allows, to fill a dataset.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from acquire.storage import labels
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import Person

ACCEL_MPS2 = 0.8
TURN_S = 5.0  #: what the simulated person takes to turn round, at least
SETTLE_S = 2.5  #: after a change of speed
QUIET_S = 1.0  #: recorded with the line low, before the rise and after the fall


@dataclass(frozen=True, slots=True)
class Span:
    """One trial: its number at this speed, and when the line is high (world s)."""

    speed: str
    trial: int
    rise_s: float
    fall_s: float


@dataclass(eq=False)
class Walk:
    """One person on one slope, all trials of the given speeds one after another."""

    config: LabConfig
    mode: str
    spans: list[Span] = field(default_factory=list)
    history: History = field(default_factory=History)
    fatigue: float = 0.0

    @property
    def reversed(self) -> bool:
        """Whether the person faces -x: a deck that only goes up is walked down."""
        return labels.slope_deg(self.mode) < 0

    def plan(self, speeds: Sequence[str], n_trials: int, trial_s: float) -> "Walk":
        """Write belts, deck, facing and capture line into the history."""
        at = 0.0
        tilt = abs(labels.slope_deg(self.mode))
        if tilt:
            self.history.append(at, "deck", {"target_deg": tilt, "rate_dps": 40.0})
        if self.reversed:
            self.history.append(0.05, "facing", {"reversed": True})
            at = TURN_S
        if self.fatigue:
            self.history.append(at, "fatigue", {"level": self.fatigue})
        at += 0.5
        for speed in speeds:
            at = self._change_speed(at, labels.speed_mps(speed))
            for trial in range(1, n_trials + 1):
                rise = at + QUIET_S
                fall = rise + trial_s
                self._capture(rise, fall)
                self.spans.append(Span(speed, trial, rise, fall))
                at = fall + QUIET_S
        return self

    def stand(self, trial_s: float) -> "Walk":
        """Plan one trial of standing still, on the level."""
        rise = 1.0 + QUIET_S
        self._capture(rise, rise + trial_s)
        self.spans.append(Span("", 1, rise, rise + trial_s))
        return self

    def person(self) -> Person:
        """Return the person who does all this."""
        return Person(self.config, self.history)

    def _change_speed(self, at: float, speed_mps: float) -> float:
        sign = -1.0 if self.reversed else 1.0
        belts = {"left_mps": sign * speed_mps, "right_mps": sign * speed_mps}
        accel = {"accel_left_mps2": ACCEL_MPS2, "accel_right_mps2": ACCEL_MPS2}
        self.history.append(at, "belts", belts | accel)
        return at + speed_mps / ACCEL_MPS2 + SETTLE_S

    def _capture(self, rise_s: float, fall_s: float) -> None:
        self.history.append(rise_s, "line", {"high": True})
        self.history.append(fall_s, "line", {"high": False})
