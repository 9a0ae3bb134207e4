"""Where joints turn: the hip by regression, knee and ankle by the chord."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES
from acquire.gait.measures import Measures
from acquire.gait.vectors import cross, dot

Floats = NDArray[np.float64]

HIP_ANGLE_RAD = 0.5
PELVIS_TILT_RAD = 0.314


def hip_centres(
    mid_asis_m: Floats, pelvis: Floats, measures: Measures, inter_asis_m: float
) -> Floats:
    """Return left and right hip joint centres, (n, 2, 3), by Davis' regression.

    `mid_asis_m` (n, 3) and `pelvis` (n, 3, 3) place the pelvis; the marker's radius
    counts as depth in front of the bone.
    """
    local = _hips_in_pelvis(measures, inter_asis_m)
    return mid_asis_m[:, None] + local @ np.swapaxes(pelvis, 1, 2)


@lru_cache(maxsize=8)
def _hips_in_pelvis(measures: Measures, inter_asis_m: float) -> Floats:
    """Return both hips in the pelvis' axes from between the ASIS, shape (2, 3)."""
    c = 0.115 * measures.mean_leg_m - 0.0153
    sin, cos = np.sin(PELVIS_TILT_RAD), np.cos(PELVIS_TILT_RAD)
    outward = inter_asis_m / 2 - c * np.sin(HIP_ANGLE_RAD)
    found = []
    for side, sign in zip(SIDES, (1, -1), strict=True):
        depth = measures.leg(side).asis_to_trochanter_m + measures.marker_diameter_m / 2
        forward = c * np.cos(HIP_ANGLE_RAD) * sin - depth * cos
        upward = -c * np.cos(HIP_ANGLE_RAD) * cos - depth * sin
        found.append([forward, sign * outward, upward])
    return np.array(found)


def chord(
    proximal_m: Floats,
    lateral_m: Floats,
    wand_m: Floats,
    offset_m: float | Floats,
    rotation_rad: float | Floats | None = None,
) -> Floats:
    """Return joint centres at `offset_m` from a lateral marker, shape (..., 3).

    The angle proximal - centre - marker is right, and marker and wand, seen along the
    line from `proximal_m` to the centre, are `rotation_rad` apart. Closed form. NaN
    where the marker is nearer to the proximal joint than the offset. Offset and
    rotation may be arrays (..., 1); without a rotation there is none.
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
    if rotation_rad is None:
        return np.asarray(proximal_m + distance * cos * (cos * along - sin * side))
    turn = _turn(height, reach, sin, cos, rotation_rad)
    away = np.cos(turn) * side + np.sin(turn) * cross(along, side)
    return np.asarray(proximal_m + distance * cos * (cos * along - sin * away))


def _turn(
    height: Floats,
    reach: Floats,
    sin: Floats,
    cos: Floats,
    rotation_rad: float | Floats,
) -> Floats:
    """Return how far the chord's plane is turned from the wand, shape (..., 1).

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
