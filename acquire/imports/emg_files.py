"""sEMG of one trial from a file: MyoResearch's MAT-files and CSV, plain matrices."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_CHANNELS
from acquire.dataset.mat_tree import MatNode, MatReadError, open_mat
from acquire.imports.errors import SourceFileError
from acquire.imports.profile import EmgFiles
from acquire.imports.text_table import DELIMITERS, numbers, read_lines

Floats = NDArray[np.float64]

SIGNALS = ("movements", "sources", "signals")
TIME_NAMES = ("time", "time,s", "time (s)", "time_s", "time [s]")
_NAME_AND_UNIT = re.compile(r"(.+?)(?:,\s*|\s*\(|\s*\[)([^,()\[\]]+?)[)\]]?")
_HEAD_LINES = 60  #: the names of columns come within these, or not at all


@dataclass(frozen=True, eq=False)
class EmgTable:
    """All channels of a file, `rows` (n, n_channels); NaN where samples were lost."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    rows: Floats
    simulated: bool | None = None  #: None where the file does not say

    def column(self, name: str, where: str) -> int:
        """Return a channel's place; an error says which channels there are."""
        if name not in self.names:
            raise SourceFileError(
                f"{where} has no channel {name!r}; it has {', '.join(self.names)}"
            )
        return self.names.index(name)


def read_emg(path: Path, layout: EmgFiles) -> EmgTable:
    """Read one file as the profile declares it.

    Raises
    ------
    SourceFileError
        It is laid out otherwise, or says neither rate nor unit and nor does the
        profile.
    """
    kind = path.suffix.lower()
    if kind == ".mat":
        table = _mat(path, layout)
    elif kind in (".csv", ".txt", ".asc"):
        table = _csv(path, layout)
    else:
        raise SourceFileError(f"{path.name}: sEMG is read from .mat, .csv and .txt")
    if not table.rows.size:
        raise SourceFileError(f"{path.name} holds no sample")
    if not table.rate_hz > 0:
        raise SourceFileError(
            f"{path.name} does not say its rate; declare emg.rate_hz in the profile"
        )
    return table


def _mat(path: Path, layout: EmgFiles) -> EmgTable:
    try:
        with open_mat(path) as variables:
            if layout.variable is not None:
                return _matrix(path, variables, layout)
            for node in variables:
                inner = _inside(node, SIGNALS)
                if inner is not None:
                    return _signals(path, node, inner, layout)
            have = ", ".join(node.path for node in variables) or "no variable"
    except MatReadError as error:
        raise SourceFileError(str(error)) from error
    raise SourceFileError(
        f"{path.name} has no struct with {'.'.join(SIGNALS)}, as MyoResearch writes; "
        f"it has {have}. For a plain matrix declare emg.variable and emg.columns"
    )


def _signals(
    path: Path, record: MatNode, signals: MatNode, layout: EmgFiles
) -> EmgTable:
    names, units, rates, rows = [], [], set(), []
    for name in signals.fields:
        signal = signals[name]
        if "data" not in signal or "name" not in signal:
            raise SourceFileError(
                f"{path.name}: {signal.path} has no name and data; it has "
                f"{', '.join(signal.fields)}"
            )
        names.append(_text(signal["name"]))
        units.append(_text(signal["units"]) if "units" in signal else "")
        if "frequency" in signal:
            rates.add(float(np.ravel(signal["frequency"].value())[0]))
        rows.append(np.ravel(np.asarray(signal["data"].value(), dtype=np.float64)))
    if len({row.size for row in rows}) > 1 or len(rates) > 1:
        told = ", ".join(f"{n} {r.size}" for n, r in zip(names, rows, strict=True))
        raise SourceFileError(
            f"{path.name}: channels differ in rate or length ({told}); export those "
            "of one rate"
        )
    said = _inside(record, ("info", "simulated"))
    return EmgTable(
        tuple(names),
        tuple(units),
        layout.rate_hz or (rates.pop() if rates else 0.0),
        np.stack(rows, axis=1) if rows else np.empty((0, 0)),
        None if said is None else bool(np.ravel(said.value())[0]),
    )


