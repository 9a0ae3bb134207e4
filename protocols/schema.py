"""A protocol is data: validated on load, frozen, expanded without hardware.

Unknown keys are refused, with the nearest known one. Names of conditions and modes are
those of the K2MUSE dataset, because they become folders and fields of the subject file.
"""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.errors import ProtocolFileError
from protocols.validation import explain, keys_of

Mode = Literal["LG_0", "AS_5", "AS_10", "DS_5", "DS_10"]
Condition = Literal[
    "Ideal",
    "Fatigue",
    "InterDay",
    "ShiftInitial",
    "ShiftUpward",
    "ShiftDownward",
    "ShiftLeftward",
    "ShiftRightward",
    "SustainedFatigue",
    "DepthSuperficial",
    "DepthCompressed",
]
Seconds = Annotated[float, Field(ge=0, le=7200)]


class _Part(BaseModel):
    """Frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(_Part):
    """How every trial of the protocol is walked and recorded."""

    accel_mps2: Annotated[float, Field(gt=0, le=1.0)] = 0.25
    """Belt acceleration for every change of speed, m/s²."""
    settle_s: Seconds = 8.0
    """Walking at the trial's speed before the recording starts, s."""
    record_s: Annotated[float, Field(gt=0, le=1800)] = 30.0
    """Time between trigger rise and fall, s. The length of K2MUSE's own trials is
    not published; 30 s is about its 31 strides at 1.0 m/s."""
    line_low_s: Annotated[float, Field(ge=2.0, le=60)] = 2.0
    """Recorded time before the rise and after the fall, s."""
    rest_s: Seconds = 0.0
    """Rest after each trial, s."""
    walk_on: bool = True
    """Keep walking between trials of the same mode and speed."""


class Prompt(_Part):
    """Something the operator reads, does and confirms."""

    type: Literal["prompt"]
    text: str


class Rest(_Part):
    """The participant rests, belts at zero."""

    type: Literal["rest"]
    duration_s: Seconds


class CalibrationTrial(_Part):
    """One recording with the belts at rest and the deck level."""

    type: Literal["calibration"]
    kind: Literal["Static", "Unloaded", "Quiet", "Rest", "MVC"]
    """``Static``: standing still on both plates, from which the gait model learns the
    body. ``Unloaded``: nobody on the plates. ``Quiet``, ``Rest``, ``MVC``: for sEMG."""
    record_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    text: str = ""
    """What the operator reads and confirms first."""


class Trials(_Part):
    """Trials of one mode and speed, `repeat` times."""

    type: Literal["trials"]
    mode: Mode
    speed_mps: Annotated[float, Field(gt=0, le=2.5)]
    repeat: Annotated[int, Field(ge=1, le=50)] = 1
    condition: Condition | None = None
    """Where it differs from the protocol's."""
    record_s: Annotated[float, Field(gt=0, le=1800)] | None = None
    """Where it differs from the protocol's, s."""


Step = Annotated[Prompt | Rest | CalibrationTrial | Trials, Field(discriminator="type")]


class ProtocolDefinition(_Part):
    """What the participant does, in order."""

    protocol: Literal[1]
    """Version of this file format."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    condition: Condition = "Ideal"
    settings: Settings = Settings()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def to_yaml(self) -> str:
        """Return the protocol as YAML that reads back to an equal one."""
        data = self.model_dump(mode="json", exclude_none=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)

    def with_settings(self, **changes: object) -> "ProtocolDefinition":
        """Return a copy with other settings, validated again."""
        settings = self.settings.model_dump() | changes
        return ProtocolDefinition.model_validate(
            self.model_dump() | {"settings": settings}
        )


def library() -> list[str]:
    """Names of the protocols that come with Kinemuse."""
    folder = files("protocols") / "library"
    names = (entry.name for entry in folder.iterdir())
    return sorted(name[:-5] for name in names if name.endswith(".yaml"))


def protocol_text(name_or_path: str) -> str:
    """Return the YAML of a library protocol (by name) or of a file (by path)."""
    if name_or_path in library():
        entry = files("protocols") / "library" / f"{name_or_path}.yaml"
        return entry.read_text(encoding="utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        raise ProtocolFileError(
            f"no protocol {name_or_path!r}: not a file, and the library has "
            f"{', '.join(library())}"
        )
    return path.read_text(encoding="utf-8")


def load_protocol(name_or_path: str) -> ProtocolDefinition:
    """Read and validate a library protocol (by name) or a YAML file (by path)."""
    return parse_protocol(protocol_text(name_or_path), source=name_or_path)


def parse_protocol(text: str, *, source: str) -> ProtocolDefinition:
    """Validate the YAML text of a protocol; `source` names it in errors."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProtocolFileError(f"{source}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ProtocolFileError(f"{source}: expected keys and values at the top level")
    try:
        return ProtocolDefinition.model_validate(data)
    except ValidationError as error:
        known = keys_of(ProtocolDefinition, Prompt, Rest, CalibrationTrial, Trials)
        lines = "\n  ".join(explain(error, known))
        raise ProtocolFileError(f"{source}:\n  {lines}") from error
