"""Reference bands to compare a person with: from subject files, or from a table."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.report_ensembles import COLUMN, JOINTS, QUANTITIES
from acquire.dataset.subject_file import SubjectTrial, open_subject
from acquire.gait.cycles import POINTS
from acquire.storage.labels import (
    condition_label,
    mode_label,
    slope_deg,
    speed_label,
    speed_mps,
)

Floats = NDArray[np.float64]
Place = tuple[str, str]  #: mode and speed
COLUMNS: Final = ("variable", "mode", "speed", "percent", "mean", "sd")
CONDITION: Final = "Ideal"


class BandsError(ValueError):
    """A reference cannot be read, or holds nothing to compare with."""


@dataclass(frozen=True, eq=False)
class Band:
    """Mean and SD of a reference over the stride, (200,) each; `of` says of what."""

    mean: Floats
    sd: Floats
    of: str


@dataclass(frozen=True, eq=False)
class Reference:
    """Bands by mode and speed, then by variable."""

    name: str
    bands: Mapping[Place, Mapping[str, Band]]

    def of(self, mode: str, speed: str) -> Mapping[str, Band]:
        """Return the bands of a mode and speed; none where there are none."""
        return self.bands.get((mode, speed), {})


def read_reference(paths: Sequence[Path]) -> Reference:
    """Read one table of bands (``.csv``), or one or several subject files.

    Of several subjects, mean and SD are those of the subjects' mean curves; of one,
    those of its strides. Only the condition Ideal counts. A table has the columns
    ``variable mode speed percent mean sd``: ``LKneeAngles, LG_0, S_1, 0…100``.

    Raises
    ------
    BandsError
        A file cannot be taken, or nothing is in it.
    """
    tables = [path for path in paths if path.suffix.lower() == ".csv"]
    if tables and len(paths) > 1:
        raise BandsError("give one table, or subject files, not both")
    bands = _of_table(tables[0]) if tables else _of_subjects(paths)
    if not bands:
        names = ", ".join(path.name for path in paths)
        raise BandsError(f"{names}: no curves of walking under {CONDITION}")
    return Reference(", ".join(path.stem for path in paths), bands)


def _of_table(path: Path) -> dict[Place, dict[str, Band]]:
    rows: dict[Place, dict[str, list[tuple[float, float, float]]]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if lacking:
            raise BandsError(
                f"{path.name} has no column {', '.join(lacking)}; it has "
                f"{', '.join(reader.fieldnames or ['none'])}"
            )
        for number, row in enumerate(reader, 2):
            try:
                place = (
                    mode_label(slope_deg(row["mode"])),
                    speed_label(speed_mps(row["speed"])),
                )
                point = tuple(float(row[name]) for name in COLUMNS[3:])
            except (ValueError, TypeError) as error:
                raise BandsError(f"{path.name}, line {number}: {error}") from error
            found = rows.setdefault(place, {}).setdefault(row["variable"], [])
            found.append((point[0], point[1], point[2]))
    grid = np.linspace(0, 100, POINTS)
    made: dict[Place, dict[str, Band]] = {}
    for place, variables in rows.items():
        for name, points in variables.items():
            percent, mean, sd = np.array(sorted(points)).T
            made.setdefault(place, {})[name] = Band(
                np.interp(grid, percent, mean), np.interp(grid, percent, sd), path.stem
            )
    return made


def _of_subjects(paths: Sequence[Path]) -> dict[Place, dict[str, Band]]:
    strides: dict[Place, dict[str, list[Floats]]] = {}
    for path in paths:
        for place, variables in _curves(path).items():
            for name, rows in variables.items():
                strides.setdefault(place, {}).setdefault(name, []).append(rows)
    return {
        place: {name: _band(subjects) for name, subjects in variables.items()}
        for place, variables in strides.items()
    }


def _band(subjects: list[Floats]) -> Band:
    several = len(subjects) > 1
    rows = (
        np.column_stack([r.mean(axis=1) for r in subjects]) if several else subjects[0]
    )
    n = rows.shape[1]
    sd = rows.std(axis=1, ddof=1) if n > 1 else np.zeros(POINTS)
    return Band(rows.mean(axis=1), sd, f"{n} {'subjects' if several else 'strides'}")


def _curves(path: Path) -> dict[Place, dict[str, Floats]]:
    """Return all whole strides of a subject, (200, n), by place and variable."""
    found: dict[Place, dict[str, list[Floats]]] = {}
    with open_subject(path) as subject:
        for name in subject.trials:
            if name.condition == condition_label(CONDITION):
                parts = found.setdefault((name.mode, name.speed), {})
                for variable, rows in _strides(subject[name]).items():
                    parts.setdefault(variable, []).append(rows)
    return {
        place: {k: np.column_stack(v) for k, v in parts.items()}
        for place, parts in found.items()
        if parts
    }


def _strides(trial: SubjectTrial) -> dict[str, Floats]:
    cut = trial.normalized
    kinds = {
        "Angles": cut.angles_deg,
        "Moment": cut.moments_nm_per_kg,
        "Power": cut.powers_w_per_kg,
    }
    made: dict[str, Floats] = {}
    for side in "LR":
        for joint in JOINTS:
            for quantity, _ in QUANTITIES:
                name, variables = f"{side}{joint}{quantity}", kinds[quantity]
                if name in variables:
                    rows = variables[name].strides[:, COLUMN[quantity]]
                    rows = rows[:, np.isfinite(rows).all(axis=0)]
                    made |= {name: rows} if rows.shape[1] else {}
    return made
