"""Gait as the groups of a derived file: events, strides, plates, model outputs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.model_trial import ModelOutputs
from acquire.gait.plug_in_gait import ANGLES, FORCES, MOMENTS, POWERS
from acquire.gait.processing import Processing
from acquire.gait.trial import GaitResult
from acquire.model_basis import ModelBasis
from acquire.nexus_outputs import NexusOutputs
from acquire.storage.derived_file import Group

MODEL_GROUPS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "angles": (ANGLES, "deg"),
    "joint_forces": (FORCES, "N/kg"),
    "moments": (MOMENTS, "N.m/kg"),
    "powers": (POWERS, "W/kg"),
}
"""Groups of a derived file, the outputs of the gait model in them, and their unit."""


def model_parameters(
    model: ModelOutputs, basis: ModelBasis, processing: Processing
) -> dict[str, str]:
    """Return what our own outputs rest on, as attributes of their groups."""
    if basis.measures is None or basis.calibration is None:
        return {}
    return {
        "model": "Plug-in Gait",
        "source": model.source,
        "processing": json.dumps(asdict(processing)),
        "measures": json.dumps(asdict(basis.measures)),
        "calibration": json.dumps(asdict(basis.calibration)),
    }


def nexus_parameters(placed: NexusOutputs, digest: str) -> dict[str, str]:
    """Return what outputs of a file processed in Nexus rest on, likewise."""
    return {
        "model": "Plug-in Gait",
        "source": placed.model.source,
        "source_sha256": digest,
        "parameters": json.dumps(dict(placed.parameters)),
        "first_frame_s": f"{placed.first_s:g}",
        "markers_apart_mm": f"{placed.apart_m * 1000:.3f}",
    }


def model_groups(
    model: ModelOutputs, parameters: Mapping[str, str]
) -> dict[str, Group]:
    """Return angles, joint forces, moments and powers, with the model's parameters.

    Beside them the markers that they rest on: `filled` says by label how each frame
    came about, 0 measured, 1 by a spline, 2 with its segment.
    """
    if not model.arrays or not parameters:
        return {}
    groups = {}
    for group, (names, unit) in MODEL_GROUPS.items():
        arrays = {name: model.arrays[name] for name in names if name in model.arrays}
        if arrays:
            groups[group] = Group(
                {"time_s": model.time_s, "filled": model.filled, **arrays},
                parameters,
                units={"time_s": "s", **dict.fromkeys(arrays, unit)},
                axis="time_s",
            )
    time = {"time_s": model.time_s}
    made = {name: how for name, how in model.markers.method.items() if how.any()}
    if model.markers.markers_m:
        groups["markers"] = Group(
            {**time, **model.markers.markers_m},
            {"processing": parameters.get("processing", "")},
            {"filled": Group({**time, **made}, axis="time_s", units={"time_s": "s"})},
            {"time_s": "s", **dict.fromkeys(model.markers.markers_m, "m")},
            "time_s",
        )
    return groups


def plate_groups(found: GaitResult) -> dict[str, Group]:
    """Return what was taken from each plate as its zero, and whose foot each step was.

    A step with `crossover` has both feet on its plate; `side` is empty where no foot
    was near.
    """
    if not found.zeros:
        return {}
    used = found.baseline
    on, off = (
        np.interp(
            [getattr(step.contact, name) for step in found.steps],
            np.arange(found.force_time_s.size),
            found.force_time_s,
        )
        for name in ("on", "off")
    )
    return {
        "plates": Group(
            {
                "plate": _texts([zero.plate for zero in found.zeros]),
                "zero_source": _texts([zero.source for zero in found.zeros]),
                "zero": np.stack([zero.offset for zero in found.zeros]),
            },
            {
                "components": "Fx Fy Fz (N) Mx My Mz (N.m), plate axes, on the plate",
                "baseline": used.name if used else "",
                "baseline_sha256": used.sha256 if used else "",
                "baseline_incline_deg": used.incline_deg if used else float("nan"),
                "baseline_facing": used.facing if used else "",
            },
        ),
        "steps": Group(
            {
                "plate": _texts([found.zeros[s.plate].plate for s in found.steps]),
                "side": _texts([step.side or "" for step in found.steps]),
                "crossover": np.array([s.crossover for s in found.steps], dtype=bool),
                "on_s": on,
                "off_s": off,
            },
            units={"on_s": "s", "off_s": "s"},
        ),
    }


def gait_group(
    found: GaitResult,
    model: ModelOutputs,
    parameters: Mapping[str, str],
) -> Group:
    """Return events, strides, the reaction on each foot, and the model's outputs.

    `parameters` say what those outputs rest on.
    """
    events, strides = found.events, found.strides
    return Group(
        attributes={
            **{name: float(value) for name, value in found.checks.items()},
            "remarks": json.dumps([*found.remarks, *model.remarks]),
        },
        groups={
            "events": Group(
                {
                    "time_s": np.array([e.time_s for e in events], dtype=np.float64),
                    "side": _texts([event.side for event in events]),
                    "kind": _texts([event.kind for event in events]),
                    "source": _texts([event.source for event in events]),
                },
                units={"time_s": "s"},
            ),
            "strides": Group(
                {
                    **{
                        name: np.array(
                            [getattr(s, name) for s in strides], dtype=np.float64
                        )
                        for name in ("start_s", "end_s", "off_s")
                    },
                    "side": _texts([stride.side for stride in strides]),
                    "source": _texts([stride.source for stride in strides]),
                    "reasons": _texts([json.dumps(s.reasons) for s in strides]),
                },
                units={"start_s": "s", "end_s": "s", "off_s": "s"},
            ),
            "forces": Group(
                {
                    "time_s": found.force_time_s,
                    **{str(side): force for side, force in found.forces_n.items()},
                },
                units={"time_s": "s", "left": "N", "right": "N"},
                axis="time_s",
                attributes={"frame": "world", "acts_on": "person"},
            ),
            **plate_groups(found),
            **model_groups(model, parameters),
        },
    )


def _texts(values: list[str]) -> NDArray[np.object_]:
    return np.array(values, dtype=object).reshape(len(values))
