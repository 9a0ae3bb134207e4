"""The two structs of a trial in a K2MUSE subject file: original and normalised.

Names, shapes and units follow the published description; what it leaves open (the
names inside `Events`, where frames and times are counted from) is a `Profile`.
Angles, Moments, Powers and joint forces are absent where the gait model had nothing
to rest on.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_HZ, FRAME_HZ, TrialArrays
from acquire.dataset.matfile import Cell, Value
from acquire.gait.cycles import POINTS, Stride, normalise
from acquire.gait.events import Kind, times_of
from acquire.gait.feet import Side

Floats = NDArray[np.float64]

EVENT_NAMES: Mapping[tuple[Side, Kind], str] = {
    ("left", "strike"): "Left_Foot_Strike",
    ("left", "off"): "Left_Foot_Off",
    ("right", "strike"): "Right_Foot_Strike",
    ("right", "off"): "Right_Foot_Off",
}
FORCE_NAMES: Mapping[Side, str] = {
    "left": "LGroundReactionForce",
    "right": "RGroundReactionForce",
}
_JOINTS = ("Ankle", "Knee", "Hip")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Angles": (
        *(f"{s}{joint}Angles" for s in "LR" for joint in ("Hip", "Knee", "Ankle")),
        *(f"{s}{part}Angles" for part in ("Pelvis", "FootProgress") for s in "LR"),
    ),
    "Forces": tuple(
        f"{s}{part}Force" for part in ("GroundReaction", *_JOINTS) for s in "LR"
    ),
    "Moments": tuple(
        f"{s}{part}Moment" for part in ("GroundReaction", *_JOINTS) for s in "LR"
    ),
    "Powers": tuple(f"{s}{joint}Power" for joint in _JOINTS for s in "LR"),
}
"""Variables of each group, labelled and ordered as Nexus exports them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Choices the published files do not document.

    `first_frame` is the number of the frame at trial time 0, and `start_time_s` the
    `EventTime` there. `event_names` follow the toolkit that made the published files
    from C3D.
    """

    first_frame: int = 1
    start_time_s: float = 0.0

    def frame(self, time_s: Floats) -> Floats:
        """Return the number of the nearest frame."""
        return np.round(time_s * FRAME_HZ) + self.first_frame


PROFILE = Profile()


def original(trial: TrialArrays, mass_kg: float, profile: Profile = PROFILE) -> Value:
    """Return the struct under `OriginalData`; large parts are made when written."""
    return {
        "Markers": {field_name(k): rows for k, rows in trial.markers_m.items()},
        **model_groups(trial, mass_kg),
        "Events": _events(trial, profile),
        "USData": lambda: Cell(tuple(_frames(trial, range(len(trial.echo))))),
        "EMGData": trial.emg_uv,
    }


def normalized(trial: TrialArrays, mass_kg: float, profile: Profile = PROFILE) -> Value:
    """Return the struct under `NormalizedData`, by accepted strides of each side."""
    left, right = trial.accepted("left"), trial.accepted("right")
    return {
        "Markers": {
            field_name(name): _strides_of(trial, name, rows)
            for name, rows in trial.markers_m.items()
        },
        **{
            group: {name: _strides_of(trial, name, rows) for name, rows in part.items()}
            for group, part in model_groups(trial, mass_kg).items()
        },
        "Events": {
            "LStartFrame": _row(profile.frame(_starts(left))),
            "LEndFrame": _row(profile.frame(_ends(left))),
            "RStartFrame": _row(profile.frame(_starts(right))),
            "REndFrame": _row(profile.frame(_ends(right))),
        },
        "USData": Cell(tuple(_lazy_echoes(trial, stride) for stride in left)),
        "EMGData": {
            "Right": Cell(tuple(_emg(trial, stride)[:, :9] for stride in right)),
            "Left": Cell(tuple(_emg(trial, stride)[:, 9:] for stride in left)),
        },
    }


def absent_groups(trial: TrialArrays) -> list[str]:
    """Return the groups that a trial lacks because there is no gait model of it."""
    return [
        group
        for group, names in GROUPS.items()
        if group != "Forces" and not any(name in trial.model for name in names)
    ]


def field_name(label: str) -> str:
    """Return a marker's label as a MATLAB field name."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", label)[:63]
    return name if name[:1].isalpha() else f"M{name}"[:63]


