"""A trial as Nexus would export it: points, plates, trigger line, events, outputs."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import FRAME_HZ
from acquire.dataset.c3d import C3dEvent, C3dPlate
from acquire.dataset.c3d_gait import PROCESSING_NAMES
from acquire.dataset.c3d_writer import write_c3d
from acquire.dataset.k2muse import FORCE_NAMES, by_group
from acquire.dataset.participants import Participant
from acquire.dataset.placed_trial import PlacedTrial
from acquire.gait.plates import Plate

Floats = NDArray[np.float64]

SYNC = "Sync"  #: analog channel that holds the trigger line
SIMULATED = "KinemuseSimulated"  #: parameter that marks files of the virtual lab
ASIS_NAMES = {"inter_asis_mm": "InterAsisDistance"}  #: true in static trials' files
_UPSIDE_DOWN = np.diag([1.0, -1.0, -1.0])


def write_vicon(path: Path, trial: PlacedTrial, person: Participant | None) -> Path:
    """Write one trial as C3D; frame 1 is trial time 0, the last the end of the trial.

    Plates stand where the deck was in this trial and hold, as Nexus does, the reaction
    to what the instrument sent, z down; the subject's measures go under PROCESSING.
    What the gait model made of the trial is there as Nexus has it, by groups.
    """
    n = trial.n_frames
    rows, rate_hz = _force_rows(trial)
    plates = [_c3d_plate(p, rows[:, list(columns)]) for p, columns in trial.plates()]
    analogs: dict[str, tuple[Floats, str]] = {}
    if "vicon-forces" in trial.recording:
        stream = trial.recording["vicon-forces"]
        line = stream.trigger.channel if stream.trigger else ""
        if line in stream.labels:
            column = stream.labels.index(line)
            unit = stream.channels[column].unit or "V"
            analogs[SYNC] = (rows[:, column], unit)
    events = [
        C3dEvent(event.time_s, event.side.capitalize(), f"Foot {event.kind.title()}")
        for event in trial.gait.events
        if 0 <= event.time_s <= (n - 1) / FRAME_HZ
    ]
    parameters = _parameters(person)
    if any(stream.simulated for stream in trial.recording.streams):
        parameters[SIMULATED] = 1.0
    return write_c3d(
        path,
        trial.markers_m(),
        FRAME_HZ,
        analogs=analogs,
        analog_rate_hz=rate_hz,
        plates=plates,
        events=events,
        processing=parameters,
        outputs=model_outputs(trial, person),
    )


def model_outputs(
    trial: PlacedTrial, person: Participant | None
) -> dict[str, dict[str, Floats]]:
    """Return outputs (n_frames, 3) by the format's group and label, per body mass.

    In deg, N/kg, N·m/kg and W/kg; groups that nothing could be computed for, and the
    ground reaction where the mass is not known, are absent.
    """
    made = trial.model()
    if person and person.mass_kg > 0:
        for side, rows in trial.forces_n().items():
            made.setdefault(FORCE_NAMES[side], rows / person.mass_kg)
    return {group.upper(): part for group, part in by_group(made).items() if part}


def _force_rows(trial: PlacedTrial) -> tuple[Floats, float]:
    """Return the force stream from frame 1 to the last, NaN where samples were lost."""
    if "vicon-forces" not in trial.recording:
        return np.empty((0, 0)), 1000.0
    stream = trial.recording["vicon-forces"]
    n = trial.n_frames * round(stream.rate_hz / FRAME_HZ)
    placed = np.full((n, stream.data.shape[1]), np.nan)
    at = trial.time_s("vicon-forces")
    known = np.flatnonzero(np.isfinite(at))
    slot = np.round(at[known] * stream.rate_hz).astype(int)
    inside = (slot >= 0) & (slot < n)
    placed[slot[inside]] = stream.data[known[inside]]
    return placed, stream.rate_hz


def _c3d_plate(plate: Plate, loads: Floats) -> C3dPlate:
    """Describe a plate as the format does: x and y by its corners, z down."""
    rotation = plate.rotation
    if rotation[2, 2] > 0:
        rotation = rotation @ _UPSIDE_DOWN
        loads = np.hstack([loads[:, :3] @ _UPSIDE_DOWN, loads[:, 3:] @ _UPSIDE_DOWN])
    centre = plate.corners_m.mean(axis=0)
    placed = (plate.corners_m - centre) @ rotation
    order = [
        int(np.argmax(placed[:, 0] * x + placed[:, 1] * y))
        for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    ]
    to_surface = (centre - plate.origin_m) @ rotation
    if to_surface[2] > -1e-6:  # a sensor in the surface or above it has no place
        loads = _moments_about(loads, to_surface)
        to_surface = np.zeros(3)
    return C3dPlate(2, -loads, plate.corners_m[order], to_surface)


def _moments_about(loads: Floats, point_m: Floats) -> Floats:
    moment = loads[:, 3:] - np.cross(point_m, loads[:, :3])
    return np.hstack([loads[:, :3], moment])


def _parameters(person: Participant | None) -> dict[str, float]:
    known: Mapping[str, object] = asdict(person) if person else {}
    return {
        theirs: float(value)
        for ours, theirs in {**PROCESSING_NAMES, **ASIS_NAMES}.items()
        if isinstance(value := known.get(ours), int | float) and value == value
    }
