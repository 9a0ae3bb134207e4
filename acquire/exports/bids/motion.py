"""Markers, joint angles and ground reaction of one trial as Motion-BIDS."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import FRAME_HZ, TrialArrays
from acquire.exports.bids.names import MISSING, Run, sidecar, table
from acquire.exports.bids.settings import BidsSettings

Floats = NDArray[np.float64]

SYSTEM: Final = "vicon"
COLUMNS: Final = (
    *("name", "component", "type", "tracked_point", "units"),
    *("description", "sampling_frequency"),
)
KINDS: Final = (
    *("POS", "JNTANG", "MISC", "ACCEL", "ANGACCEL", "GYRO", "LATENCY", "MAGN"),
    *("ORNT", "VEL"),
)
ANGLES: Final = ("Hip", "Knee", "Ankle", "Pelvis", "FootProgress")


def motion_files(
    run: Run, trial: TrialArrays, settings: BidsSettings
) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of a trial's motion files; none without markers."""
    if not trial.markers_m or not trial.n_frames:
        return
    channels, columns = _channels(trial)
    rows = np.stack(columns, axis=1)
    text = "\n".join("\t".join(map(_number, row)) for row in rows.tolist()) + "\n"
    yield str(run.file("motion", "motion.tsv", system=SYSTEM)), text.encode()
    yield (
        str(run.file("motion", "channels.tsv", system=SYSTEM)),
        table(COLUMNS, channels),
    )
    kinds = [channel[2] for channel in channels]
    content = {
        "TaskName": run.task,
        "TaskDescription": settings.task_description,
        "TrackingSystemName": SYSTEM,
        "Manufacturer": settings.motion_manufacturer,
        "ManufacturersModelName": settings.motion_model,
        "InstitutionName": settings.institution,
        "SamplingFrequency": FRAME_HZ,
        "SamplingFrequencyEffective": FRAME_HZ,
        "RecordingDuration": trial.duration_s,
        "MissingValues": MISSING,
        "MotionChannelCount": len(channels),
        **{f"{kind}ChannelCount": kinds.count(kind) for kind in KINDS},
        "TrackedPointsCount": len(trial.markers_m),
        "RotationOrder": MISSING,
        "RotationRule": MISSING,
        "SpatialAxes": "ALS",
    }
    yield str(run.file("motion", "motion.json", system=SYSTEM)), sidecar(content)


def _channels(trial: TrialArrays) -> tuple[list[tuple[object, ...]], list[Floats]]:
    channels: list[tuple[object, ...]] = []
    columns: list[Floats] = []

    def add(
        name: str, rows: Floats, kind: str, point: str, unit: str, said: str
    ) -> None:
        for k, axis in enumerate("xyz"):
            told = (f"{name}_{axis}", axis, kind, point, unit, said, FRAME_HZ)
            channels.append(told)
            columns.append(rows[:, k])

    for name, rows in trial.markers_m.items():
        add(name, rows, "POS", name, "m", "marker, world axes: x ahead, y left, z up")
    for part in ANGLES:
        for side in "LR":
            angles = trial.model.get(f"{side}{part}Angles")
            if angles is not None:
                said = "Plug-in Gait: x flexion, y adduction, z internal rotation"
                point = f"{side}{part}"
                add(f"{point}Angles", angles, "JNTANG", point, "deg", said)
    for side, force in trial.forces_n.items():
        said = "ground reaction on this foot, world axes"
        name = f"{side[0].upper()}GroundReactionForce"
        add(name, force, "MISC", f"{side} foot", "N", said)
    return channels, columns


def _number(value: float) -> str:
    return MISSING if value != value else f"{value:.6f}"
