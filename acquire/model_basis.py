"""What the gait model of a trial rests on: the participant's measures, a static trial.

Both come from the dataset the trial lies in; what is missing becomes a remark.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.participants import FILE, ParticipantError, participant
from acquire.dataset.selection import verdicts
from acquire.gait.marker_checks import MarkerError
from acquire.gait.measures import MeasureError, Measures, measures
from acquire.gait.segments import Calibration
from acquire.gait.static_calibration import calibrate
from acquire.storage.errors import LayoutError
from acquire.storage.layout import TrialKey, dataset_root, find_archives, parse_path
from acquire.storage.provenance import sha256

Floats = NDArray[np.float64]
ReadMarkers = Callable[[Path], Mapping[str, Floats]]
STATIC = "Static"


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
    found: dict[str, str] = {}
    known = _sheet(root, key)
    if known is not None:
        text = json.dumps(known, sort_keys=True)
        found[f"{FILE}:{key.participant}"] = hashlib.sha256(text.encode()).hexdigest()
    static = static_trial(root, key)
    if static is not None:
        found[static.relative_to(root).as_posix()] = sha256(static)
    return found


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
    static = static_trial(root, key)
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


def static_trial(root: Path, key: TrialKey) -> Path | None:
    """Return the session's newest static trial that was not rejected."""
    judged = verdicts(root, key.participant)
    found = [
        (other.trial, other.take, path)
        for other, path in find_archives(root, key.participant).items()
        if other.session == key.session
        and other.is_calibration
        and other.mode == STATIC
        and judged.get(other, (True, ""))[0]
    ]
    return max(found)[2] if found else None


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
