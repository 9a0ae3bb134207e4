"""The gait of a trial read back from its derived file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquire.derived_gait import MODEL_GROUPS
from acquire.gait.cycles import Stride
from acquire.gait.events import GaitEvent, Kind, Source
from acquire.gait.feet import SIDES, Side
from acquire.storage.derived_file import Derived

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StoredGait:
    """The gait of one trial as a derived file holds it; times are trial times.

    `model` holds what the gait model made, (n, 3) by name at `model_time_s` (n,);
    empty where it had nothing to rest on. `model_source` says who computed it.
    """

    events: list[GaitEvent]
    strides: list[Stride]
    forces_n: Mapping[Side, Floats]
    force_time_s: Floats
    checks: Mapping[str, float]
    remarks: tuple[str, ...]
    model: Mapping[str, Floats] = field(default_factory=dict)
    model_time_s: Floats = field(default_factory=lambda: np.empty(0))
    model_source: str = ""


def stored_gait(derived: Derived) -> StoredGait:
    """Read a derived file's gait back."""
    events, strides = derived["gait/events"].arrays, derived["gait/strides"].arrays
    forces, own = derived["gait/forces"].arrays, derived["gait"].attributes
    groups = [
        derived[f"gait/{group}"]
        for group in MODEL_GROUPS
        if group in derived["gait"].groups
    ]
    parts = [group.arrays for group in groups]
    return StoredGait(
        events=[
            GaitEvent(float(t), _side(side), _kind(kind), _source(source))
            for t, side, kind, source in zip(
                *(events[name] for name in ("time_s", "side", "kind", "source")),
                strict=True,
            )
        ],
        strides=[
            Stride(
                _side(side),
                float(start),
                float(end),
                float(off),
                str(source),
                tuple(json.loads(reasons)),
            )
            for side, start, end, off, source, reasons in zip(
                *(
                    strides[name]
                    for name in (
                        *("side", "start_s", "end_s", "off_s", "source", "reasons"),
                    )
                ),
                strict=True,
            )
        ],
        forces_n={side: forces[side] for side in SIDES if side in forces},
        force_time_s=forces["time_s"],
        checks={k: float(v) for k, v in own.items() if k != "remarks"},
        remarks=tuple(json.loads(str(own["remarks"]))),
        model={
            name: rows
            for part in parts
            for name, rows in part.items()
            if name not in ("time_s", "filled")
        },
        model_time_s=parts[0]["time_s"] if parts else np.empty(0),
        model_source=str(groups[0].attributes["source"]) if groups else "",
    )


def _side(text: str) -> Side:
    return "left" if text == "left" else "right"


def _kind(text: str) -> Kind:
    return "strike" if text == "strike" else "off"


def _source(text: str) -> Source:
    return "force" if text == "force" else "marker"
