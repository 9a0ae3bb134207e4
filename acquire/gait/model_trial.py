"""The gait model over a recorded trial: markers and plates on one grid of frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.foot_loads import masked, means_around, unknown_samples
from acquire.gait.gap_filling import FilledMarkers, fill_gaps
from acquire.gait.marker_checks import MarkerError
from acquire.gait.measures import Measures
from acquire.gait.plug_in_gait import kinematics, kinetics
from acquire.gait.processing import Processing
from acquire.gait.rigid_filling import MODEL
from acquire.gait.segments import Calibration
from acquire.gait.smoothing import smooth_markers
from acquire.gait.trial import GaitResult

Floats = NDArray[np.float64]
PROCESSING: Final = Processing()


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """Outputs by name, (n, 3) each, at `time_s` (n,), multiples of a frame's period.

    `markers` are those the outputs rest on, gaps filled and smoothed as asked for;
    `filled` (n,) marks frames in which some marker was made up. `source` says who
    computed the outputs.
    """

    time_s: Floats
    arrays: Mapping[str, Floats] = field(default_factory=dict)
    filled: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    remarks: tuple[str, ...] = ()
    markers: FilledMarkers = field(default_factory=lambda: FilledMarkers({}, {}))
    source: str = "kinemuse"


def model_trial(
    markers_m: Mapping[str, Floats],
    marker_time_s: Floats,
    found: GaitResult,
    force_rate_hz: float,
    measures: Measures,
    calibration: Calibration,
    *,
    marker_rate_hz: float = 100.0,
    processing: Processing = PROCESSING,
) -> ModelOutputs:
    """Return angles, and kinetics where body mass and plates are known.

    `markers_m` holds (m, 3) per label at `marker_time_s` (m,), in s of trial time;
    frames that are missing become gaps. Kinetics are NaN while a plate carries both
    feet, and where plates were not recorded.
    """
    derivative = processing.derivative(marker_rate_hz)
    if marker_time_s.size < derivative.frames:
        return ModelOutputs(
            np.empty(0), remarks=("too few marker frames for the gait model",)
        )
    slots = np.round(marker_time_s * marker_rate_hz).astype(np.int64)
    first = int(slots[0])
    n = int(slots[-1]) - first + 1
    time_s = (first + np.arange(n)) / marker_rate_hz
    even = {}
    for name, rows in markers_m.items():
        even[name] = np.full((n, 3), np.nan)
        even[name][slots - first] = rows
    whole = fill_gaps(even, processing.spline_gap_frames)
    used = {name: rows for name, rows in whole.markers_m.items() if name in MODEL}
    used = smooth_markers(used, processing.smoothing)
    markers = FilledMarkers(used, {name: whole.method[name] for name in used})
    try:
        segments, arrays = kinematics(used, measures, calibration, "the trial")
    except MarkerError as error:
        return ModelOutputs(np.empty(0), remarks=(f"no angles: {error}",))
    remarks: list[str] = []
    if not found.loads:
        remarks.append("no moments and powers: there are no plates")
    elif not measures.mass_kg:
        remarks.append("no moments and powers: the participant has no mass_kg")
    else:
        loads = {
            side: _load(found, side, time_s, force_rate_hz, 1 / marker_rate_hz)
            for side in SIDES
        }
        arrays |= kinetics(
            segments, measures, calibration, loads, marker_rate_hz, derivative
        )
    return ModelOutputs(time_s, arrays, markers.any_filled, tuple(remarks), markers)


def _load(
    found: GaitResult, side: Side, time_s: Floats, rate_hz: float, period_s: float
) -> FootLoad:
    """Return a foot's load at frames, from evenly timed force samples."""
    at = found.force_time_s
    load = masked(
        found.loads[side], unknown_samples(found.steps, found.events, side, at)
    )
    place = (time_s - at[0]) * rate_hz
    width = period_s * rate_hz
    parts = (load.force_n, load.moment_nm, load.plate_moment_nm)
    return FootLoad(*(means_around(part, place, width) for part in parts))
