"""Alignment and gait as the groups of a derived file, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.align import Alignment
from acquire.align.streams import StreamClock
from acquire.gait.cycles import Stride
from acquire.gait.events import GaitEvent, Kind, Source
from acquire.gait.feet import SIDES, Side
from acquire.gait.model_trial import ModelOutputs
from acquire.gait.plug_in_gait import ANGLES, FORCES, MOMENTS, POWERS
from acquire.gait.processing import Processing
from acquire.gait.trial import GaitResult
from acquire.model_basis import ModelBasis
from acquire.nexus_outputs import NexusOutputs
from acquire.storage.derived_file import Derived, Group

Floats = NDArray[np.float64]

MODEL_GROUPS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "angles": (ANGLES, "deg"),
    "joint_forces": (FORCES, "N/kg"),
    "moments": (MOMENTS, "N.m/kg"),
    "powers": (POWERS, "W/kg"),
}
"""Groups of a derived file, the outputs of the gait model in them, and their unit."""


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


def clock_group(clock: StreamClock) -> Group:
    """Return one stream's fit: the report's numbers, segments, gaps and edges."""
    attributes: dict[str, str | int | float | bool] = {
        name: float("nan") if value is None else value
        for name, value in clock.row().items()
    }
    attributes |= {"rate_hz": clock.fit.rate_hz, "offset_s": clock.fit.offset_s}
    attributes["has_trigger"] = clock.has_trigger
    attributes["fit_trials"] = json.dumps(clock.shared.trials if clock.shared else [])
    runs = clock.fit.runs
    columns = ("first", "last", "offset_s", "skew_ppm", "n_matched")
    segments = {
        name: np.array([getattr(run, name) for run in runs], dtype=np.float64)
        for name in columns
    }
    gaps = {
        "first_missing_index": np.array([g.first_missing_index for g in clock.gaps]),
        "n": np.array([gap.n for gap in clock.gaps], dtype=np.int64),
        "kind": np.array([gap.kind for gap in clock.gaps], dtype=object),
        "n_half_width": np.array([g.n_half_width for g in clock.gaps], dtype=np.int64),
    }
    edges = {
        "index": clock.edges.index,
        "rising": clock.edges.rising,
        "half_width": clock.edges.half_width,
    }
    return Group(
        attributes=attributes,
        groups={
            "segments": Group(segments),
            "gaps": Group(gaps),
            "edges": Group(edges, units={"index": "samples", "half_width": "samples"}),
        },
    )


def time_group(alignment: Alignment, t0_s: float) -> Group:
    """Return the trial time of every recorded row of every stream."""
    times = {name: clock.time_s - t0_s for name, clock in alignment.streams.items()}
    return Group(times, units=dict.fromkeys(times, "s"))


def interval_group(alignment: Alignment) -> Group:
    """Return the half-width of the interval of every row's time, per stream."""
    widths = {
        name: np.asarray(clock.fit.half_width_s(clock.index), dtype=np.float32)
        for name, clock in alignment.streams.items()
    }
    return Group(widths, units=dict.fromkeys(widths, "s"))


def edge_group(alignment: Alignment, t0_s: float) -> Group:
    """Return the trigger line's edges as the reference clock saw them, trial time."""
    edges = alignment.edges
    return Group(
        {
            "time_s": edges.index - t0_s,
            "rising": edges.rising,
            "half_width_s": edges.half_width,
        },
        units={"time_s": "s", "half_width_s": "s"},
    )


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


def _texts(values: list[str]) -> NDArray[np.object_]:
    return np.array(values, dtype=object).reshape(len(values))


def _side(text: str) -> Side:
    return "left" if text == "left" else "right"


def _kind(text: str) -> Kind:
    return "strike" if text == "strike" else "off"


def _source(text: str) -> Source:
    return "force" if text == "force" else "marker"
