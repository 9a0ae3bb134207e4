"""What a participant's line may say: plausible measures, and no names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from acquire.dataset.participants import LEGS, MISSING, SIDES, Participant
from acquire.findings import Finding


@dataclass(frozen=True, slots=True)
class Range:
    """Values that people have, in `unit`; others are a slip of pen or unit."""

    low: float
    high: float
    unit: str


def _both(name: str, unit: str, low: float, high: float) -> dict[str, Range]:
    return {f"{name}_{side}_{unit}": Range(low, high, unit) for side in SIDES}


RANGES: Final[Mapping[str, Range]] = {
    "age_y": Range(18, 100, "y"),
    "height_mm": Range(1300, 2200, "mm"),
    "mass_kg": Range(35, 200, "kg"),
    **_both("leg_length", "mm", 600, 1250),
    **_both("knee_width", "mm", 70, 170),
    **_both("ankle_width", "mm", 45, 110),
    "marker_diameter_mm": Range(4, 30, "mm"),
    "inter_asis_mm": Range(150, 400, "mm"),
    **_both("sole_delta", "mm", -30, 60),
    **_both("thigh_rotation", "deg", -45, 45),
    **_both("shank_rotation", "deg", -45, 45),
}
SEXES: Final = ("M", "F", "O", MISSING)
NEEDED: Final = (
    "mass_kg",
    *(f"{measure}_{side}_mm" for measure in LEGS for side in SIDES),
    "marker_diameter_mm",
)
"""What the gait model and forces per kg cannot do without."""

_UNITS: Final = {
    "mm": {"cm": 10.0, "m": 1000.0, "inches": 25.4},
    "kg": {"g": 0.001, "pounds": 0.45359237},
}
_COHORT = re.compile(r"[a-z][a-z0-9_-]{0,19}|n/a")
_WORDS: Final = frozenset(
    (
        *("name", "names", "surname", "firstname", "lastname", "forename", "initials"),
        *("nachname", "vorname", "birth", "birthday", "birthdate", "dob", "geboren"),
        *("dateofbirth", "geburtsdatum", "email", "mail", "phone", "telephone", "tel"),
        *("mobile", "address", "street", "postcode", "zip", "passport", "ssn", "mrn"),
        *("insurance", "patient", "nhs", "contact"),
    )
)
_VALUES: Final = {
    "an e-mail address": re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"),
    "a date": re.compile(
        r"\b(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\b\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d\d\b"
    ),
    "a telephone number": re.compile(r"\+?\d[\d ()/-]{7,}\d"),
}


def findings_of(person: Participant) -> list[Finding]:
    """Return what is implausible in a participant's measures, and what is missing.

    What the gait model needs is a warning where it lacks, an error where no body has
    it.
    """
    where = person.participant_id
    found = [
        Finding("participant-range", "error", where, _out_of_range(name, value, limits))
        for name, limits in RANGES.items()
        if (value := float(getattr(person, name))) == value
        and not limits.low <= value <= limits.high
    ]
    if person.sex not in SEXES:
        text = f"sex is {person.sex!r}; it is one of {', '.join(SEXES)}"
        found.append(Finding("participant-word", "error", where, text))
    if not _COHORT.fullmatch(person.cohort):
        text = f"cohort is {person.cohort!r}, not one word in small letters"
        found.append(Finding("participant-word", "error", where, text))
    for measure in LEGS:
        values = [float(getattr(person, f"{measure}_{side}_mm")) for side in SIDES]
        if abs(values[0] - values[1]) > 0.15 * max(values):
            text = f"{measure} is {values[0]:g} mm left and {values[1]:g} mm right"
            found.append(Finding("participant-sides", "warning", where, text))
    lacking = missing_for_model(person)
    if lacking:
        text = f"the gait model needs {', '.join(lacking)}"
        found.append(Finding("participant-missing", "warning", where, text))
    return found


def missing_for_model(person: Participant) -> list[str]:
    """Return the measures that the gait model needs and that were not taken."""
    return [name for name in NEEDED if not float(getattr(person, name)) > 0]


def identifying(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Say which columns or cells could tell who somebody is; no value is repeated."""
    found = [
        f"column {column!r} could name people" for column in columns if _names(column)
    ]
    for number, row in enumerate(rows, 1):
        for column, value in row.items():
            found += [
                f"row {number}, column {column!r} holds {what}"
                for what, pattern in _VALUES.items()
                if pattern.search(value)
            ]
    return found


def _names(column: str) -> bool:
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    joined = "".join(words)
    return bool(_WORDS & {*words, joined}) and "participant" not in words


def _out_of_range(name: str, value: float, limits: Range) -> str:
    text = f"{name} is {value:g}; people have {limits.low:g} to {limits.high:g}"
    for unit, factor in _UNITS.get(limits.unit, {}).items():
        if limits.low <= value * factor <= limits.high:
            return f"{text} {limits.unit}. Is it in {unit}?"
    return f"{text} {limits.unit}"
