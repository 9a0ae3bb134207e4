"""Limits of a treadmill: a setpoint outside them is rejected, never clamped."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, model_validator

from devices.errors import SetpointRejectedError


class Limits(BaseModel, frozen=True, extra="forbid"):
    """Setpoints this mill may be given; speeds are signed in the deck frame."""

    min_speed_mps: float = Field(default=-2.0, ge=-6.5, le=0)
    """Fastest backward belt speed: the surface moves toward the +x end."""

    max_speed_mps: float = Field(default=2.0, ge=0, le=6.5)
    """Fastest forward belt speed: the surface moves toward the -x end."""

    min_accel_mps2: float = Field(default=0.01, ge=0.001)
    """Panels replace an acceleration of zero by one of their own: never send it."""

    max_accel_mps2: float = Field(default=0.5, gt=0, le=5)
    """Largest acceleration of a belt."""

    max_decel_mps2: float = Field(default=2.0, gt=0, le=5)
    """Largest deceleration a stop may ask for."""

    max_belt_difference_mps: float = Field(default=0.3, ge=0)
    """Largest difference between the two belts."""

    min_incline_deg: float = Field(default=0.0, ge=-20, le=0)
    """Lowest deck angle; positive lifts the +x end."""

    max_incline_deg: float = Field(default=10.0, ge=0, le=20)
    """Highest deck angle."""

    max_slope_rate_dps: float = Field(default=2.0, gt=0)
    """Fastest deck movement. The panel takes no rate, so this holds twice: for a rate
    that a caller states, and for readback: a deck that moves faster is frozen."""

    @model_validator(mode="after")
    def _accelerations_in_order(self) -> "Limits":
        if self.min_accel_mps2 > min(self.max_accel_mps2, self.max_decel_mps2):
            raise ValueError("min_accel_mps2 exceeds the largest acceleration")
        return self

    def check_belts(self, left_mps: float, right_mps: float, accel_mps2: float) -> None:
        """Raise `SetpointRejectedError` unless the mill may be given these."""
        for name, value in (("left_mps", left_mps), ("right_mps", right_mps)):
            within(name, value, self.min_speed_mps, self.max_speed_mps)
        within("accel_mps2", accel_mps2, self.min_accel_mps2, self.max_accel_mps2)
        within(
            "belt difference |left_mps - right_mps|",
            round(abs(left_mps - right_mps), 6),
            0.0,
            self.max_belt_difference_mps,
        )

    def check_decel(self, decel_mps2: float) -> None:
        within("decel_mps2", decel_mps2, self.min_accel_mps2, self.max_decel_mps2)

    def check_incline(self, incline_deg: float) -> None:
        within("incline_deg", incline_deg, self.min_incline_deg, self.max_incline_deg)

    def check_slope_rate(self, rate_dps: float) -> None:
        if not rate_dps > 0:
            raise SetpointRejectedError(f"rate_dps={rate_dps:g} is not positive")
        within("rate_dps", rate_dps, 0.0, self.max_slope_rate_dps)


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise `SetpointRejectedError` unless ``low <= value <= high``; NaN is outside."""
    if not low <= value <= high:
        raise SetpointRejectedError(
            f"{name}={value:g} is outside its limits {low:g} to {high:g}; nothing sent"
        )


def number(arguments: Mapping[str, Any], name: str) -> float:
    """Return a finite number of the arguments; anything else is rejected."""
    value = arguments.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or not is_number or not math.isfinite(value):
        raise SetpointRejectedError(f"{name}={value!r} is not a finite number")
    return float(value)


def only(verb: str, arguments: Mapping[str, Any], *names: str) -> None:
    """Reject arguments the verb does not take: a misspelt one must not vanish."""
    unknown = sorted(set(arguments) - set(names))
    if unknown:
        raise SetpointRejectedError(f"{verb}: no argument {unknown}; it takes {names}")


def confirmed(verb: str, arguments: Mapping[str, Any]) -> None:
    """Reject unless the operator confirmed, literally ``confirm=True``."""
    if arguments.get("confirm") is not True:
        raise SetpointRejectedError(f"{verb} needs the operator: confirm=True")
