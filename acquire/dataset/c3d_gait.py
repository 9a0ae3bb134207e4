"""Plug-in Gait from C3D files: a static trial, a trial, and what is known of a body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.c3d import C3dFile
from acquire.gait.events import GaitEvent
from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.foot_loads import at_frames, masked, unknown_samples
from acquire.gait.inverse_dynamics import FILTERED, Smoothing
from acquire.gait.marker_checks import check_markers
from acquire.gait.measures import MeasureError, Measures, measures
from acquire.gait.plate_checks import check_plates
from acquire.gait.plate_types import forces_and_moments, on_plate, plate_at
from acquire.gait.plates import Deck, Plate
from acquire.gait.plug_in_gait import kinematics, kinetics
from acquire.gait.segments import Calibration
from acquire.gait.static_calibration import OFFSETS, calibrate, with_stored_offsets
from acquire.gait.trial import GaitInput, GaitResult, analyse, feet_at

Floats = NDArray[np.float64]

PROCESSING_NAMES: Final[Mapping[str, str]] = {
    "marker_diameter_mm": "MarkerDiameter",
    "mass_kg": "Bodymass",
    "height_mm": "Height",
    **{
        f"{ours}_{side}_mm": f"{side[0].upper()}{theirs}"
        for side in SIDES
        for ours, theirs in (
            ("leg_length", "LegLength"),
            ("knee_width", "KneeWidth"),
            ("ankle_width", "AnkleWidth"),
            ("sole_delta", "SoleDelta"),
        )
    },
}
"""Our names of measures, and those of the group PROCESSING."""

OFFSET_NAMES: Final[Mapping[str, str]] = {
    ours.format(side): f"{side[0].upper()}{theirs}"
    for side in SIDES
    for ours, theirs in zip(OFFSETS, ("StaticPlantFlex", "StaticRotOff"), strict=True)
}
NOT_OURS: Final[Mapping[str, str]] = {
    "TibialTorsion": "tibial torsion",
    "AnkleAbAdd": "ankle abduction from medial markers",
}
ROTATIONS: Final[Mapping[str, str]] = {
    "ThighRotation": "thigh_rotation",
    "ShankRotation": "shank_rotation",
}


@dataclass(frozen=True, eq=False)
class C3dGait:
    """What came out: arrays as named in C3D (n, 3), and what they rest on.

    `ground_unknown` (n,) is True where a foot stands on no plate, or not alone: its
    kinetics are NaN or, where the trial cuts the stance, those of an unloaded foot.
    """

    arrays: Mapping[str, Floats]
    ground_unknown: Mapping[Side, NDArray[np.bool_]]
    events: list[GaitEvent]
    measures: Measures
    calibration: Calibration
    rate_hz: float
    remarks: tuple[str, ...]


def file_measures(static: C3dFile, trial: C3dFile) -> dict[str, float]:
    """Return the measures two files hold, by our names, in mm and kg.

    Zero means not taken. The trial's go before the static trial's, but for the
    distance between the ASIS: what a trial stores of that may stem from another
    static trial.
    """
    found = {
        ours: file.processing[theirs]
        for file in (static, trial)
        for ours, theirs in PROCESSING_NAMES.items()
        if file.processing.get(theirs, 0.0) != 0
    }
    if static.processing.get("InterAsisDistance", 0.0):
        found["inter_asis_mm"] = static.processing["InterAsisDistance"]
    return found


def file_offsets(static: C3dFile, trial: C3dFile) -> dict[str, float]:
    """Return the static offsets of both feet, in degrees, that a file holds.

    The trial's go before the static trial's.

    Raises
    ------
    MeasureError
        Neither file holds any.
    """
    for file in (trial, static):
        found = offsets_of(file.processing)
        if found:
            return found
    raise MeasureError(
        "static offsets",
        f"are in neither {static.path.name} nor {trial.path.name} (PROCESSING: "
        f"{', '.join(OFFSET_NAMES.values())}); leave out --stored-offsets to have "
        "them computed",
    )


def offsets_of(parameters: Mapping[str, float]) -> dict[str, float]:
    """Return static offsets in degrees from parameters named as Nexus does.

    Nexus stores radians, but some of its versions degrees; no foot is turned by more
    than a radian, and none by less than one degree in everything.
    """
    found = {
        ours: parameters[theirs]
        for ours, theirs in OFFSET_NAMES.items()
        if theirs in parameters
    }
    largest = max(map(abs, found.values()), default=0.0)
    if len(found) < len(OFFSET_NAMES) or largest == 0:
        return {}
    scale = 1.0 if largest > 1 else float(np.degrees(1.0))
    return {name: scale * value for name, value in found.items()}


def gait_of_c3d(
    static: C3dFile,
    trial: C3dFile,
    given: Mapping[str, float],
    *,
    foot_flat: bool = True,
    stored_offsets: bool = False,
    smoothing: Smoothing = FILTERED,
) -> C3dGait:
    """Compute angles, and kinetics where there are plates.

    `given` are measures that go before those in the files, by the names of
    ``participants.tsv``; static offsets among them go before those of the static
    trial, as with `stored_offsets` do those that the files hold.

    Raises
    ------
    MeasureError
        A measure is missing or impossible.
    MarkerError
        Markers are missing, swapped or not in m.
    PlateError
        Plates are out of order.
    """
    known = {**file_measures(static, trial), **given}
    _refuse_other_calibrations(static, trial, given)
    body = measures(known)
    calibration = calibrate(static.markers_m, body, foot_flat=foot_flat)
    offsets = file_offsets(static, trial) if stored_offsets else {}
    calibration = with_stored_offsets(calibration, {**offsets, **given})
    markers = trial.markers_m
    name = trial.path.name
    check_markers(markers, name)
    segments, arrays = kinematics(markers, body, calibration, name)
    stored = _stored_events(trial)
    remarks: list[str] = []
    unknown: dict[Side, NDArray[np.bool_]] = {}
    found = _analysed(trial, markers)
    events = stored or found.events
    if not trial.plates:
        remarks.append(f"{name} has no force plates: there are no kinetics")
    else:
        if not body.mass_kg:
            raise MeasureError("mass_kg", "is missing: forces are per kg of body mass")
        loads, unknown = _loads(trial, found, events)
        arrays |= kinetics(segments, body, calibration, loads, trial.rate_hz, smoothing)
    return C3dGait(
        arrays,
        unknown,
        events,
        body,
        calibration,
        trial.rate_hz,
        (*remarks, *found.remarks),
    )


def force_plates(trial: C3dFile) -> tuple[list[Plate], list[Floats]]:
    """Return the file's plates and the loads (n, 6) on them, in N and N·m."""
    plates = [
        plate_at(str(k), plate.kind, plate.corners_m, plate.origin_m)
        for k, plate in enumerate(trial.plates, 1)
    ]
    loads = [
        on_plate(
            placed,
            forces_and_moments(p.kind, p.channels, p.origin_m, p.matrix),
        )
        for placed, p in zip(plates, trial.plates, strict=True)
    ]
    return plates, loads


