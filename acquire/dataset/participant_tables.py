"""Tables of participants from and for others: TSV, CSV and xlsx, in usual spellings."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from acquire.dataset.participant_rules import findings_of, identifying
from acquire.dataset.participants import (
    DESCRIPTIONS,
    LEGS,
    MISSING,
    SIDES,
    Participant,
    ParticipantError,
    as_number,
    as_row,
    as_text,
    is_told,
    parse_participant,
    read_participants,
    tsv,
    write_participants,
)
from acquire.findings import Finding
from acquire.storage.durable import write_atomically
from acquire.storage.errors import LayoutError

SHEET: Final = "participants"
_SAME: Final[Mapping[str, str]] = {
    **dict.fromkeys(("participant", "subject", "subject_id", "id"), "participant_id"),
    **dict.fromkeys(("weight", "body_mass", "body_weight"), "mass"),
    **dict.fromkeys(("body_height", "stature"), "height"),
    "gender": "sex",
    "group": "cohort",
    "inter_asis_distance": "inter_asis",
}
_SEXES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("m", "male", "man"), "M"),
    **dict.fromkeys(("f", "female", "w", "woman"), "F"),
    **dict.fromkeys(("o", "other", "x", "d"), "O"),
}
_SIDES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("left", "lt", "l"), "left"),
    **dict.fromkeys(("right", "rt", "r"), "right"),
}
#: a unit as written: ours, and the factor to it
_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "mm": ("mm", 1.0),
    "cm": ("mm", 10.0),
    "m": ("mm", 1000.0),
    "kg": ("kg", 1.0),
    "g": ("kg", 0.001),
    **dict.fromkeys(("deg", "degrees"), ("deg", 1.0)),
    **dict.fromkeys(("y", "year", "years"), ("y", 1.0)),
}


class _Column(NamedTuple):
    """What a column holds: a quantity, of which side, in which unit."""

    base: str
    side: str
    unit: str


@dataclass
class TableImport:
    """Who was read from a table, what was left out, and what is odd."""

    people: list[Participant] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)  #: by our columns
    left_out: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_table(path: Path) -> TableImport:
    """Read participants from TSV, CSV or xlsx; nothing is stored.

    Columns may be spelled as people do: ``Height (cm)``, ``Left knee width [mm]``,
    ``weight_kg``. Columns we have no use for are left out, and told.

    Raises
    ------
    ParticipantError
        It holds names, dates of birth, e-mail addresses or the like, or nobody's
        pseudonym, or words where numbers are needed.
    """
    columns, rows = _cells(path)
    told = identifying(columns, rows)
    if told:
        raise ParticipantError(
            f"{path.name} could tell who people are: {'; '.join(told[:5])}. Take it "
            "out and keep it, with the key to the pseudonyms, outside the dataset"
        )
    result = TableImport()
    meant = {column: _meaning(column) for column in columns}
    if not any(names == ["participant_id"] for names, _ in meant.values()):
        raise ParticipantError(
            f"{path.name} has no column participant_id; it has {', '.join(columns)}"
        )
    result.left_out = [column for column, (names, _) in meant.items() if not names]
    for number, row in enumerate(rows, 2):
        where = f"{path.name}, row {number}"
        known = _known(row, meant, where)
        try:
            person = parse_participant(known, where)
        except LayoutError as error:
            raise ParticipantError(f"{where}: {error}") from error
        if person.participant_id in {p.participant_id for p in result.people}:
            raise ParticipantError(f"{where}: {person.participant_id} is listed twice")
        result.people.append(person)
        result.told.append(known)
        result.findings += findings_of(person)
    return result


def import_table(dataset: Path, path: Path) -> TableImport:
    """Take a table's participants into the dataset, all or none.

    Measures that the table does not hold keep their earlier values.

    Raises
    ------
    ParticipantError
        See `read_table`; or a measure is one that no body has.
    """
    result = read_table(path)
    wrong = [f for f in result.findings if f.severity == "error"]
    if wrong:
        told = "; ".join(f"{finding.where}: {finding.message}" for finding in wrong)
        raise ParticipantError(f"{path.name}: {told}")
    earlier = read_participants(dataset)
    merged = []
    for known in result.told:
        before = earlier.get(known["participant_id"])
        kept = as_row(before) if before else {}
        merged.append(parse_participant({**kept, **known}, path.name))
    write_participants(dataset, merged)
    return result


def export_table(dataset: Path, path: Path) -> Path:
    """Write the dataset's participants as TSV or xlsx, our columns alone."""
    rows = [as_row(person) for person in read_participants(dataset).values()]
    if path.suffix == ".tsv":
        content = tsv(rows).encode()
    elif path.suffix == ".xlsx":
        content = _xlsx(rows)
    else:
        raise ParticipantError(f"{path.name}: tables are written as .tsv and .xlsx")
    write_atomically(path, content)
    return path


