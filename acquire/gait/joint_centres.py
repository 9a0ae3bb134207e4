"""Where joints turn: the hip by regression, knee and ankle by the chord."""

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import Side
from acquire.gait.measures import Measures
from acquire.gait.vectors import cross, dot, out_of

Floats = NDArray[np.float64]

HIP_ANGLE_RAD = 0.5
PELVIS_TILT_RAD = 0.314


def hip_centre(
    mid_asis_m: Floats,
    pelvis: Floats,
    measures: Measures,
    inter_asis_m: float,
    side: Side,
) -> Floats:
    """Return hip joint centres, shape (n, 3), by Davis' regression.

    `mid_asis_m` (n, 3) and `pelvis` (n, 3, 3) place the pelvis; the marker's radius
    counts as depth in front of the bone.
    """
    c = 0.115 * measures.mean_leg_m - 0.0153
    depth = measures.leg(side).asis_to_trochanter_m + measures.marker_diameter_m / 2
    sin, cos = np.sin(PELVIS_TILT_RAD), np.cos(PELVIS_TILT_RAD)
    forward = c * np.cos(HIP_ANGLE_RAD) * sin - depth * cos
    outward = inter_asis_m / 2 - c * np.sin(HIP_ANGLE_RAD)
    upward = -c * np.cos(HIP_ANGLE_RAD) * cos - depth * sin
    local = np.array([forward, outward if side == "left" else -outward, upward])
    return mid_asis_m + out_of(pelvis, local)


def chord(
    proximal_m: Floats,
    lateral_m: Floats,
    wand_m: Floats,
    offset_m: float,
    rotation_rad: float = 0.0,
) -> Floats:
    """Return joint centres at `offset_m` from a lateral marker, shape (n, 3).

    The angle proximal - centre - marker is right, and marker and wand, seen along the
    line from `proximal_m` to the centre, are `rotation_rad` apart. Closed form. NaN
    where the marker is nearer to the proximal joint than the offset.
    """
    span = lateral_m - proximal_m
    distance = np.sqrt(dot(span, span))
    along = span / distance
    wand = wand_m - proximal_m
    height = dot(wand, along)
    side = wand - height * along
    reach = np.sqrt(dot(side, side))
    side = side / reach
    sin = np.where(offset_m < distance, offset_m / distance, np.nan)
    cos = np.sqrt(1 - sin**2)
    if rotation_rad == 0.0:
        return np.asarray(proximal_m + distance * cos * (cos * along - sin * side))
    turn = _turn(height, reach, sin, cos, rotation_rad)
    away = np.cos(turn) * side + np.sin(turn) * cross(along, side)
    return np.asarray(proximal_m + distance * cos * (cos * along - sin * away))


def _turn(
    height: Floats, reach: Floats, sin: Floats, cos: Floats, rotation_rad: float
) -> Floats:
    """Return how far the chord's plane is turned from the wand, shape (n, 1).

    Of the two solutions the one whose dihedral angle is nearer to `rotation_rad`.
    """
    size = np.hypot(np.cos(rotation_rad), cos * np.sin(rotation_rad))
    phase = np.arctan2(cos * np.sin(rotation_rad), np.cos(rotation_rad))
    part = np.arcsin(
        np.clip(-(height * sin / reach) * np.sin(rotation_rad) / size, -1.0, 1.0)
    )
    candidates = (part - phase, np.pi - part - phase)

    def error(turn: Floats) -> Floats:
        seen = np.arctan2(
            -reach * np.sin(turn), height * sin + reach * cos * np.cos(turn)
        )
        apart: Floats = np.angle(np.exp(1j * (seen - rotation_rad)))
        return np.abs(apart)

    first, second = (error(turn) for turn in candidates)
    return np.asarray(np.where(second < first, candidates[1], candidates[0]))
