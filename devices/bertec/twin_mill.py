"""The mill behind the simulated panel: what packets do to belts and deck."""

import numpy as np
from pydantic import BaseModel, Field

from devices.bertec.wire import Command
from devices.sim.world import LAG_S, Lab

ESTOP_DECEL_MPS2 = 3.0
DEFAULT_ACCEL_MMPS2 = 1000  #: what panels make of an acceleration of zero


class MillOptions(BaseModel, frozen=True, extra="forbid"):
    """The part of a twin's options that is about the mill."""

    deck_rate_dps: float = Field(default=1.0, gt=0)
    """How fast the deck tilts; the real rate is unknown."""

    noise_mmps: float = Field(default=1.5, ge=0)
    """Standard deviation of the speeds reported while a belt runs."""

    obeys: bool = True
    """False: remote control is not enabled, packets do nothing."""


class Mill:
    """Turns commands into inputs of the lab, as of now; what it reads back is history.

    The incline of every packet is obeyed. While the e-stop is pressed belts ignore
    packets; on its release the last setpoint is resumed: the worst a panel may do.
    """

    def __init__(self, lab: Lab, name: str, options: MillOptions) -> None:
        self._lab, self._name, self.options = lab, name, options
        self._belts: tuple[int, int, int, int] | None = None
        self._incline_cdeg: int | None = None
        self._last: Command | None = None
        self._stopped = False

    def obey(self, command: Command) -> None:
        """Carry out one valid packet."""
        if not self.options.obeys:
            return
        self._last = command
        if self._stopped:
            return
        self._move_belts(command)
        if command.incline_cdeg != self._incline_cdeg:
            self._incline_cdeg = command.incline_cdeg
            self._tilt(command.incline_cdeg / 100.0)

    def advance(self) -> None:
        """Press or release the e-stop, as faults say; inputs act at host time."""
        now_s = self._lab.world_now() + LAG_S
        pressed = self._estop(now_s)
        if pressed and not self._stopped:
            self._stopped = True
            self._belts = None
            self._append_belts(0.0, 0.0, ESTOP_DECEL_MPS2, ESTOP_DECEL_MPS2)
            if self._incline_cdeg is not None:
                self._tilt(float(self._lab.history.incline_deg(np.array([now_s]))[0]))
                self._incline_cdeg = None
        elif self._stopped and not pressed:
            self._stopped = False
            if self._last is not None:
                self.obey(self._last)

    def _move_belts(self, command: Command) -> None:
        belts = (
            command.left_mmps,
            command.right_mmps,
            command.accel_left_mmps2 or DEFAULT_ACCEL_MMPS2,
            command.accel_right_mmps2 or DEFAULT_ACCEL_MMPS2,
        )
        if belts != self._belts:
            self._belts = belts
            self._append_belts(*(value / 1000.0 for value in belts))

    def _append_belts(
        self, left: float, right: float, accel_left: float, accel_right: float
    ) -> None:
        self._lab.append(
            "belts",
            {
                "left_mps": left,
                "right_mps": right,
                "accel_left_mps2": accel_left,
                "accel_right_mps2": accel_right,
            },
        )

    def _tilt(self, target_deg: float) -> None:
        rate = self.options.deck_rate_dps
        self._lab.append("deck", {"target_deg": target_deg, "rate_dps": rate})

    def _estop(self, now_s: float) -> bool:
        rise_s = self._lab.history.last_rise_s(now_s)
        for fault in self._lab.faults(self._name):
            start_s = fault.start_s(rise_s) if fault.fault == "estop" else None
            if start_s is not None and now_s >= start_s:
                held_s = fault.for_s or float("inf")
                if now_s < start_s + held_s:
                    return True
        return False
