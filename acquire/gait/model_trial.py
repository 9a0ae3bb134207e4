"""The gait model over a recorded trial: markers and plates on one grid of frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.foot_loads import at_frames, masked, unknown_samples
from acquire.gait.gap_filling import fill_gaps
from acquire.gait.inverse_dynamics import RAW, Smoothing
from acquire.gait.marker_checks import LEG_MARKERS, MarkerError
from acquire.gait.measures import Measures
from acquire.gait.plug_in_gait import kinematics, kinetics
from acquire.gait.segments import Calibration
from acquire.gait.trial import GaitResult

Floats = NDArray[np.float64]
FRAME_HZ: Final = 100.0
PELVIS: Final = ("LASI", "RASI", "LPSI", "RPSI", "SACR")


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """Outputs by name, (n, 3) each, at `time_s` (n,), multiples of a frame's period.

    `filled` (n,) marks frames in which some marker was interpolated.
    """

    time_s: Floats
    arrays: Mapping[str, Floats] = field(default_factory=dict)
    filled: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    remarks: tuple[str, ...] = ()


def model_trial(
    markers_m: Mapping[str, Floats],
    marker_time_s: Floats,
    found: GaitResult,
    force_rate_hz: float,
    measures: Measures,
    calibration: Calibration,
    smoothing: Smoothing = RAW,
) -> ModelOutputs:
    """Return angles, and kinetics where body mass and plates are known.

    `markers_m` holds (m, 3) per label at `marker_time_s` (m,), in s of trial time;
    frames that are missing become gaps. Kinetics are NaN while a plate carries both
    feet, and where plates were not recorded.
    """
    if marker_time_s.size < smoothing.frames:
        return ModelOutputs(
            np.empty(0), remarks=("too few marker frames for the gait model",)
        )
    slots = np.round(marker_time_s * FRAME_HZ).astype(np.int64)
    first = int(slots[0])
    n = int(slots[-1]) - first + 1
    time_s = (first + np.arange(n)) / FRAME_HZ
    wanted = {*PELVIS, *(side + name for side in "LR" for name in LEG_MARKERS)}
    even = {}
    for name, rows in markers_m.items():
        if name in wanted:
            even[name] = np.full((n, 3), np.nan)
            even[name][slots - first] = rows
    filled, made = fill_gaps(even)
    try:
        segments, arrays = kinematics(filled, measures, calibration, "the trial")
    except MarkerError as error:
        return ModelOutputs(np.empty(0), remarks=(f"no angles: {error}",))
    remarks: list[str] = []
    if not found.loads:
        remarks.append("no moments and powers: there are no plates")
    elif not measures.mass_kg:
        remarks.append("no moments and powers: the participant has no mass_kg")
    else:
        loads = {side: _load(found, side, time_s, force_rate_hz) for side in SIDES}
        arrays |= kinetics(segments, measures, calibration, loads, FRAME_HZ, smoothing)
    return ModelOutputs(
        time_s, arrays, np.any(list(made.values()), axis=0), tuple(remarks)
    )


def _load(found: GaitResult, side: Side, time_s: Floats, rate_hz: float) -> FootLoad:
    """Return a foot's load at frames, from evenly timed force samples."""
    at = found.force_time_s
    load = masked(
        found.loads[side], unknown_samples(found.steps, found.events, side, at)
    )
    per_frame = round(rate_hz / FRAME_HZ)
    margin = per_frame
    start = round((time_s[0] - at[0]) * rate_hz) - margin
    rows = start + np.arange(per_frame * (time_s.size + 2))
    inside = (rows >= 0) & (rows < at.size)

    def placed(part: Floats) -> Floats:
        taken = np.full((rows.size, 3), np.nan)
        taken[inside] = part[rows[inside]]
        return taken

    parts = (load.force_n, load.moment_nm, load.plate_moment_nm)
    longer = at_frames(
        FootLoad(*(placed(part) for part in parts)), per_frame, time_s.size + 2
    )
    return FootLoad(
        longer.force_n[1:-1], longer.moment_nm[1:-1], longer.plate_moment_nm[1:-1]
    )
