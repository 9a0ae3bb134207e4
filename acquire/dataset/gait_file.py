"""Gait outputs as a file of arrays, and measures of a body from a file of text."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from acquire.dataset.c3d_gait import C3dGait
from acquire.gait.feet import SIDES
from acquire.storage.durable import replace_atomically

EVENT_NAMES = {"strike": "Foot_Strike", "off": "Foot_Off"}


class SubjectFileError(ValueError):
    """A file of measures cannot be read, or holds nobody's or several people's."""


def write_gait(path: Path, found: C3dGait) -> Path:
    """Write arrays as named in C3D, and events, in one step in place of an earlier one.

    Beside the arrays (n, 3) there are ``rate_hz``, ``Left_Foot_Strike`` and its like
    (s from the first frame), ``LGroundUnknown`` and ``RGroundUnknown`` (n,) and the
    static offsets, ``LStaticPlantFlex`` and its like, in degrees.
    """
    arrays: dict[str, NDArray[Any]] = dict(found.arrays)
    arrays["rate_hz"] = np.array(found.rate_hz)
    for side in SIDES:
        letter = side[0].upper()
        for kind, name in EVENT_NAMES.items():
            arrays[f"{side.capitalize()}_{name}"] = np.array(
                [e.time_s for e in found.events if e.side == side and e.kind == kind]
            )
        if side in found.ground_unknown:
            arrays[f"{letter}GroundUnknown"] = found.ground_unknown[side]
        foot = found.calibration.foot(side)
        arrays[f"{letter}StaticPlantFlex"] = np.array(foot.plantar_flexion_deg)
        arrays[f"{letter}StaticRotOff"] = np.array(foot.rotation_deg)
    arrays["units"] = np.array("deg, N/kg, N.m/kg, W/kg, s")
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.tmp")
    with tmp.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    replace_atomically(tmp, path)
    return path


def read_subject(path: Path, participant: str | None = None) -> dict[str, float]:
    """Read measures by name from YAML, JSON or a table like ``participants.tsv``.

    A measure given once for both legs (``knee_width_mm``) goes to both; text and
    ``n/a`` are passed over.

    Raises
    ------
    SubjectFileError
        It is none of these, or a table of several without `participant`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".tsv":
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
        named = [r for r in rows if participant in (None, r.get("participant_id", ""))]
        if len(named) != 1:
            people = [row.get("participant_id", "?") for row in rows]
            raise SubjectFileError(
                f"{path} has participants {', '.join(people) or 'none'}; name one by "
                "--participant"
            )
        loaded: Any = named[0]
    else:
        try:
            loaded = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SubjectFileError(f"{path}: {error}") from error
    if not isinstance(loaded, Mapping):
        raise SubjectFileError(f"{path} holds no measures by name")
    found = {str(k): v for k, v in ((k, _number(v)) for k, v in loaded.items()) if v}
    for name in ("leg_length", "knee_width", "ankle_width"):
        for side in SIDES:
            both = found.get(f"{name}_mm")
            if both:
                found.setdefault(f"{name}_{side}_mm", both)
    return found


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
