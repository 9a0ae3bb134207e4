"""From a static trial to what the model keeps of it: foot offsets and pelvis width."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, Side
from acquire.gait.marker_checks import MarkerError, check_markers
from acquire.gait.measures import Measures
from acquire.gait.segments import (
    OUTWARD,
    Calibration,
    FootOffsets,
    Segments,
    build_segments,
    inter_asis_m,
)
from acquire.gait.vectors import into, unit

Floats = NDArray[np.float64]
KNEE_DEVICE = ("KAX", "KD1", "KD2")
OFFSETS = ("static_plantar_flexion_{}_deg", "static_rotation_{}_deg")
"""Names of foot offsets in a file of measures."""


def calibrate(
    markers_m: Mapping[str, Floats], measures: Measures, *, foot_flat: bool = True
) -> Calibration:
    """Return what a static trial yields: means over its frames.

    `markers_m` holds (n, 3) per label in m, z up. With `foot_flat` the heel marker
    counts as high as the toe marker (plus the sole's difference): the participant
    stands on flat feet.

    Raises
    ------
    MarkerError
        A marker is missing, or no frame has them all; sides are swapped; positions
        are not in metres; a knee alignment device was worn, whose calibration is
        another one.
    """
    for letter in "LR":
        if all(f"{letter}{name}" in markers_m for name in KNEE_DEVICE):
            raise MarkerError(
                f"the static trial has the knee alignment device {letter}KAX "
                f"{letter}KD1 {letter}KD2; only the calibration by thigh and shank "
                "wands is computed here, record a static trial with "
                f"{letter}KNE instead"
            )
    check_markers(markers_m, "the static trial")
    asis_m = measures.inter_asis_m or inter_asis_m(markers_m)
    segments = build_segments(markers_m, measures, asis_m)
    feet = {
        side: _foot(markers_m, segments, measures, side, foot_flat) for side in SIDES
    }
    return Calibration(asis_m, feet["left"], feet["right"], foot_flat)


def with_stored_offsets(
    calibration: Calibration, known: Mapping[str, float]
) -> Calibration:
    """Return the calibration with foot offsets that were found elsewhere.

    `known` holds, by the names of `OFFSETS` with ``left`` or ``right``, degrees; what
    it lacks stays as it was computed.
    """
    feet = {}
    for side in SIDES:
        foot = calibration.foot(side)
        flexion, rotation = (name.format(side) for name in OFFSETS)
        feet[side] = replace(
            foot,
            plantar_flexion_deg=known.get(flexion, foot.plantar_flexion_deg),
            rotation_deg=known.get(rotation, foot.rotation_deg),
        )
    return replace(calibration, left=feet["left"], right=feet["right"])


def _foot(
    markers_m: Mapping[str, Floats],
    segments: Segments,
    measures: Measures,
    side: Side,
    foot_flat: bool,
) -> FootOffsets:
    letter = side[0].upper()
    heel, toe = markers_m[f"{letter}HEE"], markers_m[f"{letter}TOE"]
    length = float(np.nanmean(np.linalg.norm(toe - heel, axis=-1)))
    if foot_flat:
        heel = heel.copy()
        heel[:, 2] = toe[:, 2] + measures.leg(side).sole_delta_m
    line = into(segments.leg(side).foot_line, unit(toe - heel))
    flexion = np.arctan2(line[:, 2], line[:, 0])
    rotation = -OUTWARD[side] * np.arcsin(line[:, 1])
    if not np.isfinite(flexion).any():
        raise MarkerError(
            f"the static trial has no frame in which the {side} leg's markers are all "
            "visible"
        )
    return FootOffsets(
        float(np.degrees(np.nanmean(flexion))),
        float(np.degrees(np.nanmean(rotation))),
        length - measures.marker_diameter_m / 2,
    )
