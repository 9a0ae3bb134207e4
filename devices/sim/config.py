"""What the simulated lab is made of: the person, the plates, and each twin."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from devices.sim.faults import FaultSpec

Side = Literal["left", "right"]
Waveform = Literal["level", "level+pulses"]
SIDES: tuple[Side, Side] = ("left", "right")

Vector3 = tuple[float, float, float]
Loads = tuple[float, float, float, float, float, float]
NO_LOADS: Loads = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

#: Plate axes in world axes with the deck level, as columns: x left, y forward, z down.
PLATE_AXES: NDArray[np.float64] = np.array(
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]
)


class PersonConfig(BaseModel, frozen=True, extra="forbid"):
    """The participant: what a Plug-in Gait subject sheet asks for."""

    participant: str = "P43"
    sex: Literal["F", "M", "O"] = "O"
    age_y: float = Field(default=27.0, gt=0)
    mass_kg: float = Field(default=72.0, gt=20, lt=200)
    height_mm: float = Field(default=1760.0, gt=1200, lt=2200)
    #: ASIS to medial malleolus, both legs alike
    leg_length_mm: float = Field(default=940.0, gt=600, lt=1200)
    knee_width_mm: float = Field(default=104.0, gt=60, lt=160)
    ankle_width_mm: float = Field(default=72.0, gt=40, lt=110)
    marker_diameter_mm: float = Field(default=14.0, gt=0, lt=40)
    inter_asis_mm: float = Field(default=246.0, gt=150, lt=350)
    #: standard deviation of white noise on every marker coordinate
    marker_noise_mm: float = Field(default=0.0, ge=0)


class PlateConfig(BaseModel, frozen=True, extra="forbid"):
    """Two force plates under two belts, in the frame of the deck.

    The deck frame is the world frame when the deck is level: x forward along the
    belts, y left, z up, origin on the belt surface midway between front and back. The
    deck turns about the y axis through `pivot_m`; a positive incline lifts its +x end.
    Each plate's origin lies at the outer back corner of its belt, `surface_height_m`
    below the surface, with axes x left, y forward, z down.
    """

    length_m: float = Field(default=1.75, gt=0)
    width_m: float = Field(default=0.5, gt=0)
    gap_m: float = Field(default=0.010, ge=0)
    surface_height_m: float = Field(default=0.015, ge=0)
    pivot_m: Vector3 = (-0.90, 0.0, -0.12)
    #: whether the plates tilt with the deck (and measure in its axes)
    plates_follow_deck: bool = True
    force_noise_n: float = Field(default=1.0, ge=0)
    moment_noise_nm: float = Field(default=0.3, ge=0)
    #: constant added to every sample: Fx Fy Fz (N), Mx My Mz (N·m), left and right
    baseline: tuple[Loads, Loads] = (NO_LOADS, NO_LOADS)

    def deck_rotation(self, incline_deg: float) -> NDArray[np.float64]:
        """Return the (3, 3) matrix whose columns are the deck axes in the world."""
        c, s = math.cos(math.radians(incline_deg)), math.sin(math.radians(incline_deg))
        return np.array([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]])

    def deck_to_world(
        self, point_m: NDArray[np.float64], incline_deg: float
    ) -> NDArray[np.float64]:
        """Move deck points (..., 3) to the world."""
        pivot = np.asarray(self.pivot_m)
        moved: NDArray[np.float64] = (point_m - pivot) @ self.deck_rotation(
            incline_deg
        ).T + pivot
        return moved

    def deck_corners_m(self, side: Side) -> NDArray[np.float64]:
        """Return the surface corners (4, 3) in the deck frame.

        Order: front left, front right, back right, back left.
        """
        inner, outer = self.gap_m / 2, self.gap_m / 2 + self.width_m
        right, left = (inner, outer) if side == "left" else (-outer, -inner)
        front = self.length_m / 2
        return np.array(
            [
                [front, left, 0.0],
                [front, right, 0.0],
                [-front, right, 0.0],
                [-front, left, 0.0],
            ]
        )

    def deck_origin_m(self, side: Side) -> NDArray[np.float64]:
        """Return the plate origin (3,) in the deck frame."""
        outer = self.gap_m / 2 + self.width_m
        y_m = outer if side == "left" else -outer
        return np.array([-self.length_m / 2, y_m, -self.surface_height_m])

    def corners_m(self, side: Side, incline_deg: float = 0.0) -> NDArray[np.float64]:
        """Return the surface corners (4, 3) in the world."""
        return self.deck_to_world(self.deck_corners_m(side), self._angle(incline_deg))

    def origin_m(self, side: Side, incline_deg: float = 0.0) -> NDArray[np.float64]:
        """Return the plate origin (3,) in the world."""
        return self.deck_to_world(self.deck_origin_m(side), self._angle(incline_deg))

    def rotation(self, incline_deg: float = 0.0) -> NDArray[np.float64]:
        """Return the (3, 3) matrix whose columns are the plate axes in the world."""
        axes: NDArray[np.float64] = (
            self.deck_rotation(self._angle(incline_deg)) @ PLATE_AXES
        )
        return axes

    def _angle(self, incline_deg: float) -> float:
        return incline_deg if self.plates_follow_deck else 0.0


class ClockConfig(BaseModel, frozen=True, extra="forbid"):
    """How a device's clock and link differ from true time."""

    #: what the device's own clock reads at world time 0
    offset_s: float = 0.0
    #: positive: samples come slower than nominal
    skew_ppm: float = Field(default=0.0, gt=-5000, lt=5000)
    #: standard deviation of the extra delay of a delivery (its absolute value is added)
    jitter_s: float = Field(default=0.0, ge=0)
    #: smallest delay between a sample and its delivery
    latency_s: float = Field(default=0.0, ge=0)


class TwinConfig(BaseModel, frozen=True, extra="forbid"):
    """One twin: where it listens, its clock, what will go wrong, and options."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, lt=65536)
    clock: ClockConfig = ClockConfig()
    faults: tuple[FaultSpec, ...] = ()
    options: dict[str, Any] = {}


class LabConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole simulated lab."""

    seed: int = Field(default=1, ge=0)
    person: PersonConfig = PersonConfig()
    waveform: Waveform = "level+pulses"
    plates: PlateConfig = PlateConfig()
    twins: dict[str, TwinConfig] = {}