def _analysed(trial: C3dFile, markers: Mapping[str, Floats]) -> GaitResult:
    plates, loads = force_plates(trial)
    n = len(loads[0]) if loads else 0
    force_time_s = np.arange(n) / trial.analog_rate_hz
    marker_time_s = np.arange(trial.n_frames) / trial.rate_hz
    deck = Deck(np.zeros(n), np.zeros(3), plates_follow_deck=False)
    feet = feet_at(markers, marker_time_s, force_time_s)
    check_plates(plates, loads, feet, deck, trial.path.name)
    return analyse(
        GaitInput(
            plates,
            loads,
            force_time_s,
            trial.analog_rate_hz,
            markers,
            marker_time_s,
            trial.rate_hz,
            deck,
        )
    )


def _loads(
    trial: C3dFile, found: GaitResult, events: list[GaitEvent]
) -> tuple[dict[Side, FootLoad], dict[Side, NDArray[np.bool_]]]:
    """Return what acts on each foot at marker frames, and where that is not known.

    Like Nexus, loads are NaN only in stances that lie whole within the trial; what
    the foot at the trial's ends stands on without a plate is merely told apart.
    """
    per_frame = round(trial.analog_rate_hz / trial.rate_hz)
    loads: dict[Side, FootLoad] = {}
    unknown: dict[Side, NDArray[np.bool_]] = {}
    for side in SIDES:
        hidden, unknown[side] = (
            unknown_samples(found.steps, events, side, found.force_time_s, cut=cut)[
                ::per_frame
            ][: trial.n_frames]
            for cut in (False, True)
        )
        load = at_frames(found.loads[side], per_frame, trial.n_frames)
        loads[side] = masked(load, hidden)
    return loads, unknown


def _stored_events(trial: C3dFile) -> list[GaitEvent]:
    """Return the strikes and offs that the file holds."""
    return [
        GaitEvent(
            event.time_s,
            "left" if event.context == "Left" else "right",
            "strike" if event.label == "Foot Strike" else "off",
            "file",
        )
        for event in trial.events
        if event.context in ("Left", "Right")
        and event.label in ("Foot Strike", "Foot Off")
    ]


def _refuse_other_calibrations(
    static: C3dFile, trial: C3dFile, given: Mapping[str, float]
) -> None:
    """Refuse parameters that this calibration would silently leave out."""
    for file in (static, trial):
        for side in SIDES:
            for name, what in NOT_OURS.items():
                value = file.processing.get(f"{side[0].upper()}{name}", 0.0)
                if value:
                    raise MeasureError(
                        f"{side[0].upper()}{name}",
                        f"is {value:g} in {file.path.name}: the model was calibrated "
                        f"with {what}, which is not computed here; use the outputs "
                        "that Nexus made, or calibrate without it",
                    )
            for name, ours in ROTATIONS.items():
                value = file.processing.get(f"{side[0].upper()}{name}", 0.0)
                if value and f"{ours}_{side}_deg" not in given:
                    raise MeasureError(
                        f"{ours}_{side}_deg",
                        f"is missing: {file.path.name} has {side[0].upper()}{name} "
                        f"{value:g} without its unit",
                    )
