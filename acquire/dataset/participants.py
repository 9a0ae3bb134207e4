"""Who took part: pseudonyms and body measures, one line each, no names."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from acquire.storage.durable import make_directory, write_text_atomically
from acquire.storage.labels import participant_label

FILE: Final = "participants.tsv"
MISSING: Final = "n/a"
SIDES: Final = ("left", "right")
LEGS: Final = ("leg_length", "knee_width", "ankle_width")  #: measures of each leg, mm
DESCRIPTIONS: Final = {
    "participant_id": "pseudonym; the key to it is kept elsewhere",
    "sex": "as stated by the participant: M, F or O",
    "age_y": "age at the first session, years",
    "height_mm": "standing height, mm",
    "mass_kg": "body mass with shoes and instruments, kg",
    "leg_length_left_mm": "anterior iliac spine to medial ankle, left, mm",
    "leg_length_right_mm": "anterior iliac spine to medial ankle, right, mm",
    "knee_width_left_mm": "across the knee axis, left, mm",
    "knee_width_right_mm": "across the knee axis, right, mm",
    "ankle_width_left_mm": "across the malleoli, left, mm",
    "ankle_width_right_mm": "across the malleoli, right, mm",
    "marker_diameter_mm": "diameter of the reflective markers, mm",
    "cohort": "young or older",
    "inter_asis_mm": "between the anterior iliac spines, if measured by hand, mm",
    "sole_delta_left_mm": "how much thicker the sole is under the heel, left, mm",
    "sole_delta_right_mm": "how much thicker the sole is under the heel, right, mm",
    "thigh_rotation_left_deg": "correction of the thigh's wand, left, degrees",
    "thigh_rotation_right_deg": "correction of the thigh's wand, right, degrees",
    "shank_rotation_left_deg": "correction of the shank's wand, left, degrees",
    "shank_rotation_right_deg": "correction of the shank's wand, right, degrees",
}
"""Our columns, in order. Those from ``inter_asis_mm`` on are written where used."""
OPTIONAL: Final = tuple(DESCRIPTIONS)[tuple(DESCRIPTIONS).index("inter_asis_mm") :]

Rows = list[dict[str, str]]


class ParticipantError(ValueError):
    """A participant is not listed, or what is told of one cannot be taken."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant; NaN where a measure was not taken."""

    participant_id: str
    sex: str = MISSING
    age_y: float = float("nan")
    height_mm: float = float("nan")
    mass_kg: float = float("nan")
    leg_length_left_mm: float = float("nan")
    leg_length_right_mm: float = float("nan")
    knee_width_left_mm: float = float("nan")
    knee_width_right_mm: float = float("nan")
    ankle_width_left_mm: float = float("nan")
    ankle_width_right_mm: float = float("nan")
    marker_diameter_mm: float = 14.0
    cohort: str = MISSING
    inter_asis_mm: float = float("nan")
    sole_delta_left_mm: float = float("nan")
    sole_delta_right_mm: float = float("nan")
    thigh_rotation_left_deg: float = float("nan")
    thigh_rotation_right_deg: float = float("nan")
    shank_rotation_left_deg: float = float("nan")
    shank_rotation_right_deg: float = float("nan")

    def __post_init__(self) -> None:
        participant_label(self.participant_id)


def read_participants(dataset: Path) -> dict[str, Participant]:
    """Read participants by pseudonym; empty when there is no file yet.

    Columns beyond ours are passed over.
    """
    path = dataset / FILE
    return {
        person.participant_id: person
        for person in (parse_participant(row, str(path)) for row in _rows(path))
    }


def participant(dataset: Path, participant_id: str) -> Participant:
    """Return one participant; `ParticipantError` says who is listed instead."""
    found = read_participants(dataset)
    if participant_id not in found:
        raise ParticipantError(
            f"{dataset / FILE} has no participant {participant_id}; it has "
            f"{sorted(found) or 'none'}"
        )
    return found[participant_id]


def write_participant(dataset: Path, person: Participant) -> Path:
    """Add a participant, or put the new measures in place of the earlier ones."""
    return write_participants(dataset, [person])


def write_participants(dataset: Path, people: list[Participant]) -> Path:
    """Add participants, or put the new measures in place of the earlier ones.

    Columns beyond ours stay as they are.
    """
    path = dataset / FILE
    rows = {row["participant_id"]: row for row in _rows(path)}
    for person in people:
        before = rows.get(person.participant_id, {})
        rows[person.participant_id] = {**before, **as_row(person)}
    make_directory(dataset)
    write_text_atomically(path, tsv([rows[name] for name in sorted(rows)]))
    described = {name: {"Description": text} for name, text in DESCRIPTIONS.items()}
    write_text_atomically(
        path.with_suffix(".json"), json.dumps(described, indent=2) + "\n"
    )
    return path


def add_participant(dataset: Path, facts: Mapping[str, Any]) -> Participant:
    """Add a participant described by loose `facts`; what we have no column for is left.

    `participant` (or `participant_id`) names them. A measure given once for both legs
    (``knee_width_mm``) goes to both.
    """
    known = {field.name for field in fields(Participant)}
    taken: dict[str, Any] = {k: v for k, v in facts.items() if k in known}
    for measure in LEGS:
        for side in SIDES:
            if f"{measure}_mm" in facts:
                taken.setdefault(f"{measure}_{side}_mm", facts[f"{measure}_mm"])
    taken.setdefault("participant_id", facts.get("participant", ""))
    person = Participant(**taken)
    write_participant(dataset, person)
    return person


def parse_participant(row: Mapping[str, str], where: str) -> Participant:
    """Read one line of a table by our columns; `where` names the table in errors."""
    known: dict[str, str | float] = {}
    for field in fields(Participant):
        text = (row.get(field.name) or MISSING).strip()
        if field.type in (str, "str"):
            known[field.name] = text
        elif is_told(text):
            about = f"{where}: {field.name} of {row.get('participant_id')}"
            known[field.name] = as_number(text, about)
    return Participant(**known)  # type: ignore[arg-type]


def is_told(text: str) -> bool:
    """Whether a cell of a table says anything."""
    return bool(text) and text.lower() not in (MISSING, "nan", "na")


def as_number(text: str, where: str) -> float:
    """Return what a cell says; `where` names it in the error."""
    try:
        return float(text)
    except ValueError:
        raise ParticipantError(f"{where} is {text!r}, not a number") from None


def as_row(person: Participant) -> dict[str, str]:
    """Return a participant as the table spells it, by our columns."""
    return {name: as_text(getattr(person, name)) for name in DESCRIPTIONS}


def tsv(rows: Rows) -> str:
    """Return a table as text: our columns first, then others; optional ones if used."""
    ours = [
        name
        for name in DESCRIPTIONS
        if name not in OPTIONAL or any(r.get(name, MISSING) != MISSING for r in rows)
    ]
    names = list(dict.fromkeys([*ours, *(name for row in rows for name in row)]))
    names = [name for name in names if name in ours or name not in OPTIONAL]
    lines = ["\t".join(names)]
    lines += [
        "\t".join((row.get(name) or MISSING).replace("\t", " ") for name in names)
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def as_text(value: str | float) -> str:
    """Return a value as the table spells it; NaN and nothing are ``n/a``."""
    if isinstance(value, str):
        return value or MISSING
    return MISSING if value != value else f"{value:.10g}"


def _rows(path: Path) -> Rows:
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [
        {name: value or "" for name, value in row.items() if isinstance(name, str)}
        for row in csv.DictReader(io.StringIO(text), delimiter="\t")
    ]
