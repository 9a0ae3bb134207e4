"""What the gait of a trial rests on: a body's measures, static and unloaded trials.

All come from the dataset the trial lies in; what is missing becomes a remark.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.participants import FILE, ParticipantError, participant
from acquire.dataset.selection import verdicts
from acquire.gait.baselines import Baseline, BaselineError
from acquire.gait.marker_checks import MarkerError
from acquire.gait.measures import MeasureError, Measures, measures
from acquire.gait.segments import Calibration
from acquire.gait.static_calibration import calibrate
from acquire.processing import processing_inputs
from acquire.storage.errors import LayoutError
from acquire.storage.layout import TrialKey, dataset_root, find_archives, parse_path
from acquire.storage.provenance import sha256

Floats = NDArray[np.float64]
ReadMarkers = Callable[[Path], Mapping[str, Floats]]
ReadBaseline = Callable[[Path], Baseline]
STATIC, UNLOADED = "Static", "Unloaded"


@dataclass(frozen=True, eq=False)
class ModelBasis:
    """Measures and calibration, where there are any; `inputs` names hashes by file."""

    measures: Measures | None = None
    calibration: Calibration | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def basis_inputs(trial_path: Path) -> dict[str, str]:
    """Return the hashes of what a trial's model rests on, besides the trial itself."""
    root, key = _place(trial_path)
    if root is None or key is None:
        return {}
    found = processing_inputs(trial_path)
    known = _sheet(root, key)
    if known is not None:
        text = json.dumps(known, sort_keys=True)
        found[f"{FILE}:{key.participant}"] = hashlib.sha256(text.encode()).hexdigest()
    static = calibration_trials(root, key, STATIC)[-1:]
    for path in (*static, *calibration_trials(root, key, UNLOADED)):
        found[path.relative_to(root).as_posix()] = sha256(path)
    return found


def baselines_of(
    trial_path: Path, read_baseline: ReadBaseline
) -> tuple[list[Baseline], tuple[str, ...]]:
    """Return the baselines of a trial's session, and why others are none.

    `read_baseline` returns that of an unloaded trial's archive, or raises
    `BaselineError`. Each is named by its place in the dataset.
    """
    root, key = _place(trial_path)
    if root is None or key is None:
        return [], ()
    found: list[Baseline] = []
    refused: list[str] = []
    for path in calibration_trials(root, key, UNLOADED):
        name = path.relative_to(root).as_posix()
        try:
            found.append(replace(read_baseline(path), name=name, sha256=sha256(path)))
        except BaselineError as error:
            refused.append(f"no baseline: {error}")
    return found, tuple(refused)


def basis_of(trial_path: Path, read_markers: ReadMarkers) -> ModelBasis:
    """Return what the model of a trial rests on.

    `read_markers` returns the markers (n, 3) of a static trial's archive, in m.
    """
    root, key = _place(trial_path)
    if root is None or key is None:
        return ModelBasis(remarks=("no angles: the trial lies in no dataset",))
    inputs = basis_inputs(trial_path)
    known = _sheet(root, key)
    if known is None:
        return ModelBasis(
            inputs=inputs,
            remarks=(f"no angles: {FILE} has no participant {key.participant}",),
        )
    static = next(reversed(calibration_trials(root, key, STATIC)), None)
    try:
        body = measures(known)
    except MeasureError as error:
        return ModelBasis(inputs=inputs, remarks=(f"no angles: {error} in {FILE}",))
    if static is None:
        return ModelBasis(
            body,
            inputs=inputs,
            remarks=(
                "no angles: the session has no static calibration trial "
                f"(Calibration/{STATIC})",
            ),
        )
    try:
        calibration = calibrate(read_markers(static), body)
    except MarkerError as error:
        return ModelBasis(body, inputs=inputs, remarks=(f"no angles: {error}",))
    return ModelBasis(body, calibration, inputs)


def calibration_trials(root: Path, key: TrialKey, kind: str) -> list[Path]:
    """Return the session's trials of one kind that were not rejected, oldest first."""
    judged = verdicts(root, key.participant)
    found = [
        (other.trial, other.take, path)
        for other, path in find_archives(root, key.participant).items()
        if other.session == key.session
        and other.is_calibration
        and other.mode == kind
        and judged.get(other, (True, ""))[0]
    ]
    return [path for _, _, path in sorted(found)]


def _place(trial_path: Path) -> tuple[Path | None, TrialKey | None]:
    try:
        return dataset_root(trial_path), parse_path(trial_path)
    except LayoutError:
        return None, None


def _sheet(root: Path, key: TrialKey) -> dict[str, float] | None:
    """Return the participant's measures by name; None where they are not listed."""
    try:
        facts = asdict(participant(root, key.participant))
    except ParticipantError:
        return None
    return {
        name: float(value)
        for name, value in facts.items()
        if isinstance(value, float | int) and value == value
    }
