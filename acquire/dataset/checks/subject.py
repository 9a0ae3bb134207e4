"""Checks that a subject file is what the published description promises."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from acquire.dataset.checks.container import container_findings
from acquire.dataset.mat_reader import Node, variables
from acquire.findings import Finding
from acquire.gait.cycles import POINTS
from acquire.storage import labels
from acquire.storage.errors import LayoutError

TREES = ("OriginalData", "NormalizedData")
DATATYPES = (
    *("Markers", "Angles", "Forces", "Moments", "Powers"),
    *("Events", "USData", "EMGData"),
)
CURVES = DATATYPES[:5]
STRIDE_EVENTS = ("LStartFrame", "LEndFrame", "RStartFrame", "REndFrame")


def subject_findings(path: Path) -> list[Finding]:
    """Check a subject file: container, names, order, shapes, ratios, magnitudes."""
    found = container_findings(path)
    if any(finding.severity == "error" for finding in found):
        return found
    with h5py.File(path, "r") as file:
        names = [node.path for node in variables(file)]
        if names != [path.stem]:
            text = f"holds the variables {names}, not {path.stem} alone"
            return [*found, Finding("subject-variable", "error", path.name, text)]
        (subject,) = variables(file)
        if subject.fields != list(TREES):
            text = f"has the fields {subject.fields}, not {list(TREES)}"
            return [*found, Finding("subject-trees", "error", subject.path, text)]
        originals = {_tail(trial): trial for trial in _trials(subject[TREES[0]], found)}
        cycles = {_tail(trial): trial for trial in _trials(subject[TREES[1]], found)}
        for name in originals.keys() ^ cycles.keys():
            text = f"trial {name} is in one of {' and '.join(TREES)} only"
            found.append(Finding("subject-pair", "error", subject.path, text))
        for trial in originals.values():
            found += _original(trial)
        for trial in cycles.values():
            found += _normalized(trial)
    return found


def _tail(trial: Node) -> str:
    return trial.path.split(".", 2)[2]


def _trials(tree: Node, found: list[Finding]) -> Iterator[Node]:
    """Yield every trial, noting names that are none of the layout's."""
    for condition in tree.children():
        for mode in condition.children():
            for speed in mode.children():
                name = [
                    node.path.rpartition(".")[2] for node in (condition, mode, speed)
                ]
                try:
                    labels.condition_label(name[0])
                    labels.slope_deg(name[1])
                    labels.speed_mps(name[2])
                except LayoutError as error:
                    found.append(
                        Finding("subject-name", "error", speed.path, str(error))
                    )
                    continue
                yield from speed.children()


def _original(trial: Node) -> Iterator[Finding]:
    yield from _order(trial)
    frames = {
        node.path: node.dims
        for name in CURVES
        if name in trial
        for node in trial[name].children()
    }
    lengths = {dims[0] for dims in frames.values()}
    for path, dims in frames.items():
        if len(dims) != 2 or dims[1] != 3:
            yield _error("subject-shape", path, f"is {_by(dims)}, not F by 3")
    if len(lengths) > 1:
        text = f"curves have different lengths {sorted(lengths)}"
        yield _error("subject-length", trial.path, text)
    n_frames = max(lengths, default=0)
    yield from _emg(trial, n_frames)
    yield from _echoes(trial, n_frames)
    yield from _event_times(trial, n_frames)
    yield from _magnitudes(trial)


