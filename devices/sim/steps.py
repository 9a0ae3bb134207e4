"""One foot's steps: where it stands, when it leaves, where it is to land."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.sim.foot import carry, smooth

Array = NDArray[np.float64]

LAST_CORRECTION = 0.7
#: the heel skids a few mm after it strikes, until this much of the swing has passed
SETTLED = 1.09
SMALLEST_CORRECTION_M = 0.004


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place on a belt: x counts along the belt's surface, y across the deck."""

    belt: int
    x_m: float
    y_m: float
    yaw_rad: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where a belt's surface will be: travel, speed and acceleration at an instant."""

    travel_m: float
    speed_mps: float
    accel_mps2: float

    def travel_after(self, tau_s: float) -> float:
        """Return the travel `tau_s` later."""
        return self.travel_m + (self.speed_mps + self.accel_mps2 * tau_s / 2) * tau_s


@dataclass(slots=True)
class Foot:
    """Where one foot is in its walk; swings blend from one anchor to the next."""

    anchor: Anchor
    target: Anchor | None = None
    #: the stride (whole number of its phase) in which the swing began
    stride: int = 0
    struck: bool = False
    #: corrections (swing progress they start at, distance in m) to the swing
    corrections: list[tuple[float, float]] = field(default_factory=list)

    @property
    def swinging(self) -> bool:
        """Whether it is off the ground."""
        return self.target is not None

    def leave(self, target: Anchor, stride: int) -> None:
        """Begin a swing."""
        self.target, self.stride, self.corrections = target, stride, []
        self.struck = False

    def land(self) -> None:
        """End the swing: the target is the new anchor, moved by the corrections."""
        if self.target is None:
            return
        moved = self.target.x_m + sum(d for _, d in self.corrections)
        self.anchor = Anchor(
            self.target.belt, moved, self.target.y_m, self.target.yaw_rad
        )
        self.target = None

    def correct(self, u: float, distance_m: float) -> None:
        """Bend the rest of the swing so that it ends `distance_m` further along."""
        if u < LAST_CORRECTION and abs(distance_m) > SMALLEST_CORRECTION_M:
            self.corrections.append((u, distance_m))

    def landing_x_m(self) -> float:
        """Return where the swing will end, along its belt's surface."""
        target = self.target or self.anchor
        return target.x_m + sum(d for _, d in self.corrections)

    def place(self, u: Array, travel_m: Array) -> Array:
        """Return x, y and yaw on the deck, shape (n, 3); `u` (n,), `travel_m` (n, 2).

        `u` is the progress of the swing; it has ended at `SETTLED`, just after the
        strike, when the heel has come to rest on the belt.
        """
        at = self.anchor
        x = at.x_m - travel_m[:, at.belt]
        y = np.full_like(x, at.y_m)
        yaw = np.full_like(x, at.yaw_rad)
        to = self.target
        if to is not None:
            gone = carry(u / SETTLED)
            x = x + gone * (to.x_m - travel_m[:, to.belt] - x)
            y += smooth(u / SETTLED) * (to.y_m - at.y_m)
            yaw += smooth(u / SETTLED) * (to.yaw_rad - at.yaw_rad)
            for start, distance in self.corrections:
                x = x + distance * smooth((u - start) / (SETTLED - start))
        return np.stack([x, y, yaw], axis=-1)
