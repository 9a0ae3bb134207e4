"""The person's segments: lengths, masses and where markers sit on them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import PersonConfig

Array = NDArray[np.float64]

#: share of body mass and centre of mass from the distal end (Vicon's Plug-in Gait)
THIGH_MASS, SHANK_MASS, FOOT_MASS = 0.1, 0.0465, 0.0145
THIGH_COM, SHANK_COM, FOOT_COM = 0.567, 0.567, 0.5
TRUNK_MASS = 1 - 2 * (THIGH_MASS + SHANK_MASS + FOOT_MASS)


@dataclass(frozen=True)
class Sole:
    """The underside of a foot, in its frame: x forward from below the ankle, z up.

    Heel and forefoot are arcs that roll on the belt; between them it is flat.
    """

    heel_m: float
    ball_m: float
    heel_radius_m: float
    ball_radius_m: float


class Anatomy:
    """Segment geometry in metres, from the subject sheet.

    Segment proportions follow Drillis and Contini, scaled to the leg length. Hip joint
    centres sit where Plug-in Gait's regression puts them, so that the model recovers
    them without error.
    """

    def __init__(self, person: PersonConfig) -> None:
        self.person = person
        leg = person.leg_length_mm / 1000
        height = person.height_mm / 1000
        radius = person.marker_diameter_mm / 2000
        self.mass_kg = person.mass_kg
        self.thigh_m = 0.440 * leg
        self.shank_m = 0.447 * leg
        self.ankle_height_m = 0.045 * height
        foot = 0.152 * height
        self.sole = Sole(-0.18 * foot, 0.47 * foot, 0.030, 0.045)
        self.trunk_com_m = 0.18 * height
        #: from joint centre to marker centre, sideways
        self.knee_offset_m = person.knee_width_mm / 2000 + radius
        self.ankle_offset_m = person.ankle_width_mm / 2000 + radius
        marker_height = 0.034 * height
        #: foot frame: ankle, toe and heel markers, all in its sagittal plane
        self.ankle = np.array([0.0, 0.0, self.ankle_height_m])
        self.toe = np.array([0.46 * foot, 0.0, marker_height])
        self.heel = np.array([-0.24 * foot - radius, 0.0, marker_height])
        #: wand heights above the distal joint, as a share of the segment; left, right
        self.thigh_wand = np.array([0.33, 0.55])
        self.shank_wand = np.array([0.35, 0.58])
        self.wand_m = 0.085
        hips = self._hips(person)
        centre = hips.mean(axis=0)
        #: from mid hip, in pelvis axes: left and right hip; LASI RASI LPSI RPSI
        self.hips = hips - centre
        half = person.inter_asis_mm / 2000
        depth = 0.085 * height
        self.pelvis_markers = (
            np.array(
                [
                    [0.0, half, 0.0],
                    [0.0, -half, 0.0],
                    [-depth, 0.4 * half, 0.0],
                    [-depth, -0.4 * half, 0.0],
                ]
            )
            - centre
        )

    @staticmethod
    def _hips(person: PersonConfig) -> Array:
        """Return hip centres (2, 3) from mid-ASIS in pelvis axes (Davis regression)."""
        theta, beta = 0.5, 0.314
        c = 0.115 * person.leg_length_mm - 15.3
        reach = 0.1288 * person.leg_length_mm - 48.56 + person.marker_diameter_mm / 2
        x = c * math.cos(theta) * math.sin(beta) - reach * math.cos(beta)
        y = person.inter_asis_mm / 2 - c * math.sin(theta)
        z = -c * math.cos(theta) * math.cos(beta) - reach * math.sin(beta)
        return np.array([[x, y, z], [x, -y, z]]) / 1000

    def reach_m(self, knee_deg: float) -> float:
        """Return the distance from hip to ankle at a knee flexion."""
        bend = math.cos(math.radians(knee_deg))
        return math.sqrt(
            self.thigh_m**2 + self.shank_m**2 + 2 * self.thigh_m * self.shank_m * bend
        )
