"""Checks of a trial under ``NormalizedData``: shapes, means, numbers of strides."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from acquire.dataset.checks.codes import found
from acquire.dataset.checks.subject_times import CURVES, by
from acquire.dataset.mat_reader import Node
from acquire.findings import Finding
from acquire.gait.cycles import POINTS

STRIDE_EVENTS: Final = ("LStartFrame", "LEndFrame", "RStartFrame", "REndFrame")
FIELDS: Final = ["rsGaitData", "MeanValues", "StdValues"]


def normalized_findings(trial: Node) -> Iterator[Finding]:
    """Check a trial cut into gait cycles."""
    strides: dict[str, int] = {}
    if "Events" in trial:
        yield from _events(trial["Events"], strides)
    for name in CURVES:
        for node in trial[name].children() if name in trial else ():
            yield from _curve(node, strides)
    if "EMGData" in trial:
        for side, columns in (("Right", 9), ("Left", 4)):
            node = trial["EMGData"][side]
            cells = list(node.cells())
            if any(cell.dims[1] != columns for cell in cells):
                text = f"a stride has not {columns} columns"
                yield found("subject-emg-stride", node.path, text)
            yield from _count(node.path, len(cells), strides.get(side[0]))
    if "USData" in trial:
        node = trial["USData"]
        yield from _count(node.path, len(list(node.cells())), strides.get("L"))


def _events(events: Node, strides: dict[str, int]) -> Iterator[Finding]:
    if tuple(events.fields) != STRIDE_EVENTS:
        text = f"has {events.fields}, not {list(STRIDE_EVENTS)}"
        yield found("subject-stride-events", events.path, text)
        return
    for side in "LR":
        start = events[f"{side}StartFrame"].value().ravel()
        end = events[f"{side}EndFrame"].value().ravel()
        strides[side] = start.size
        if start.size != end.size or np.any(start >= end):
            text = f"{side} strides do not run from start to end"
            yield found("subject-stride-frames", events.path, text)


def _curve(node: Node, strides: dict[str, int]) -> Iterator[Finding]:
    if node.fields != FIELDS:
        yield found("subject-curve-fields", node.path, f"has the fields {node.fields}")
        return
    cycles, *summaries = (node[name] for name in FIELDS)
    dims = cycles.dims
    good = dims[:2] == (POINTS, 3) and len(dims) <= 3
    if not good:
        text = f"is {by(dims)}, not {POINTS} by 3 by strides"
        yield found("subject-curve-shape", cycles.path, text)
    for summary in summaries:
        if summary.dims != (POINTS, 3):
            good = False
            text = f"is {by(summary.dims)}, not {POINTS} by 3"
            yield found("subject-curve-shape", summary.path, text)
    if not good:
        return
    n = dims[2] if len(dims) == 3 else 1
    name = node.path.rpartition(".")[2]
    yield from _count(node.path, n, strides.get("L" if name[0] == "L" else "R"))
    rows = cycles.value().reshape(POINTS, 3, -1)
    mean, std = (summary.value() for summary in summaries)
    if n and not np.allclose(mean, rows.mean(axis=2), atol=1e-6, equal_nan=True):
        text = "is not the mean of the strides"
        yield found("subject-curve-mean", summaries[0].path, text)
    if n > 1 and not np.allclose(
        std, rows.std(axis=2, ddof=1), atol=1e-6, equal_nan=True
    ):
        text = "is not the standard deviation of the strides"
        yield found("subject-curve-mean", summaries[1].path, text)


def _count(where: str, n: int, wanted: int | None) -> Iterator[Finding]:
    if wanted is not None and n != wanted:
        text = f"has {n} strides, Events has {wanted}"
        yield found("subject-stride-count", where, text)
