"""The apparatus as data: which instruments there are, and how they are reached.

A rig file is YAML, validated on load; unknown keys are refused with the nearest known
one. Each device entry names its `kind` (an entry point of the group
`kinemuse.devices`) and holds that kind's own settings beside it.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from acquire.processing import ProcessingConfig
from devices import registry
from devices.adapter import DeviceAdapter
from devices.errors import DeviceNotFoundError
from devices.sim.config import LabConfig
from protocols.validation import explain, keys_of

VIRTUAL_LAB = "virtual_lab"


class RigError(ValueError):
    """A rig file that cannot be read or is not valid; the message says where."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LslConfig(_Part):
    """How streams find each other."""

    session_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")] = "kinemuse"
    """Isolates labs that share a network; not a password."""
    scope: Literal["machine", "link", "site"] = "machine"
    """How far streams are visible; ``machine`` for everything on one computer."""


class TriggerConfig(_Part):
    """The hardware line that every instrument records."""

    waveform: Literal["level", "level+pulses"] = "level"
    """``level``: one rise and one fall per capture, as K2MUSE's published wiring.
    ``level+pulses``: short low notches at irregular intervals on top, which turn two
    edges into many."""


class DeckConfig(_Part):
    """How the deck turns, so that plates measured level can be placed on a slope."""

    pivot_m: tuple[float, float, float]
    """A point of the axis the deck turns about, in motion-capture world axes, m."""
    plates_follow_deck: bool = True
    """Whether the force plates tilt with the deck (and measure in its axes)."""


class DeviceEntry(_Part):
    """One instrument: its kind, whether a session needs it, and its settings."""

    kind: str
    required: bool = True
    settings: Any

    def make(self, name: str, now: Callable[[], float]) -> DeviceAdapter:
        """Build the adapter; `now` is the host clock in seconds."""
        return registry.load(self.kind).make(name, self.settings, now)


class RigConfig(_Part):
    """A laboratory. `lab` is there in a virtual one only, and makes it virtual."""

    rig: Literal[1]
    """Version of this file format."""
    name: str
    lsl: LslConfig = LslConfig()
    trigger: TriggerConfig = TriggerConfig()
    treadmill: str | None = "bertec"
    """The device that drives belts and deck."""
    capture: str | None = "vicon"
    """The device whose capture start and stop raise and lower the trigger line."""
    streams: tuple[str, ...] = ()
    """Streams a recording must hold; empty: those of every required device."""
    deck: DeckConfig | None = None
    """Geometry of the deck; a virtual lab has its own in `lab.plates`."""
    processing: ProcessingConfig = ProcessingConfig()
    """How markers are prepared for the gait model; a dataset may say otherwise."""
    devices: Annotated[Mapping[str, DeviceEntry], Field(min_length=1)]
    lab: LabConfig | None = None

    @property
    def simulated(self) -> bool:
        """Whether the instruments are twins."""
        return self.lab is not None

    @model_validator(mode="before")
    @classmethod
    def _settings_by_kind(cls, data: object) -> object:
        """Validate each device's settings with the model of its kind."""
        if not isinstance(data, dict) or not isinstance(data.get("devices"), dict):
            return data
        devices, problems = {}, []
        for name, entry in data["devices"].items():
            try:
                devices[name] = _device(name, entry)
            except _DeviceProblemsError as error:
                problems.append(str(error))
        if problems:
            raise _DeviceProblemsError("\n  ".join(problems))
        return {**data, "devices": devices}

    @model_validator(mode="after")
    def _roles_exist(self) -> "RigConfig":
        for role in ("treadmill", "capture"):
            name = getattr(self, role)
            if name is not None and name not in self.devices:
                have = ", ".join(self.devices)
                raise ValueError(f"{role}: no device {name!r}; there are {have}")
        if self.capture is not None:
            kind = self.devices[self.capture].kind
            if not registry.load(kind).capture:
                raise ValueError(
                    f"capture: a device of kind {kind!r} starts no capture"
                )
        return self

    def with_device(self, name: str, **changes: object) -> "RigConfig":
        """Return a copy in which one device has other settings, validated again."""
        entry = self.devices[name]
        settings = entry.settings
        again = type(settings).model_validate(settings.model_dump() | changes)
        devices = {**self.devices, name: entry.model_copy(update={"settings": again})}
        return self.model_copy(update={"devices": devices})

    def to_yaml(self) -> str:
        """Return the rig as YAML that `parse_rig` reads back to an equal rig."""
        data = self.model_dump(mode="json", exclude={"devices"}, exclude_none=True)
        data["devices"] = {
            name: {
                "kind": entry.kind,
                "required": entry.required,
                **entry.settings.model_dump(mode="json"),
            }
            for name, entry in self.devices.items()
        }
        data["treadmill"], data["capture"] = self.treadmill, self.capture
        return yaml.safe_dump(data, sort_keys=False)


def shipped_rigs() -> list[str]:
    """Names of the rigs that come with Kinemuse."""
    names = (entry.name for entry in (files("acquire") / "rigs").iterdir())
    return sorted(name[:-5] for name in names if name.endswith(".yaml"))


def load_rig(name_or_path: str | Path = VIRTUAL_LAB) -> RigConfig:
    """Read and validate a shipped rig (by name) or a YAML file (by path).

    Raises
    ------
    RigError
        No such file, not YAML, or not valid: each problem on a line of its own.
    """
    name = str(name_or_path)
    if name in shipped_rigs():
        entry = files("acquire") / "rigs" / f"{name}.yaml"
        return parse_rig(entry.read_text(encoding="utf-8"), source=name)
    path = Path(name_or_path)
    if not path.is_file():
        have = ", ".join(shipped_rigs())
        raise RigError(f"no rig file {name!r}; shipped rigs are {have}")
    return parse_rig(path.read_text(encoding="utf-8"), source=name)


def parse_rig(text: str, *, source: str) -> RigConfig:
    """Validate the YAML text of a rig; `source` names it in errors."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RigError(f"{source}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise RigError(f"{source}: expected keys and values at the top level")
    try:
        return RigConfig.model_validate(data)
    except ValidationError as error:
        lines = "\n  ".join(explain(error, keys_of(RigConfig)))
        raise RigError(f"{source}:\n  {lines}") from error
    except _DeviceProblemsError as error:
        raise RigError(f"{source}:\n  {error}") from error


class _DeviceProblemsError(Exception):
    """Not a ValueError, so that pydantic hands it on as it is."""


def _device(name: str, entry: object) -> object:
    if isinstance(entry, DeviceEntry):
        return entry
    if not isinstance(entry, dict) or "kind" not in entry:
        raise _DeviceProblemsError(f"devices.{name}: needs a key 'kind'")
    rest = {k: v for k, v in entry.items() if k not in ("kind", "required")}
    try:
        model = registry.load(entry["kind"]).config
        settings = model.model_validate(rest)
    except DeviceNotFoundError as error:
        raise _DeviceProblemsError(f"devices.{name}.kind: {error}") from error
    except ValidationError as error:
        lines = (f"devices.{name}.{line}" for line in explain(error, keys_of(model)))
        raise _DeviceProblemsError("\n  ".join(lines)) from error
    return {
        "kind": entry["kind"],
        "required": entry.get("required", True),
        "settings": settings,
    }
