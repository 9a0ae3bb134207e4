"""A protocol is data: validated on load, frozen, expanded without hardware.

Unknown keys are refused, with the nearest known one. Names of conditions and modes are
those of the K2MUSE dataset, because they become folders and fields of the subject file.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from protocols.errors import ProtocolFileError
from protocols.settings import Part, Settings
from protocols.steps import STEP_MODELS, Block, Cell, Condition, Step, StopRules
from protocols.validation import explain, keys_of


class Unknown(Part):
    """A value that the published protocol does not give."""

    what: str
    """The setting or the choice."""
    why: str
    """What is known, and why this value stands here."""


class ProtocolDefinition(Part):
    """What the participant does, in order."""

    protocol: Literal[1]
    """Version of this file format."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    cohort: Literal["any", "young", "older"] = "any"
    """Whom it is for; the plan judges the exertion by it."""
    condition: Condition = "Ideal"
    settings: Settings = Settings()
    stop_criteria: tuple[str, ...] = ()
    """When the operator stops the session, in words; read out at the beginning."""
    unknown: tuple[Unknown, ...] = ()
    """What the published protocol leaves open here."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def to_yaml(self) -> str:
        """Return the protocol as YAML that reads back to an equal one."""
        data = self.model_dump(mode="json", exclude_unset=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)

    def with_settings(self, **changes: object) -> "ProtocolDefinition":
        """Return a copy with other settings, validated again."""
        data = self.model_dump(exclude_unset=True)
        settings = data.get("settings", {}) | changes
        return validated(data | {"settings": settings}, source=f"{self.name} changed")


def json_schema() -> str:
    """Return the JSON Schema of a protocol file, for editors."""
    schema = ProtocolDefinition.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


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
    return validated(data, source=source)


def validated(data: Mapping[str, object], *, source: str) -> ProtocolDefinition:
    """Return the protocol that `data` says; errors name places and nearest keys."""
    try:
        return ProtocolDefinition.model_validate(data)
    except ValidationError as error:
        known = keys_of(ProtocolDefinition, *STEP_MODELS, Block, Cell, StopRules)
        known |= set(Unknown.model_fields)
        lines = "\n  ".join(explain(error, known))
        raise ProtocolFileError(f"{source}:\n  {lines}") from error
