"""The body's pose: a pure function of the walk's rows."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim import anatomy as shape
from devices.sim.anatomy import Anatomy
from devices.sim.config import LabConfig
from devices.sim.feet import Feet, pose_feet
from devices.sim.pelvis import Pelvis, PelvisMotion
from devices.sim.vectors import columns, cross, dot, stacked, unit
from devices.sim.walk import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Segments at n instants; left first on axis 1. Metres, world axes.

    Frames are columns x forward, y left, z up along the segment.
    """

    pelvis: Pelvis
    feet: Feet
    knee: Array  #: (n, 2, 3) joint centres
    thigh: Array  #: (n, 2, 3, 3)
    shank: Array  #: (n, 2, 3, 3)
    trunk: Array  #: (n, 3) centre of mass of pelvis, trunk, arms and head
    com: Array  #: (n, 3) of the whole body


class Body:
    """Poses rows: feet first, then the pelvis over them, then the legs between.

    The trunk rides on a spine that gives: its centre of mass goes where it must for the
    whole body's to follow a smooth path, a few mm about its place over the pelvis.
    """

    def __init__(self, config: LabConfig) -> None:
        self.anatomy = Anatomy(config.person)
        self.pivot = np.asarray(config.plates.pivot_m)
        self._pelvis = PelvisMotion(self.anatomy, self.pivot, config.seed)

    def pose(self, rows: Rows) -> Pose:
        """Return the pose at every row."""
        feet = pose_feet(self.anatomy, self.pivot, rows)
        pelvis = self._pelvis.pose(rows, feet)
        toward = rows.heading_rad[:, None]
        toward = toward + 0.6 * (feet.yaw_rad - toward)
        knee, hinge = self._bend(pelvis.hips, feet.ankle, toward)
        thigh_z = (pelvis.hips - knee) / self.anatomy.thigh_m
        shank_z = (knee - feet.ankle) / self.anatomy.shank_m
        flexed = np.arccos(np.clip(dot(thigh_z, shank_z), -1.0, 1.0))
        outward = np.array([1.0, -1.0])
        cycle = 2 * math.pi * rows.cycle
        turned = outward * np.radians(2.0 + 3.0 * np.cos(cycle) * rows.gait[:, None])
        screwed = outward * (0.06 * flexed - math.radians(3.0))
        thigh = _frame(thigh_z, hinge, turned)
        shank = _frame(shank_z, hinge, screwed)
        legs = self._legs(pelvis, feet, knee)
        trunk = (pelvis.goal - legs) / shape.TRUNK_MASS
        return Pose(pelvis, feet, knee, thigh, shank, trunk, self._com(trunk, legs))

    def _bend(self, hip: Array, ankle: Array, toward: Array) -> tuple[Array, Array]:
        """Return knee centres and hinge axes (pointing left) of two-link legs."""
        a, b = self.anatomy.thigh_m, self.anatomy.shank_m
        span = ankle - hip
        distance = np.sqrt(dot(span, span))
        distance = np.minimum(distance, (a + b) * (1 - 1e-6))
        down = unit(span)
        fore = stacked(np.cos(toward), np.sin(toward), np.zeros_like(toward))
        fore = unit(fore - dot(fore, down)[..., None] * down)
        along = (distance**2 + a * a - b * b) / (2 * distance)
        out = np.sqrt(np.maximum(a * a - along**2, 0.0))
        knee = hip + along[..., None] * down + out[..., None] * fore
        return knee, cross(fore, down)

    def _legs(self, pelvis: Pelvis, feet: Feet, knee: Array) -> Array:
        """Return the legs' part of the centre of mass: mass share times place."""
        legs = (
            shape.THIGH_MASS * (knee + shape.THIGH_COM * (pelvis.hips - knee))
            + shape.SHANK_MASS * (feet.ankle + shape.SHANK_COM * (knee - feet.ankle))
            + shape.FOOT_MASS * self.foot_com(feet)
        )
        both: Array = legs[:, 0] + legs[:, 1]
        return both

    @staticmethod
    def _com(trunk: Array, legs: Array) -> Array:
        """Return the centre of mass of all segments, shape (n, 3)."""
        com: Array = shape.TRUNK_MASS * trunk + legs
        return com

    def foot_com(self, feet: Feet) -> Array:
        """Return the feet's centres of mass (n, 2, 3)."""
        anatomy = self.anatomy
        radius = anatomy.person.marker_diameter_mm / 2000
        length = float(anatomy.toe[0] - anatomy.heel[0]) - radius
        com: Array = feet.ankle + shape.FOOT_COM * length * feet.axes[..., 0]
        return com


def _frame(z: Array, hinge: Array, angle: Array) -> Array:
    """Return the frame along z whose y is the hinge turned by `angle` about z."""
    x = cross(hinge, z)
    y = hinge * np.cos(angle)[..., None] - x * np.sin(angle)[..., None]
    return columns(cross(y, z), y, z)