def _matrix(path: Path, variables: list[MatNode], layout: EmgFiles) -> EmgTable:
    found = next((node for node in variables if node.path == layout.variable), None)
    if found is None:
        have = ", ".join(node.path for node in variables)
        raise SourceFileError(
            f"{path.name} has no variable {layout.variable!r}; it has {have}"
        )
    rows = np.asarray(found.value(), dtype=np.float64)
    n = len(layout.columns)
    if rows.ndim == 2 and rows.shape[1] != n and rows.shape[0] == n:
        rows = rows.T
    if rows.ndim != 2 or rows.shape[1] != n:
        raise SourceFileError(
            f"{path.name}: {layout.variable} is {' x '.join(map(str, rows.shape))}; "
            f"emg.columns names {n} channels"
        )
    return EmgTable(layout.columns, ("",) * n, layout.rate_hz or 0.0, rows)


def _csv(path: Path, layout: EmgFiles) -> EmgTable:
    """Read a table with a line of names; a column of times gives the rate."""
    lines = read_lines(path)
    head = _head(path, lines, layout)
    if head + 1 == len(lines):
        raise SourceFileError(f"{path.name} holds no sample below line {head + 1}")
    names, units = zip(*map(_name_and_unit, _cells(lines[head], layout)), strict=True)
    rows = numbers(
        lines[head + 1 :],
        path.name,
        delimiter=layout.delimiter,
        decimal=layout.decimal,
        first_line=head + 2,
    )
    if rows.shape[1] != len(names):
        raise SourceFileError(
            f"{path.name}: {len(names)} names in line {head + 1}, but "
            f"{rows.shape[1]} columns below it"
        )
    rate = layout.rate_hz or 0.0
    if names[0].strip().lower() in TIME_NAMES:
        steps = np.diff(rows[:, 0])
        middle = float(np.median(steps)) if steps.size else 0.0
        if not layout.rate_hz and middle > 0:
            rate = _round_rate(1 / middle)
        if steps.size and np.nanmax(np.abs(steps - middle)) > 0.5 * abs(middle):
            raise SourceFileError(
                f"{path.name}: times in {names[0]!r} are not evenly spaced: samples "
                "are missing or in parts; export the whole record"
            )
        names, units, rows = names[1:], units[1:], rows[:, 1:]
    return EmgTable(names, units, rate, rows)


def _head(path: Path, lines: list[str], layout: EmgFiles) -> int:
    """Return the line that names the columns: the last with words before numbers."""
    wanted = {*layout.channels, *([layout.sync] if layout.sync else [])}
    for k, line in enumerate(lines[:_HEAD_LINES]):
        cells = _cells(line, layout)
        if wanted and wanted <= {_name_and_unit(cell)[0] for cell in cells}:
            return k
        if not wanted and k + 1 < len(lines) and _all_numbers(lines[k + 1], layout):
            return k
    told = f"with {', '.join(sorted(wanted))}" if wanted else "above the numbers"
    raise SourceFileError(
        f"{path.name}: no line of names {told} within the first {_HEAD_LINES} "
        f"(delimiter {layout.delimiter}); the first line is {lines[:1]}"[:400]
    )


def _cells(line: str, layout: EmgFiles) -> list[str]:
    """Return the cells of a line of names; a quoted one may hold the delimiter."""
    mark = DELIMITERS[layout.delimiter]
    if mark is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line.rstrip()], delimiter=mark))]


def _name_and_unit(cell: str) -> tuple[str, str]:
    found = _NAME_AND_UNIT.fullmatch(cell.strip())
    return (found[1].strip(), found[2].strip()) if found else (cell.strip(), "")


def _all_numbers(line: str, layout: EmgFiles) -> bool:
    try:
        numbers([line], "", delimiter=layout.delimiter, decimal=layout.decimal)
    except SourceFileError:
        return False
    return bool(line.strip())


def _round_rate(rate_hz: float) -> float:
    """Return the whole rate that printed times mean, where they are near one."""
    whole = float(round(rate_hz))
    return whole if whole and abs(rate_hz / whole - 1) < 1e-3 else rate_hz


def _inside(node: MatNode, names: tuple[str, ...]) -> MatNode | None:
    for name in names:
        if name not in node:
            return None
        node = node[name]
    return node


def _text(node: MatNode) -> str:
    value: NDArray[Any] = np.asarray(node.value())
    if value.dtype.kind == "U":
        return "".join(value.ravel().tolist()).strip()
    return "".join(map(chr, value.astype(int).ravel(order="F").tolist())).strip()


def labelled(table: EmgTable, layout: EmgFiles) -> Iterator[tuple[str, str]]:
    """Yield (our channel, the file's name for it) of all channels that are ours."""
    if layout.channels:
        yield from ((ours, theirs) for theirs, ours in layout.channels.items())
        return
    yield from ((name, name) for name in table.names if name in EMG_CHANNELS)
