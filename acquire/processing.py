"""Settings of what is derived: in the rig, or for a whole dataset in one file.

``processing.yaml`` at the root of a dataset goes before the rigs that its trials were
recorded with, so that a dataset can be processed anew without touching a recording.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acquire.storage.layout import dataset_root
from protocols.validation import explain, keys_of

if TYPE_CHECKING:  # a rig is read in every process, gait is computed in few
    from acquire.gait.processing import Processing

FILE: Final = "processing.yaml"


class ProcessingError(ValueError):
    """Settings that cannot be read or are not valid; the message says where."""


class ProcessingConfig(BaseModel):
    """How markers are prepared for the gait model; recordings are never touched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spline_gap_frames: Annotated[int, Field(ge=0, le=50)] = 10
    """Gaps up to this are bridged by a spline, longer ones from the same segment."""
    marker_smoothing: Literal["none", "gcv", "mse"] = "gcv"
    """Quintic smoothing spline by generalised cross-validation, to a fixed mean squared
    residual, or none."""
    marker_mse_mm2: Annotated[float, Field(gt=0, le=1000)] = 10.0
    """That residual, for ``mse``, in mm²."""
    derivative_window_s: Annotated[float, Field(ge=0.04, le=1.0)] | None = None
    """Time over which velocities and accelerations are taken; by default 0.08 s, and
    0.2 s for markers as they are."""
    keep_crossover_strides: bool = False
    """Whether strides count in which a plate carries both feet: without kinetics."""

    def settings(self) -> "Processing":
        """Return them as the gait package takes them."""
        from acquire.gait.processing import Processing
        from acquire.gait.smoothing import MarkerSmoothing

        return Processing(
            self.spline_gap_frames,
            MarkerSmoothing(self.marker_smoothing, self.marker_mse_mm2),
            self.derivative_window_s,
            self.keep_crossover_strides,
        )


def processing_of(rig: Mapping[str, Any], trial_path: Path) -> "Processing":
    """Return the settings of a trial: its dataset's, else those of its rig.

    Raises
    ------
    ProcessingError
        They are not valid: each problem is on a line of its own.
    """
    path = _file(trial_path)
    if path is None:
        return _parsed(rig.get("processing") or {}, "the rig's processing")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ProcessingError(f"{path}: {error}") from error
    return _parsed(content or {}, str(path))


def processing_inputs(trial_path: Path) -> dict[str, str]:
    """Return the hash of the dataset's settings, by name, where it has any."""
    path = _file(trial_path)
    if path is None:
        return {}
    return {f"{FILE}:all": hashlib.sha256(path.read_bytes()).hexdigest()}


def _file(trial_path: Path) -> Path | None:
    root = dataset_root(trial_path)
    path = root / FILE if root else None
    return path if path and path.is_file() else None


def _parsed(content: object, where: str) -> "Processing":
    try:
        return ProcessingConfig.model_validate(content).settings()
    except ValidationError as error:
        lines = "\n  ".join(explain(error, keys_of(ProcessingConfig)))
        raise ProcessingError(f"{where}:\n  {lines}") from error
