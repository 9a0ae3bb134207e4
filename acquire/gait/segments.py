"""Pelvis, thighs, shanks and feet: joint centres and frames from markers.

Frames have x forward, y to the left, z up as columns, shape (n, 3, 3); the corrected
foot alone follows the model it reproduces: x up, y left, z back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, Side
from acquire.gait.joint_centres import chord, hip_centre
from acquire.gait.measures import Measures
from acquire.gait.vectors import about_x, about_y, cross, frame, unit

Floats = NDArray[np.float64]
OUTWARD: Mapping[Side, int] = {"left": 1, "right": -1}


@dataclass(frozen=True, slots=True)
class FootOffsets:
    """How a foot's sole lies to the line from ankle to toe marker, in degrees."""

    plantar_flexion_deg: float
    rotation_deg: float
    length_m: float  #: heel to toe marker, less a marker's radius


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a static trial adds to the measures."""

    inter_asis_m: float
    left: FootOffsets
    right: FootOffsets
    foot_flat: bool = True

    def foot(self, side: Side) -> FootOffsets:
        return self.left if side == "left" else self.right


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg; points (n, 3) in m, frames (n, 3, 3).

    `foot_line` is the foot before its static offsets: x from ankle to toe marker, y
    from the shank.
    """

    hip_m: Floats
    knee_m: Floats
    ankle_m: Floats
    thigh: Floats
    shank: Floats
    foot_line: Floats


@dataclass(frozen=True, eq=False)
class Segments:
    """The lower body at every frame; `sacrum_m` is SACR or between LPSI and RPSI."""

    mid_asis_m: Floats
    sacrum_m: Floats
    pelvis: Floats
    left: Leg
    right: Leg

    def leg(self, side: Side) -> Leg:
        return self.left if side == "left" else self.right


def sacrum(markers_m: Mapping[str, Floats]) -> Floats:
    """Return the back of the pelvis, shape (n, 3): SACR, else between the PSIS."""
    if "SACR" in markers_m and np.isfinite(markers_m["SACR"]).any():
        return markers_m["SACR"]
    return np.asarray((markers_m["LPSI"] + markers_m["RPSI"]) / 2)


def inter_asis_m(markers_m: Mapping[str, Floats]) -> float:
    """Return the mean distance between the ASIS markers."""
    apart = np.linalg.norm(markers_m["LASI"] - markers_m["RASI"], axis=-1)
    return float(np.nanmean(apart))


def build_segments(
    markers_m: Mapping[str, Floats], measures: Measures, asis_m: float
) -> Segments:
    """Return the segments from sixteen markers (n, 3) in m, NaN where hidden.

    `asis_m` is the distance between the ASIS. Which markers there must be:
    `acquire.gait.marker_checks`.
    """
    left_asis, right_asis = markers_m["LASI"], markers_m["RASI"]
    middle, back = (left_asis + right_asis) / 2, sacrum(markers_m)
    y = unit(left_asis - right_asis)
    z = unit(cross(middle - back, y))
    pelvis = frame(cross(y, z), y, z)
    legs = {
        side: _leg(
            markers_m,
            side,
            hip_centre(middle, pelvis, measures, asis_m, side),
            measures,
        )
        for side in SIDES
    }
    return Segments(middle, back, pelvis, legs["left"], legs["right"])


def _leg(
    markers_m: Mapping[str, Floats], side: Side, hip: Floats, measures: Measures
) -> Leg:
    own, radius, letter = measures.leg(side), measures.marker_diameter_m / 2, side[0]
    sign = OUTWARD[side]

    def marker(name: str) -> Floats:
        return markers_m[letter.upper() + name]

    knee = chord(
        hip,
        marker("KNE"),
        marker("THI"),
        own.knee_width_m / 2 + radius,
        -sign * np.radians(own.thigh_rotation_deg),
    )
    ankle = chord(
        knee,
        marker("ANK"),
        marker("TIB"),
        own.ankle_width_m / 2 + radius,
        -sign * np.radians(own.shank_rotation_deg),
    )
    shank = _upright(knee - ankle, sign * (marker("ANK") - ankle))
    x = unit(marker("TOE") - ankle)
    z = unit(cross(x, shank[..., 1]))
    return Leg(
        hip_m=hip,
        knee_m=knee,
        ankle_m=ankle,
        thigh=_upright(hip - knee, sign * (marker("KNE") - knee)),
        shank=shank,
        foot_line=frame(x, cross(z, x), z),
    )


def corrected_foot(foot_line: Floats, offsets: FootOffsets, side: Side) -> Floats:
    """Return foot frames in the model's axes: x up, y left, z back along the sole."""
    upright = frame(foot_line[..., 2], foot_line[..., 1], -foot_line[..., 0])
    turn = about_y(-np.radians(offsets.plantar_flexion_deg)) @ about_x(
        -OUTWARD[side] * np.radians(offsets.rotation_deg)
    )
    return np.asarray(upright @ turn)


def _upright(up: Floats, left: Floats) -> Floats:
    """Return the frame with z along `up` and y near `left`."""
    z = unit(up)
    x = unit(cross(left, z))
    return frame(x, cross(z, x), z)
