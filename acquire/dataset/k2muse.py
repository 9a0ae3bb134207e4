"""The two structs of a trial in a K2MUSE subject file: original and normalised.

Names, shapes and units follow the published description; what it leaves open (the
names inside `Events`, where frames and times are counted from) is a `Profile`.
Angles, Moments, Powers and joint forces are absent where the gait model had nothing
to rest on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_HZ, FRAME_HZ, TrialArrays
from acquire.dataset.matfile_values import Cell, Shared, Value
from acquire.gait.cycles import POINTS, Stride, normalise
from acquire.gait.events import Kind, times_of
from acquire.gait.feet import SIDES, Side

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


def trees(
    trial: TrialArrays, mass_kg: float, profile: Profile = PROFILE
) -> dict[str, Value]:
    """Return a trial's struct in each of the two trees; large parts made when written.

    Frames of ultrasound are in both, whole and cut by strides, and stored once.
    """
    frames = _frames(trial)
    return {
        "OriginalData": _original(trial, mass_kg, profile, frames),
        "NormalizedData": lambda: _normalized(trial, mass_kg, profile, frames),
    }


def _original(
    trial: TrialArrays, mass_kg: float, profile: Profile, frames: Sequence[Value]
) -> Value:
    return {
        "Markers": {field_name(k): rows for k, rows in trial.markers_m.items()},
        **model_groups(trial, mass_kg),
        "Events": _events(trial, profile),
        "USData": Cell(tuple(frames)),
        "EMGData": trial.emg_uv,
    }


def _normalized(
    trial: TrialArrays, mass_kg: float, profile: Profile, frames: Sequence[Value]
) -> Value:
    """Return a trial by accepted strides of each side."""
    left, right = trial.accepted("left"), trial.accepted("right")
    markers = {field_name(name): rows for name, rows in trial.markers_m.items()}
    groups = {"Markers": markers, **model_groups(trial, mass_kg)}
    return {
        **{group: _by_strides(trial, part) for group, part in groups.items()},
        "Events": {
            "LStartFrame": _row(profile.frame(_starts(left))),
            "LEndFrame": _row(profile.frame(_ends(left))),
            "RStartFrame": _row(profile.frame(_starts(right))),
            "REndFrame": _row(profile.frame(_ends(right))),
        },
        "USData": Cell(tuple(_echoes(trial, frames, stride) for stride in left)),
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


def _by_strides(
    trial: TrialArrays, variables: Mapping[str, Floats]
) -> dict[str, Mapping[str, Value]]:
    """Return all strides of every variable, resampled, with mean and deviation."""
    made: dict[str, Mapping[str, Value]] = {}
    for side in SIDES:
        own = {name: rows for name, rows in variables.items() if side_of(name) == side}
        made |= _strides_of(trial, side, own)
    return {name: made[name] for name in variables}


def _strides_of(
    trial: TrialArrays, side: Side, variables: Mapping[str, Floats]
) -> dict[str, Mapping[str, Value]]:
    """Resample a side's variables together; each (200, columns, strides)."""
    if not variables:
        return {}
    at = np.arange(trial.n_frames) / FRAME_HZ
    rows = np.concatenate(list(variables.values()), axis=1)
    strides = trial.accepted(side)
    n = len(strides)
    cycles = np.empty((POINTS, rows.shape[1], n))
    for k, stride in enumerate(strides):
        cycles[:, :, k] = normalise(at, rows, stride.start_s, stride.end_s)
    unknown = np.full(cycles.shape[:2], np.nan)
    parts = {
        "rsGaitData": cycles,
        "MeanValues": cycles.mean(axis=2) if n else unknown,
        "StdValues": cycles.std(axis=2, ddof=1) if n > 1 else unknown,
    }
    ends = np.cumsum([part.shape[1] for part in variables.values()])[:-1]
    cut = {label: np.split(part, ends, axis=1) for label, part in parts.items()}
    return {
        name: {label: cut[label][k] for label in parts}
        for k, name in enumerate(variables)
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
    found = by_group({**trial.model, **_forces(trial, mass_kg)})
    return {k: part for k, part in found.items() if part or k == "Forces"}


def by_group(made: Mapping[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Sort variables into their groups, in order; a group may be empty."""
    return {
        group: {name: made[name] for name in names if name in made}
        for group, names in GROUPS.items()
    }


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


def _frames(trial: TrialArrays) -> list[Shared]:
    """Return every frame of ultrasound, made of raw counts when it is written."""

    def frame(k: int) -> Shared:
        return Shared(
            lambda: (
                np.full(trial.echo.shape[1:], np.nan)
                if trial.echo_missing[k]
                else trial.echo[k].astype(np.float64)
            )
        )

    return [frame(k) for k in range(len(trial.echo))]


def _echoes(trial: TrialArrays, frames: Sequence[Value], stride: Stride) -> Cell:
    """Return the frames of one stride as a cell; empty where none was received."""
    at = trial.echo_time_s
    rows = np.flatnonzero((at >= stride.start_s) & (at < stride.end_s))
    if trial.echo_missing[rows].all():
        return Cell(())
    return Cell(tuple(frames[rows[0] : rows[-1] + 1]))


def _emg(trial: TrialArrays, stride: Stride) -> Floats:
    first, last = (int(np.ceil(t * EMG_HZ)) for t in (stride.start_s, stride.end_s))
    return trial.emg_uv[first:last]


def _starts(strides: list[Stride]) -> Floats:
    return np.array([stride.start_s for stride in strides], dtype=np.float64)


def _ends(strides: list[Stride]) -> Floats:
    return np.array([stride.end_s for stride in strides], dtype=np.float64)


def _row(values: Floats) -> Floats:
    return values.reshape(1, -1)
