"""Parquet tables in LocoHub's convention: 150 points a stride, and frame by frame.

Its signs: hip and knee flexion, ankle dorsiflexion positive, for angles and (internal)
moments alike; Plug-in Gait's moments are extensor and plantarflexor positive, so they
change sign. Ground reaction is in body weights, forward and to the right positive.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from acquire.dataset.arrays import FRAME_HZ, TrialArrays
from acquire.dataset.participants import Participant
from acquire.dataset.trial_source import load
from acquire.exports.trials import (
    AcceptedTrial,
    ExportResult,
    accepted_trials,
    new_folder,
)
from acquire.gait.cycles import normalise
from acquire.gait.feet import SIDES, Side
from acquire.storage.durable import replace_atomically, sync_file
from acquire.storage.labels import slope_deg, speed_mps

Floats = NDArray[np.float64]

POINTS: Final = 150
GRAVITY_MPS2: Final = 9.80665
TASKS: Final = {"LG": "level", "AS": "incline", "DS": "decline"}
CODE: Final = "K2MUSE"  #: of the dataset, before a subject's number

#: LocoHub's name (side left open), ours, component, and what it is multiplied by
MODEL: Final = tuple(
    (f"{theirs}_{{side}}_{unit}", ours, component, factor)
    for theirs, ours, component, factor, unit in (
        ("hip_flexion_angle", "HipAngles", 0, np.pi / 180, "rad"),
        ("hip_adduction_angle", "HipAngles", 1, np.pi / 180, "rad"),
        ("knee_flexion_angle", "KneeAngles", 0, np.pi / 180, "rad"),
        ("ankle_dorsiflexion_angle", "AnkleAngles", 0, np.pi / 180, "rad"),
        ("hip_flexion_moment", "HipMoment", 0, -1.0, "Nm_kg"),
        ("knee_flexion_moment", "KneeMoment", 0, -1.0, "Nm_kg"),
        ("ankle_dorsiflexion_moment", "AnkleMoment", 0, -1.0, "Nm_kg"),
    )
)
#: the right side's pelvis: anterior tilt, right side up, right side forward
PELVIS: Final = (
    ("pelvis_sagittal_angle_rad", 0),
    ("pelvis_frontal_angle_rad", 1),
    ("pelvis_transverse_angle_rad", 2),
)
GRF: Final = (
    "vertical_grf_{side}_BW",
    "anterior_grf_{side}_BW",
    "lateral_grf_{side}_BW",
)
FEATURES: Final = tuple(
    name.format(side=side)
    for side in ("ipsi", "contra")
    for name in (*(name for name, *_ in MODEL), *GRF)
) + tuple(name for name, _ in PELVIS)
WORDS: Final = ("subject", "subject_metadata", "task", "task_id", "task_info")


def export_parquet(
    dataset: Path,
    participants: Sequence[str],
    out: Path,
    progress: Callable[[str], None] = lambda _: None,
    *,
    code: str = CODE,
) -> ExportResult:
    """Write ``kinemuse_phase.parquet`` and ``kinemuse_time.parquet`` into `out`.

    One trial is in memory at a time, a row group each. What the gait model could not
    make is null.
    """
    new_folder(out)
    result = ExportResult()
    phase, time = (
        _Table(out / f"kinemuse_{kind}.parquet", axis)
        for kind, axis in (("phase", "phase_ipsi"), ("time", "time_s"))
    )
    with phase, time:
        for accepted in accepted_trials(dataset, participants):
            progress(accepted.name)
            trial, facts = load(accepted.archive, accepted.session)
            signals = _signals(trial, accepted.person, str(facts["facing"]))
            for words, step, columns in _strides(accepted, trial, signals, code):
                phase.add(words, step, columns)
            phase.end_trial()
            time.add(*_frames(accepted, trial, signals, code))
            time.end_trial()
            if not trial.model:
                result.remarks.append(f"{accepted.name}: no angles and moments")
    result.files += [phase.path, time.path]
    result.remarks.append("sEMG and ultrasound have no place in this convention")
    return result


class _Table:
    """One Parquet file, written under a temporary name."""

    def __init__(self, path: Path, axis: str) -> None:
        self.path, self._axis = path, axis
        self._tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        fields = [(name, pa.string()) for name in WORDS]
        fields += [("step", pa.int64()), (axis, pa.float64())]
        fields += [(name, pa.float64()) for name in FEATURES]
        self._schema = pa.schema(fields)
        self._parts: list[Any] = []
        self._writer: Any = None

    def __enter__(self) -> "_Table":
        self._writer = parquet.ParquetWriter(self._tmp, self._schema)
        return self

    def add(
        self,
        words: Mapping[str, str],
        step: int | NDArray[np.int64],
        columns: Mapping[str, Floats],
    ) -> None:
        """Take rows; `columns` are (n,) by name, what is absent is null."""
        n = len(columns[self._axis])
        unknown = np.full(n, np.nan)
        steps = np.broadcast_to(np.asarray(step, dtype=np.int64), (n,))
        arrays = [pa.array([words[name]] * n) for name in WORDS]
        arrays.append(pa.array(steps))
        arrays += [
            pa.array(columns.get(name, unknown), from_pandas=True)
            for name in (self._axis, *FEATURES)
        ]
        self._parts.append(pa.table(arrays, schema=self._schema))

    def end_trial(self) -> None:
        if self._parts:
            self._writer.write_table(pa.concat_tables(self._parts))
        self._parts = []

    def __exit__(self, kind: object, *_: object) -> None:
        self._writer.close()
        if kind is None:
            sync_file(self._tmp)
            replace_atomically(self._tmp, self.path)
        self._tmp.unlink(missing_ok=True)


def _words(accepted: AcceptedTrial, ipsi: Side, code: str) -> dict[str, str]:
    key, person = accepted.key, accepted.person
    kind, slope = TASKS[key.mode[:2]], slope_deg(key.mode)
    info = {
        "speed_m_s": f"{speed_mps(key.speed):g}",
        "incline_deg": f"{slope:g}",
        "treadmill": "true",
        "variant": key.condition,
        "trial": key.trial,
        "ipsi": ipsi,
    }
    return {
        "subject": f"{code}_AB{key.participant.removeprefix('P')}",
        "subject_metadata": _joined(_person(person)),
        "task": f"{kind}_walking",
        "task_id": kind if kind == "level" else f"{kind}_{abs(slope):g}deg",
        "task_info": _joined(info),
    }


def _person(person: Participant) -> dict[str, str]:
    known = {
        "age": person.age_y,
        "height_m": person.height_mm / 1000,
        "weight_kg": person.mass_kg,
    }
    said = {name: f"{value:g}" for name, value in known.items() if value == value}
    if person.sex in ("M", "F"):
        said["sex"] = person.sex
    return said


def _joined(values: Mapping[str, object]) -> str:
    return ",".join(f"{name}:{value}" for name, value in values.items())


def _signals(
    trial: TrialArrays, person: Participant, facing: str
) -> dict[Side, dict[str, Floats]]:
    """Return every feature of each leg at the trial's frames, without its side."""
    found: dict[Side, dict[str, Floats]] = {}
    ahead = -1.0 if facing == "reversed" else 1.0
    weight_n = person.mass_kg * GRAVITY_MPS2
    for side in SIDES:
        own: dict[str, Floats] = {}
        for name, ours, component, factor in MODEL:
            rows = trial.model.get(f"{side[0].upper()}{ours}")
            if rows is not None:
                own[name] = rows[:, component] * factor
        if side in trial.forces_n and weight_n > 0:
            x, y, z = trial.forces_n[side].T / weight_n
            own |= dict(zip(GRF, (z, x * ahead, -y * ahead), strict=True))
        found[side] = own
    return found