def _cells(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    if path.suffix in (".tsv", ".csv"):
        text = path.read_text(encoding="utf-8-sig")
        mark = "\t" if path.suffix == ".tsv" else _delimiter(text)
        lines: Iterable[Sequence[Any]] = csv.reader(io.StringIO(text), delimiter=mark)
    elif path.suffix == ".xlsx":
        lines = _sheet(path)
    else:
        raise ParticipantError(f"{path.name}: tables are read as .tsv, .csv and .xlsx")
    filled = [[_text(cell) for cell in line] for line in lines]
    filled = [line for line in filled if any(line)]
    if not filled:
        raise ParticipantError(f"{path.name} is empty")
    columns = filled[0]
    return [c for c in columns if c], [
        {column: cell for column, cell in zip(columns, line, strict=False) if column}
        for line in filled[1:]
    ]


def _delimiter(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return ";" if first.count(";") > first.count(",") else ","


def _sheet(path: Path) -> list[tuple[Any, ...]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise
    except (InvalidFileException, BadZipFile, KeyError, OSError) as error:
        raise ParticipantError(
            f"{path.name}: no readable workbook ({error})"
        ) from error
    try:
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        return list(sheet.iter_rows(values_only=True))
    finally:
        book.close()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.date | dt.datetime):
        return cell.strftime("%Y-%m-%d")
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell).strip()


def _meaning(column: str) -> tuple[list[str], float]:
    """Return which of our columns somebody's fills, and the factor to our unit."""
    said = _parsed(column)
    unit, factor = _UNITS.get(said.unit, (said.unit, 1.0))
    sides = SIDES if said.base in LEGS and not said.side else (said.side,)
    names = [
        name
        for name in DESCRIPTIONS
        for ours in [_parsed(name)]
        if ours.base == said.base and ours.side in sides and unit in ("", ours.unit)
    ]
    return names, factor


def _parsed(column: str) -> _Column:
    words = re.findall(r"[a-z]+", column.lower())
    unit = words.pop() if len(words) > 1 and words[-1] in _UNITS else ""
    side = next((_SIDES[word] for word in words if word in _SIDES), "")
    base = "_".join(word for word in words if word not in _SIDES)
    return _Column(_SAME.get(base, base), side, unit)


def _known(
    row: Mapping[str, str], meant: Mapping[str, tuple[list[str], float]], where: str
) -> dict[str, str]:
    known: dict[str, str] = {}
    for column, text in row.items():
        names, factor = meant[column]
        if not is_told(text):
            continue
        for name in names:
            if name == "sex":
                known[name] = _SEXES.get(text.lower(), text)
            elif name == "cohort":
                known[name] = text.lower()
            elif name == "participant_id":
                known[name] = text
            else:
                known[name] = as_text(as_number(text, f"{where}: {column}") * factor)
    return known


def _xlsx(rows: list[dict[str, str]]) -> bytes:
    book = Workbook()
    book.properties.creator = "kinemuse"
    sheet = book.active or book.create_sheet()
    sheet.title = SHEET
    sheet.append(list(DESCRIPTIONS))
    for row in rows:
        sheet.append([_value(name, row[name]) for name in DESCRIPTIONS])
    sheet.freeze_panes = "B2"
    columns = book.create_sheet("columns")
    columns.append(["column", "description"])
    for name, text in DESCRIPTIONS.items():
        columns.append([name, text])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _value(name: str, text: str) -> str | float | None:
    if text == MISSING:
        return None
    return text if name in ("participant_id", "sex", "cohort") else float(text)
