"""The mill behind the simulated interfaces: what commands do to belts and deck."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from devices.sim.world import LAG_S, Lab

ESTOP_DECEL_MPS2 = 3.0
DEFAULT_ACCEL_MPS2 = 1.0  #: what panels make of an acceleration of zero


class MillOptions(BaseModel, frozen=True, extra="forbid"):
    """The part of a twin's options that is about the mill."""

    deck_rate_dps: float = Field(default=1.0, gt=0)
    """How fast the deck tilts; the real rate is unknown."""

    noise_mmps: float = Field(default=1.5, ge=0)
    """Standard deviation of the speeds reported while a belt runs."""

    obeys: bool = True
    """False: remote control is not enabled, commands do nothing."""


class Belts(NamedTuple):
    """Setpoints of both belts, m/s and m/s²."""

    left_mps: float
    right_mps: float
    accel_left_mps2: float
    accel_right_mps2: float


class Mill:
    """Turns commands into inputs of the lab, as of now; what it reads back is history.

    Whoever asked last is obeyed, a client or (as an input of the lab's own) somebody
    at the panel. While the e-stop is pressed belts ignore commands; on its release the
    last setpoints of the client are resumed: the worst a panel may do.
    """

    def __init__(self, lab: Lab, name: str, options: MillOptions) -> None:
        self._lab, self._name, self.options = lab, name, options
        self._last_belts: Belts | None = None
        self._last_deg: float | None = None
        self._stopped = False

    def run(self, belts: Belts) -> None:
        """Have the belts go to their setpoints."""
        if not self.options.obeys:
            return
        self._last_belts = belts
        if not self._stopped:
            self._append_belts(belts)

    def tilt(self, incline_deg: float) -> None:
        """Have the deck go to an angle."""
        if not self.options.obeys:
            return
        self._last_deg = incline_deg
        if not self._stopped:
            self._append_deck(incline_deg)

    def advance(self) -> None:
        """Press or release the e-stop, as faults say; inputs act at host time."""
        now_s = self._lab.world_now() + LAG_S
        pressed = self._estop(now_s)
        if pressed and not self._stopped:
            self._stopped = True
            self._append_belts(Belts(0.0, 0.0, ESTOP_DECEL_MPS2, ESTOP_DECEL_MPS2))
            if self._asked("deck"):
                here = self._lab.history.incline_deg(np.array([now_s]))[0]
                self._append_deck(float(here))
        elif self._stopped and not pressed:
            self._stopped = False
            if self._last_belts is not None:
                self.run(self._last_belts)
            if self._last_deg is not None:
                self.tilt(self._last_deg)

    def _append_belts(self, belts: Belts) -> None:
        accels = {
            "accel_left_mps2": belts.accel_left_mps2 or DEFAULT_ACCEL_MPS2,
            "accel_right_mps2": belts.accel_right_mps2 or DEFAULT_ACCEL_MPS2,
        }
        self._append("belts", {**belts._asdict(), **accels})

    def _append_deck(self, target_deg: float) -> None:
        rate = self.options.deck_rate_dps
        self._append("deck", {"target_deg": target_deg, "rate_dps": rate})

    def _append(self, kind: str, value: Mapping[str, float]) -> None:
        if value != self._asked(kind):
            self._lab.append(kind, value)

    def _asked(self, kind: str) -> Mapping[str, Any]:
        """Return what belts or deck were asked for last, by whomever."""
        inputs = reversed(self._lab.history.inputs)
        return next((item.value for item in inputs if item.kind == kind), {})

    def _estop(self, now_s: float) -> bool:
        rise_s = self._lab.history.last_rise_s(now_s)
        for fault in self._lab.faults(self._name):
            start_s = fault.start_s(rise_s) if fault.fault == "estop" else None
            if start_s is not None and now_s >= start_s:
                held_s = fault.for_s or float("inf")
                if now_s < start_s + held_s:
                    return True
        return False