def side_of(name: str) -> Side:
    """Return whose strides a variable is cut by; midline ones go with the right."""
    return "left" if name.startswith("L") else "right"


def _strides_of(trial: TrialArrays, name: str, rows: Floats) -> Mapping[str, Value]:
    """Return all strides resampled, (200, 3, n), with their mean and deviation."""
    strides = trial.accepted(side_of(name))
    at = np.arange(trial.n_frames) / FRAME_HZ
    cycles = np.empty((POINTS, rows.shape[1], len(strides)))
    for k, stride in enumerate(strides):
        cycles[:, :, k] = normalise(at, rows, stride.start_s, stride.end_s)
    n = len(strides)
    unknown = np.full(cycles.shape[:2], np.nan)
    return {
        "rsGaitData": cycles,
        "MeanValues": cycles.mean(axis=2) if n else unknown,
        "StdValues": cycles.std(axis=2, ddof=1) if n > 1 else unknown,
    }


def _forces(trial: TrialArrays, mass_kg: float) -> dict[str, Floats]:
    if not mass_kg > 0:
        raise ValueError(f"mass_kg is {mass_kg}: forces per kg need the body mass")
    return {
        FORCE_NAMES[side]: trial.forces_n[side] / mass_kg
        for side in FORCE_NAMES
        if side in trial.forces_n
    }


def model_groups(trial: TrialArrays, mass_kg: float) -> dict[str, dict[str, Floats]]:
    """Return Angles, Forces, Moments and Powers, those that there are, in order."""
    made: dict[str, Floats] = {**trial.model, **_forces(trial, mass_kg)}
    found = {
        group: {name: made[name] for name in names if name in made}
        for group, names in GROUPS.items()
    }
    return {k: part for k, part in found.items() if part or k == "Forces"}


def _events(trial: TrialArrays, profile: Profile) -> Mapping[str, Value]:
    last_s = trial.duration_s - 1 / FRAME_HZ
    found = {
        name: times_of(trial.events, side, kind)
        for (side, kind), name in EVENT_NAMES.items()
    }
    inside = {k: t[(t >= 0) & (t <= last_s)][:, None] for k, t in found.items()}
    return {
        "EventTime": {k: t + profile.start_time_s for k, t in inside.items()},
        "EventFrame": {k: profile.frame(t) for k, t in inside.items()},
    }


def _frames(trial: TrialArrays, rows: range) -> list[Callable[[], Value]]:
    def frame(k: int) -> Callable[[], Value]:
        return lambda: (
            np.full(trial.echo.shape[1:], np.nan)
            if trial.echo_missing[k]
            else trial.echo[k].astype(np.float64)
        )

    return [frame(k) for k in rows]


def _lazy_echoes(trial: TrialArrays, stride: Stride) -> Cell:
    """Return the frames of one stride as a cell; empty where none was received."""
    at = trial.echo_time_s
    rows = np.flatnonzero((at >= stride.start_s) & (at < stride.end_s))
    if trial.echo_missing[rows].all():
        return Cell(())
    return Cell(tuple(_frames(trial, range(int(rows[0]), int(rows[-1]) + 1))))


def _emg(trial: TrialArrays, stride: Stride) -> Floats:
    first, last = (int(np.ceil(t * EMG_HZ)) for t in (stride.start_s, stride.end_s))
    return trial.emg_uv[first:last]


def _starts(strides: list[Stride]) -> Floats:
    return np.array([stride.start_s for stride in strides], dtype=np.float64)


def _ends(strides: list[Stride]) -> Floats:
    return np.array([stride.end_s for stride in strides], dtype=np.float64)


def _row(values: Floats) -> Floats:
    return values.reshape(1, -1)
