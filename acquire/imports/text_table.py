"""Numbers in text files: tables by row, with errors that say where."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.imports.errors import SourceFileError

Floats = NDArray[np.float64]

DELIMITERS: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "space": None}
_MISSING: Final = {"", "nan", "n/a", "na", "-"}


def read_lines(path: Path) -> list[str]:
    """Return a text file's lines; blank ones at its end are left out.

    UTF-8 (with or without a mark) and Latin-1 are read.
    """
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        raise SourceFileError(f"{path.name}: binary, not text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def split(line: str, delimiter: str) -> list[str]:
    """Return a line's cells; blanks and tabs at its end are no cell."""
    mark = DELIMITERS[delimiter]
    return line.split() if mark is None else line.rstrip("\t ").split(mark)


def numbers(
    lines: Sequence[str],
    where: str,
    *,
    delimiter: str,
    decimal: str = ".",
    first_line: int = 1,
) -> Floats:
    """Return the table of numbers in `lines`, shape (n_lines, n_columns).

    An empty cell, ``NaN`` or ``n/a`` is NaN. `first_line` is the number of the first
    line in its file, for errors.

    Raises
    ------
    SourceFileError
        A line has another number of cells than the first, or a cell is no number.
    """
    table = _fast(lines, delimiter, decimal)
    if table is not None:
        return table
    rows = [split(line, delimiter) for line in lines]
    width = len(rows[0]) if rows else 0
    for k, row in enumerate(rows):
        if len(row) != width:
            raise SourceFileError(
                f"{where}, line {first_line + k}: {len(row)} cells where the lines "
                f"before have {width} (delimiter {delimiter})"
            )
    cells = [
        [_number(cell, decimal, f"{where}, line {first_line + k}") for cell in row]
        for k, row in enumerate(rows)
    ]
    return np.array(cells, dtype=np.float64).reshape(len(rows), width)


def _fast(lines: Sequence[str], delimiter: str, decimal: str) -> Floats | None:
    """Return the table if it holds nothing but numbers; None otherwise."""
    if not lines or not all(line.strip() for line in lines):
        return None
    plain = lines if decimal == "." else [line.replace(",", ".") for line in lines]
    try:
        return np.loadtxt(
            plain, delimiter=DELIMITERS[delimiter], comments=None, ndmin=2
        )
    except ValueError:
        return None


def _number(cell: str, decimal: str, where: str) -> float:
    text = cell.strip()
    if text.lower() in _MISSING:
        return float("nan")
    try:
        return float(text.replace(",", ".") if decimal == "," else text)
    except ValueError:
        raise SourceFileError(f"{where}: {cell.strip()[:40]!r} is no number") from None