def _emg(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "EMGData" not in trial:
        return
    node = trial["EMGData"]
    if len(node.dims) != 2 or node.dims[1] != 13:
        yield _error(
            "subject-emg-shape", node.path, f"is {_by(node.dims)}, not M by 13"
        )
    elif n_frames and abs(node.dims[0] / n_frames - 20) > 0.2:
        ratio = node.dims[0] / n_frames
        yield _error(
            "subject-emg-ratio", node.path, f"{ratio:.2f} rows a frame, not 20"
        )
    else:
        lost = float(np.isnan(node.value()).mean()) if node.dims[0] else 0.0
        if lost > 0.001:
            text = f"{100 * lost:.2f} % of it is missing (NaN)"
            yield Finding("subject-emg-missing", "warning", node.path, text)


def _echoes(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "USData" not in trial:
        return
    node = trial["USData"]
    if node.kind != "cell" or node.dims[1:] != (1,):
        text = f"is a {node.kind} of {_by(node.dims)}, not a cell of N by 1"
        yield _error("subject-us-cell", node.path, text)
        return
    bad = {(item.kind, item.dims) for item in node.cells()} - {("double", (4, 1000))}
    for kind, dims in sorted(bad):
        text = f"holds a {kind} of {_by(dims)}, not a double of 4 by 1000"
        yield _error("subject-us-frame", node.path, text)
    expected = n_frames / 5
    if n_frames and abs(node.dims[0] - expected) > max(2.0, 0.02 * expected):
        text = f"{node.dims[0]} frames where {expected:.0f} belong"
        yield Finding("subject-us-count", "warning", node.path, text)


def _event_times(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "Events" not in trial or "EventTime" not in trial["Events"]:
        return
    times = {
        node.path: node.value().ravel()
        for node in trial["Events"]["EventTime"].children()
    }
    for path, at in times.items():
        if at.size and (at.min() < 0 or at.max() > n_frames / 100):
            text = f"{at.min():.3f} to {at.max():.3f} s is beyond the trial"
            yield _error("subject-event-range", path, text)
        if np.any(np.diff(at) <= 0):
            yield _error("subject-event-order", path, "times do not increase")


def _magnitudes(trial: Node) -> Iterator[Finding]:
    """Catch units: millimetres for metres, newtons for newtons per kilogram."""
    for name, limit, unit in (("Markers", 20.0, "m"), ("Forces", 60.0, "N/kg")):
        for node in trial[name].children() if name in trial else ():
            values = node.value()
            largest = float(np.nanmax(np.abs(values), initial=0.0))
            if largest > limit:
                yield _error("subject-unit", node.path, f"reaches {largest:.0f} {unit}")


def _normalized(trial: Node) -> Iterator[Finding]:
    yield from _order(trial)
    for name in CURVES:
        for node in trial[name].children() if name in trial else ():
            yield from _curve(node)
    if "Events" in trial:
        events = trial["Events"]
        if tuple(events.fields) != STRIDE_EVENTS:
            text = f"has {events.fields}, not {list(STRIDE_EVENTS)}"
            yield _error("subject-stride-events", events.path, text)
        else:
            for side in "LR":
                start = events[f"{side}StartFrame"].value().ravel()
                end = events[f"{side}EndFrame"].value().ravel()
                if start.size != end.size or np.any(start >= end):
                    text = f"{side} strides do not run from start to end"
                    yield _error("subject-stride-frames", events.path, text)
    if "EMGData" in trial:
        for side, columns in (("Right", 9), ("Left", 4)):
            node = trial["EMGData"][side]
            if any(cell.dims[1] != columns for cell in node.cells()):
                text = f"a stride has not {columns} columns"
                yield _error("subject-emg-stride", node.path, text)


def _curve(node: Node) -> Iterator[Finding]:
    if node.fields != ["rsGaitData", "MeanValues", "StdValues"]:
        yield _error("subject-curve-fields", node.path, f"has the fields {node.fields}")
        return
    dims = node["rsGaitData"].dims
    if dims[:2] != (POINTS, 3) or len(dims) > 3:
        text = f"is {_by(dims)}, not {POINTS} by 3 by strides"
        yield _error("subject-curve-shape", node["rsGaitData"].path, text)
    for name in ("MeanValues", "StdValues"):
        if node[name].dims != (POINTS, 3):
            text = f"is {_by(node[name].dims)}, not {POINTS} by 3"
            yield _error("subject-curve-shape", node[name].path, text)


def _order(trial: Node) -> Iterator[Finding]:
    wanted = [name for name in DATATYPES if name in trial]
    if trial.fields != wanted:
        text = f"has the fields {trial.fields}, expected {wanted}"
        yield _error("subject-field-order", trial.path, text)
    missing = [name for name in DATATYPES if name not in trial]
    if missing:
        text = f"has no {', '.join(missing)}"
        yield Finding("subject-absent", "info", trial.path, text)


def _error(code: str, where: str, message: str) -> Finding:
    return Finding(code, "error", where, message)


def _by(dims: tuple[int, ...]) -> str:
    return " by ".join(map(str, dims))
