"""Lower-body Plug-in Gait: outputs with the names, components and signs of Nexus.

Units: degrees, N/kg, N·m/kg, W/kg. Components of angles and moments: flexion,
adduction, internal rotation; of forces: the axes of the distal segment; powers are
scalar, in the third component.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.angles import joint_angles, progression
from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import (
    FILTERED,
    Joint,
    JointLoad,
    Smoothing,
    angular_velocity,
    leg_loads,
)
from acquire.gait.marker_checks import check_markers
from acquire.gait.measures import MeasureError, Measures
from acquire.gait.segments import OUTWARD, Calibration, Segments, build_segments

Floats = NDArray[np.float64]

JOINT_NAMES: Final[tuple[Joint, ...]] = ("Hip", "Knee", "Ankle")
PARTS: Final = ("Pelvis", "Hip", "Knee", "Ankle", "FootProgress")
ANGLES: Final = tuple(f"{s}{part}Angles" for s in "LR" for part in PARTS)
FORCES: Final = tuple(
    f"{s}{part}Force" for s in "LR" for part in ("GroundReaction", *JOINT_NAMES)
)
MOMENTS: Final = tuple(
    f"{s}{part}Moment" for s in "LR" for part in ("GroundReaction", *JOINT_NAMES)
)
POWERS: Final = tuple(f"{s}{joint}Power" for s in "LR" for joint in JOINT_NAMES)


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
    return segments, joint_angles(segments, calibration, progression(segments))


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
    if not measures.mass_kg:
        raise MeasureError("mass_kg", "is missing: forces are per kg of body mass")
    found: dict[str, Floats] = {}
    half = smoothing.frames // 2
    turning = angular_velocity(segments.pelvis, rate_hz, smoothing)
    for side in SIDES:
        letter, load = side[0].upper(), loads[side]
        found[f"{letter}GroundReactionForce"] = load.force_n / measures.mass_kg
        found[f"{letter}GroundReactionMoment"] = load.plate_moment_nm / measures.mass_kg
        joints = leg_loads(
            segments,
            calibration,
            side,
            load,
            measures.mass_kg,
            rate_hz,
            smoothing,
            turning,
        )
        for joint, part in joints.items():
            for name, rows in _reported(f"{letter}{joint}", joint, side, part).items():
                rows[:half] = rows[len(rows) - half :] = np.nan
                found[name] = rows
    return found


def _reported(
    name: str, joint: Joint, side: Side, load: JointLoad
) -> dict[str, Floats]:
    """Return force, moment and power as they are reported."""
    sign = OUTWARD[side]
    x, y, z = load.moment.T
    if joint == "Ankle":
        moment = np.column_stack([y, -sign * z, sign * x])
    elif joint == "Knee":
        moment = np.column_stack([-y, sign * x, sign * z])
    else:
        moment = np.column_stack([y, sign * x, sign * z])
    force = load.force * np.array([-1.0, 1.0, -1.0]) if joint == "Ankle" else load.force
    nothing = load.power * 0.0  # NaN where there is no power
    return {
        f"{name}Force": force,
        f"{name}Moment": moment,
        f"{name}Power": np.column_stack([nothing, nothing, load.power]),
    }
