"""Who took part: pseudonyms and body measures, one line each, no names."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from acquire.storage.durable import write_text_atomically
from acquire.storage.labels import participant_label

FILE = "participants.tsv"
MISSING = "n/a"
DESCRIPTIONS = {
    "participant_id": "pseudonym; the key to it is kept elsewhere",
    "sex": "as stated by the participant",
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
}


class ParticipantError(ValueError):
    """A participant is not listed, or a measure that is needed is not."""


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

    def __post_init__(self) -> None:
        participant_label(self.participant_id)


def read_participants(dataset: Path) -> dict[str, Participant]:
    """Read participants by pseudonym; empty when there is no file yet.

    Columns beyond ours are passed over.
    """
    path = dataset / FILE
    if not path.is_file():
        return {}
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")), delimiter="\t")
    found = [_parse(row, path) for row in rows]
    return {person.participant_id: person for person in found}


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
    everyone = {**read_participants(dataset), person.participant_id: person}
    names = [field.name for field in fields(Participant)]
    lines = ["\t".join(names)]
    lines += [
        "\t".join(_text(getattr(everyone[key], name)) for name in names)
        for key in sorted(everyone)
    ]
    dataset.mkdir(parents=True, exist_ok=True)
    write_text_atomically(dataset / FILE, "\n".join(lines) + "\n")
    described = {name: {"Description": text} for name, text in DESCRIPTIONS.items()}
    write_text_atomically(
        (dataset / FILE).with_suffix(".json"), json.dumps(described, indent=2) + "\n"
    )
    return dataset / FILE


def add_participant(dataset: Path, facts: Mapping[str, Any]) -> Participant:
    """Add a participant described by loose `facts`; what we have no column for is left.

    `participant` (or `participant_id`) names them. A measure given once for both legs
    (``knee_width_mm``) goes to both.
    """
    known = {field.name for field in fields(Participant)}
    taken: dict[str, Any] = {k: v for k, v in facts.items() if k in known}
    for measure in ("leg_length", "knee_width", "ankle_width"):
        for side in ("left", "right"):
            if f"{measure}_mm" in facts:
                taken.setdefault(f"{measure}_{side}_mm", facts[f"{measure}_mm"])
    taken.setdefault("participant_id", facts.get("participant", ""))
    person = Participant(**taken)
    write_participant(dataset, person)
    return person


def _parse(row: dict[str, str], path: Path) -> Participant:
    known: dict[str, str | float] = {}
    for field in fields(Participant):
        text = (row.get(field.name) or MISSING).strip()
        if field.type in (str, "str"):
            known[field.name] = text
        elif text != MISSING:
            try:
                known[field.name] = float(text)
            except ValueError:
                raise ParticipantError(
                    f"{path}: {field.name} of {row.get('participant_id')} is {text!r}, "
                    "not a number"
                ) from None
    return Participant(**known)  # type: ignore[arg-type]


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value.replace("\t", " ") or MISSING
    return MISSING if value != value else f"{value:g}"
