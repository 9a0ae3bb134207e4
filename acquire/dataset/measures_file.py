"""Measures of a body from a file of text: our own kinds, and Nexus's."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from acquire.dataset.c3d_gait import PROCESSING_NAMES, offsets_of
from acquire.gait.feet import SIDES


class MeasuresFileError(ValueError):
    """A file of measures cannot be read, or holds nobody's or several people's."""


def read_subject(path: Path, participant: str | None = None) -> dict[str, float]:
    """Read measures by name: YAML, JSON, a table like ``participants.tsv``, or Nexus's.

    A measure given once for both legs (``knee_width_mm``) goes to both; text and
    ``n/a`` are passed over. Of Nexus's own files, ``.mp`` (lines ``$Name = value``) and
    ``.vsk`` (XML with NAME and VALUE), come measures in mm and kg and static offsets.

    Raises
    ------
    MeasuresFileError
        It is none of these, or a table of several without `participant`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() in NEXUS:
        return _of_nexus(NEXUS[path.suffix.lower()](text), path)
    if path.suffix == ".tsv":
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
        named = [r for r in rows if participant in (None, r.get("participant_id", ""))]
        if len(named) != 1:
            people = [row.get("participant_id", "?") for row in rows]
            raise MeasuresFileError(
                f"{path} has participants {', '.join(people) or 'none'}; name one by "
                "--participant"
            )
        loaded: Any = named[0]
    else:
        try:
            loaded = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise MeasuresFileError(f"{path}: {error}") from error
    if not isinstance(loaded, Mapping):
        raise MeasuresFileError(f"{path} holds no measures by name")
    found = {str(k): v for k, v in ((k, _number(v)) for k, v in loaded.items()) if v}
    for name in ("leg_length", "knee_width", "ankle_width"):
        for side in SIDES:
            both = found.get(f"{name}_mm")
            if both:
                found.setdefault(f"{name}_{side}_mm", both)
    return found


def _of_nexus(parameters: Mapping[str, float], path: Path) -> dict[str, float]:
    """Return measures by our names from parameters by Nexus's."""
    found = {
        ours: parameters[theirs]
        for ours, theirs in PROCESSING_NAMES.items()
        if parameters.get(theirs)
    }
    if not found:
        raise MeasuresFileError(
            f"{path} holds none of {', '.join(PROCESSING_NAMES.values())}"
        )
    return found | offsets_of(parameters)


def _mp_parameters(text: str) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in re.findall(
            r"^\s*\$(\w+)\s*=\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$", text, re.MULTILINE
        )
    }


def _vsk_parameters(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for tag in re.findall(r"<\w*Parameter\b[^>]*>", text):
        known = dict(re.findall(r'\b(NAME|VALUE)="([^"]*)"', tag))
        value = _number(known.get("VALUE"))
        if "NAME" in known and value is not None:
            found[known["NAME"]] = value
    return found


NEXUS: Final[Mapping[str, Callable[[str], dict[str, float]]]] = {
    ".mp": _mp_parameters,
    ".vsk": _vsk_parameters,
}


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
