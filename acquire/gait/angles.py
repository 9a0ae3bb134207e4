"""Joint angles as Plug-in Gait reports them, in degrees.

Components: flexion (dorsiflexion, forward tilt), adduction (varus, inversion, up),
internal rotation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES
from acquire.gait.segments import OUTWARD, Calibration, Segments
from acquire.gait.vectors import cardan_yxz_deg

Floats = NDArray[np.float64]

PARTS: Final = ("Pelvis", "Hip", "Knee", "Ankle", "FootProgress")
ANGLES: Final = tuple(f"{s}{part}Angles" for s in "LR" for part in PARTS)
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
    return along_axis(way)


def along_axis(way: Floats) -> Floats:
    """Return the frame of progression, (3, 3), whose x is the axis nearest to `way`."""
    axis = int(np.nanargmax(np.abs(way[:2])))
    x = np.zeros(3)
    x[axis] = np.sign(way[axis]) or 1.0
    z = np.array([0.0, 0.0, 1.0])
    return np.stack([x, np.cross(z, x), z], axis=-1)


def angle_rows(segments: Segments, calibration: Calibration, way: Floats) -> Floats:
    """Return the angles named by `ANGLES`, three columns each, shape (n, 30), deg.

    `way` is the frame of `progression`, shape (3, 3).
    """
    pelvis, thighs, shanks = (
        segments.pelvis,
        segments.axes[:, :, 0],
        segments.axes[:, :, 1],
    )
    feet = segments.feet(calibration)
    turns = np.empty((len(pelvis), 9, 3, 3))
    turns[:, 0] = way.T @ pelvis
    turns[:, 1:3] = np.swapaxes(pelvis, -1, -2)[:, None] @ thighs
    turns[:, 3:5] = np.swapaxes(thighs, -1, -2) @ shanks
    turns[:, 5:7] = np.swapaxes(shanks, -1, -2) @ feet
    turns[:, 7:9] = way.T @ feet
    yxz = cardan_yxz_deg(turns).reshape(len(pelvis), 27)
    return np.asarray(yxz[:, COLUMNS] * SIGNS + SHIFTS)


def joint_angles(
    segments: Segments, calibration: Calibration, way: Floats
) -> dict[str, Floats]:
    """Return ``LPelvisAngles`` to ``RFootProgressAngles``, each (n, 3) in degrees."""
    rows = angle_rows(segments, calibration, way)
    return {name: rows[:, 3 * k : 3 * k + 3] for k, name in enumerate(ANGLES)}


def _components() -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return which of nine turns' angles each column is, its sign, and what is added.

    Turns are those of `angle_rows`; their angles are about y, x and z.
    """
    columns: list[int] = []
    signs: list[int] = []
    shifts: list[float] = []
    for k, side in enumerate(SIDES):
        s = OUTWARD[side]
        for turn, order, sign in (
            (0, "yxz", (1, s, -s)),
            (1 + k, "yxz", (-1, -s, -s)),
            (3 + k, "yxz", (1, -s, -s)),
            (5 + k, "yzx", (-1, -s, -s)),
            (7 + k, "yzx", (1, s, -s)),
        ):
            columns += [3 * turn + "yxz".index(axis) for axis in order]
            signs += sign
            shifts += [-90.0 if 5 <= turn < 7 else 0.0, 0.0, 0.0]
    return np.array(columns), np.array(signs, dtype=np.float64), np.array(shifts)


COLUMNS, SIGNS, SHIFTS = _components()
