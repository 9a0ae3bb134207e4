"""Plates and deck as a recording describes them: stream metadata and rig settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.gait.plates import Plate

COMPONENTS = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")


class SurveyError(ValueError):
    """A recording does not say where its plates are."""


@dataclass(frozen=True, eq=False)
class SurveyedPlate:
    """A plate and the columns of its six components."""

    plate: Plate
    columns: tuple[int, ...]


@dataclass(frozen=True)
class DeckSettings:
    """What the deck turns about, world metres, and whether the plates turn with it."""

    pivot_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    plates_follow_deck: bool = True


def surveyed_plates(
    metadata: Mapping[str, Any], labels: Sequence[str]
) -> list[SurveyedPlate]:
    """Read every plate whose six channels and pose are there.

    `metadata` is that of the force stream: ``plates`` with, by label, ``rotation``
    (3 by 3, plate to world), ``translation_m``, ``corners_m`` (4 by 3, world) and
    ``pose_incline_deg``; numbers may be text, as XML leaves them.

    Raises
    ------
    SurveyError
        A plate has channels but no pose.
    """
    plates = metadata.get("plates")
    found: list[SurveyedPlate] = []
    for label, facts in plates.items() if isinstance(plates, Mapping) else ():
        names = [f"{label}_{component}" for component in COMPONENTS]
        if not all(name in labels for name in names):
            continue
        for key in ("rotation", "translation_m", "corners_m"):
            if key not in facts:
                raise SurveyError(
                    f"plate {label} has no {key} in the stream's metadata; it has "
                    f"{sorted(facts)}"
                )
        incline = facts.get("pose_incline_deg", metadata.get("pose_incline_deg", 0))
        plate = Plate(
            label,
            _numbers(facts["rotation"], (3, 3), f"plate {label} rotation"),
            _numbers(facts["translation_m"], (3,), f"plate {label} translation_m"),
            _numbers(facts["corners_m"], (4, 3), f"plate {label} corners_m"),
            float(incline),
        )
        found.append(SurveyedPlate(plate, tuple(labels.index(name) for name in names)))
    return found


def deck_settings(rig: Mapping[str, Any]) -> DeckSettings | None:
    """Read the deck's settings from a rig: ``deck``, or the virtual lab's plates."""
    lab = rig.get("lab")
    part = rig.get("deck") or (lab.get("plates") if isinstance(lab, Mapping) else None)
    if not isinstance(part, Mapping) or "pivot_m" not in part:
        return None
    x, y, z = _numbers(part["pivot_m"], (3,), "deck pivot_m")
    return DeckSettings(
        (float(x), float(y), float(z)), bool(part.get("plates_follow_deck", True))
    )


def _numbers(
    value: Any,  # noqa: ANN401 (nested text)
    shape: tuple[int, ...],
    what: str,
) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64).reshape(shape)
    except (TypeError, ValueError) as error:
        raise SurveyError(
            f"{what} is {value!r}, not numbers of shape {shape}"
        ) from error
