"""Joint angles as Plug-in Gait reports them, in degrees.

Components: flexion (dorsiflexion, forward tilt), adduction (varus, inversion, up),
internal rotation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES
from acquire.gait.segments import OUTWARD, Calibration, Segments, corrected_foot
from acquire.gait.vectors import cardan_yxz_deg

Floats = NDArray[np.float64]

TRAVEL_M: Final = 0.8
"""Who travels less than this walks on a treadmill, and faces where they would go."""


def progression(segments: Segments) -> Floats:
    """Return the frame of progression, shape (3, 3): x along the walk, z up.

    x is the axis of the laboratory nearest to the way the sacrum went; on a treadmill,
    to where the pelvis faces on average, so that reversed facing turns it too.
    """
    back = segments.sacrum_m
    seen = np.flatnonzero(np.isfinite(back[:, 0]))
    way = np.zeros(3)
    if seen.size:
        way = back[seen[-1]] - back[seen[0]]
    if np.hypot(way[0], way[1]) < TRAVEL_M and seen.size:
        way = np.nanmean(segments.mid_asis_m[seen] - back[seen], axis=0)
    axis = int(np.nanargmax(np.abs(way[:2])))
    x = np.zeros(3)
    x[axis] = np.sign(way[axis]) or 1.0
    z = np.array([0.0, 0.0, 1.0])
    return np.stack([x, np.cross(z, x), z], axis=-1)


def joint_angles(
    segments: Segments, calibration: Calibration, way: Floats
) -> dict[str, Floats]:
    """Return ``LPelvisAngles`` to ``RFootProgressAngles``, each (n, 3) in degrees.

    `way` is the frame of `progression`, shape (3, 3).
    """
    found: dict[str, Floats] = {}
    pelvis = segments.pelvis
    ground = np.broadcast_to(way, pelvis.shape)
    tilt = cardan_yxz_deg(ground, pelvis)
    for side in SIDES:
        leg, sign, letter = segments.leg(side), OUTWARD[side], side[0].upper()
        foot = corrected_foot(leg.foot_line, calibration.foot(side), side)
        y, x, z = tilt
        found[f"{letter}PelvisAngles"] = np.stack([y, sign * x, -sign * z], axis=-1)
        y, x, z = cardan_yxz_deg(pelvis, leg.thigh)
        found[f"{letter}HipAngles"] = np.stack([-y, -sign * x, -sign * z], axis=-1)
        y, x, z = cardan_yxz_deg(leg.thigh, leg.shank)
        found[f"{letter}KneeAngles"] = np.stack([y, -sign * x, -sign * z], axis=-1)
        y, x, z = cardan_yxz_deg(leg.shank, foot)
        found[f"{letter}AnkleAngles"] = np.stack(
            [-90.0 - y, -sign * z, -sign * x], axis=-1
        )
        y, x, z = cardan_yxz_deg(ground, foot)
        found[f"{letter}FootProgressAngles"] = np.stack(
            [y, sign * z, -sign * x], axis=-1
        )
    return found