def _both(
    signals: Mapping[Side, Mapping[str, Floats]], trial: TrialArrays, ipsi: Side
) -> dict[str, Floats]:
    contra: Side = "right" if ipsi == "left" else "left"
    columns = {
        name.format(side=word): rows
        for side, word in ((ipsi, "ipsi"), (contra, "contra"))
        for name, rows in signals[side].items()
    }
    pelvis = trial.model.get("RPelvisAngles")
    if pelvis is not None:
        columns |= {name: np.deg2rad(pelvis[:, k]) for name, k in PELVIS}
    return columns


def _strides(
    accepted: AcceptedTrial,
    trial: TrialArrays,
    signals: Mapping[Side, Mapping[str, Floats]],
    code: str,
) -> Iterator[tuple[dict[str, str], int, dict[str, Floats]]]:
    at = np.arange(trial.n_frames) / FRAME_HZ
    for side in SIDES:
        columns = _both(signals, trial, side)
        words = _words(accepted, side, code)
        for step, stride in enumerate(trial.accepted(side), 1):
            rows = np.stack(list(columns.values()), axis=1) if columns else at[:, None]
            cycle = normalise(at, rows, stride.start_s, stride.end_s, POINTS)
            made = dict(zip(columns, cycle.T, strict=False))
            made["phase_ipsi"] = np.linspace(0.0, 100.0, POINTS)
            yield words, step, made


def _frames(
    accepted: AcceptedTrial,
    trial: TrialArrays,
    signals: Mapping[Side, Mapping[str, Floats]],
    code: str,
) -> tuple[dict[str, str], NDArray[np.int64], dict[str, Floats]]:
    """Return all frames, the right leg first; steps count its accepted strides."""
    at = np.arange(trial.n_frames) / FRAME_HZ
    step = np.zeros(trial.n_frames, dtype=np.int64)
    for number, stride in enumerate(trial.accepted("right"), 1):
        step[(at >= stride.start_s) & (at < stride.end_s)] = number
    columns = {"time_s": at, **_both(signals, trial, "right")}
    return _words(accepted, "right", code), step, columns
