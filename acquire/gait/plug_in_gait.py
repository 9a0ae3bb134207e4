"""Lower-body Plug-in Gait: outputs with the names, components and signs of Nexus.

Units: degrees, N/kg, N·m/kg, W/kg. Components of angles and moments: flexion,
adduction, internal rotation; of forces: the axes of the distal segment; powers are
scalar, in the third component.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.angles import ANGLES, joint_angles, progression
from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import (
    FILTERED,
    GRAVITY_MPS2,
    JOINTS,
    JointLoads,
    Smoothing,
    bodies,
    joint_loads,
    motion,
)
from acquire.gait.marker_checks import check_markers
from acquire.gait.measures import MeasureError, Measures
from acquire.gait.segments import BOTH, OUTWARD, Calibration, Segments, build_segments

Floats = NDArray[np.float64]

__all__ = [
    "ANGLES",
    "FORCES",
    "JOINT_OUTPUTS",
    "MOMENTS",
    "POWERS",
    "joint_rows",
    "kinematics",
    "kinetics",
]

JOINT_NAMES: Final = ("Hip", "Knee", "Ankle")
FORCES: Final = tuple(
    f"{s}{part}Force" for s in "LR" for part in ("GroundReaction", *JOINT_NAMES)
)
MOMENTS: Final = tuple(
    f"{s}{part}Moment" for s in "LR" for part in ("GroundReaction", *JOINT_NAMES)
)
POWERS: Final = tuple(f"{s}{joint}Power" for s in "LR" for joint in JOINT_NAMES)
JOINT_OUTPUTS: Final = tuple(
    f"{s}{joint}{what}"
    for s in "LR"
    for joint in JOINTS
    for what in ("Force", "Moment", "Power")
)
FORCE_SIGNS: Final = np.array([[-1.0, 1.0, -1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
MOMENT_SIGNS: Final = np.array(
    [[[1.0, -sign, sign], [-1.0, sign, sign], [1.0, sign, sign]] for sign in BOTH[:, 0]]
)
"""Of flexion, adduction and rotation at ankle, knee and hip, left and right."""


def kinematics(
    markers_m: Mapping[str, Floats],
    measures: Measures,
    calibration: Calibration,
    where: str = "the recording",
) -> tuple[Segments, dict[str, Floats]]:
    """Return segments and angles (n, 3) of a trial; NaN where a marker is hidden.

    Raises
    ------
    MarkerError
        Markers are missing, swapped or not in m; `where` names the recording.
    """
    check_markers(markers_m, where)
    segments = build_segments(markers_m, measures, calibration.inter_asis_m)
    angles = joint_angles(segments, calibration, progression(segments))
    return segments, angles | absolute_ankles(segments, calibration)


def absolute_ankles(segments: Segments, calibration: Calibration) -> dict[str, Floats]:
    """Return ``LAbsAnkleAngle`` and ``RAbsAnkleAngle``, (n, 3).

    Their first component is how far the angle between sole and shank is from a right
    one, in degrees; the others are 0.
    """
    soles, shanks = -segments.feet(calibration)[..., 2], segments.axes[:, :, 1, :, 2]
    found = np.zeros((len(soles), 2, 3))
    found[..., 0] = np.degrees(np.arcsin(np.einsum("nsi,nsi->ns", soles, shanks)))
    return {f"{'LR'[k]}AbsAnkleAngle": found[:, k] for k in range(2)}


def kinetics(
    segments: Segments,
    measures: Measures,
    calibration: Calibration,
    loads: Mapping[Side, FootLoad],
    rate_hz: float,
    smoothing: Smoothing = FILTERED,
) -> dict[str, Floats]:
    """Return forces, moments and powers, each (n, 3), from loads at marker frames.

    Those of joints are NaN where half a window of derivatives has no neighbours.

    Raises
    ------
    MeasureError
        There is no body mass.
    """
    mass_kg = measures.mass_kg
    if not mass_kg:
        raise MeasureError("mass_kg", "is missing: forces are per kg of body mass")
    legs = bodies(segments, calibration)
    both = [loads[side] for side in SIDES]
    rows = joint_rows(
        joint_loads(
            legs,
            motion(segments.pelvis, legs, rate_hz, smoothing),
            np.stack([load.force_n for load in both], axis=1),
            np.stack([load.moment_nm for load in both], axis=1),
            mass_kg,
        )
    )
    half = smoothing.frames // 2
    rows[:half] = rows[len(rows) - half :] = np.nan
    found = {name: rows[:, 3 * k : 3 * k + 3] for k, name in enumerate(JOINT_OUTPUTS)}
    for side in SIDES:
        name, load = f"{side[0].upper()}GroundReaction", loads[side]
        found[f"{name}Force"] = load.force_n / mass_kg
        found[f"{name}Moment"] = load.plate_moment_nm / mass_kg
        found[f"{side[0].upper()}NormalisedGRF"] = _normalised(
            load.force_n / mass_kg, progression(segments), side
        )
    return found


def _normalised(force: Floats, way: Floats, side: Side) -> Floats:
    """Return a ground reaction in percent of body weight, as Nexus turns it.

    That is by the inverse of what turns the laboratory to the way of progression: for
    walks along its y axis ahead and sideways are opposite to the names.
    """
    return np.asarray(force @ way.T * [1.0, -OUTWARD[side], 1.0] * (100 / GRAVITY_MPS2))


def joint_rows(loads: JointLoads) -> Floats:
    """Return what `JOINT_OUTPUTS` name, three columns each, shape (n, 54)."""
    n = len(loads.power)
    found = np.empty((n, 2, 3, 3, 3))
    np.multiply(loads.force, FORCE_SIGNS, out=found[:, :, :, 0])
    found[:, :, :, 1] = loads.moment
    found[:, :, 0, 1] = loads.moment[:, :, 0][..., [1, 2, 0]]
    found[:, :, 1:, 1] = loads.moment[:, :, 1:][..., [1, 0, 2]]
    found[:, :, :, 1] *= MOMENT_SIGNS
    found[:, :, :, 2, 2] = loads.power
    found[:, :, :, 2, :2] = loads.power[..., None] * 0.0  # NaN where there is none
    return found.reshape(n, 54)
