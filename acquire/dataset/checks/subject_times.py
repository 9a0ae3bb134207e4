"""Checks of a trial under ``OriginalData``: shapes, durations, events, magnitudes."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.checks.codes import found
from acquire.dataset.mat_reader import Node
from acquire.findings import Finding

CURVES: Final = ("Markers", "Angles", "Forces", "Moments", "Powers")
FRAME_HZ: Final = 100.0
LARGEST: Final = (("Markers", 20.0, "m"), ("Forces", 60.0, "N/kg"))
"""Magnitudes that only another unit reaches: mm for m, N for N/kg."""

Floats = NDArray[Any]


def original_findings(trial: Node) -> Iterator[Finding]:
    """Check a trial in time."""
    nodes = [
        node for name in CURVES if name in trial for node in trial[name].children()
    ]
    lengths = {node.dims[0] for node in nodes}
    for node in nodes:
        if len(node.dims) != 2 or node.dims[1] != 3:
            text = f"is {by(node.dims)}, not F by 3"
            yield found("subject-shape", node.path, text)
        if node.kind != "double":
            text = f"is of class {node.kind}, not double"
            yield found("subject-class", node.path, text)
    if len(lengths) > 1:
        text = f"curves have different lengths {sorted(lengths)}"
        yield found("subject-length", trial.path, text)
    n_frames = max(lengths, default=0)
    yield from _emg(trial, n_frames)
    yield from _echoes(trial, n_frames)
    yield from _events(trial, n_frames)
    yield from _magnitudes(trial)


def _emg(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "EMGData" not in trial:
        return
    node = trial["EMGData"]
    if len(node.dims) != 2 or node.dims[1] != 13:
        text = f"is {by(node.dims)}, not M by 13"
        yield found("subject-emg-shape", node.path, text)
    elif n_frames and abs(node.dims[0] / n_frames - 20) > 0.2:
        text = f"{node.dims[0] / n_frames:.2f} rows a frame, not 20"
        yield found("subject-emg-ratio", node.path, text)
    else:
        lost = float(np.isnan(node.value()).mean()) if node.dims[0] else 0.0
        if lost > 0.001:
            text = f"{100 * lost:.2f} % of it is missing (NaN)"
            yield found("subject-emg-missing", node.path, text)


def _echoes(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "USData" not in trial:
        return
    node = trial["USData"]
    if node.kind != "cell" or node.dims[1:] != (1,):
        text = f"is a {node.kind} of {by(node.dims)}, not a cell of N by 1"
        yield found("subject-us-cell", node.path, text)
        return
    bad = {(item.kind, item.dims) for item in node.cells()} - {("double", (4, 1000))}
    for kind, dims in sorted(bad):
        text = f"holds a {kind} of {by(dims)}, not a double of 4 by 1000"
        yield found("subject-us-frame", node.path, text)
    expected = n_frames / 5
    if n_frames and abs(node.dims[0] - expected) > max(2.0, 0.02 * expected):
        text = f"{node.dims[0]} frames where {expected:.0f} belong"
        yield found("subject-us-count", node.path, text)


def _events(trial: Node, n_frames: int) -> Iterator[Finding]:
    if "Events" not in trial or "EventTime" not in trial["Events"]:
        return
    events = trial["Events"]
    times = {
        node.path.rpartition(".")[2]: node.value().ravel()
        for node in events["EventTime"].children()
    }
    for name, at in times.items():
        where = f"{events.path}.EventTime.{name}"
        if at.size and (at.min() < 0 or at.max() > n_frames / FRAME_HZ):
            text = f"{at.min():.3f} to {at.max():.3f} s is beyond the trial"
            yield found("subject-event-range", where, text)
        elif np.any(np.diff(at) <= 0):
            yield found("subject-event-order", where, "times do not increase")
        elif not _same_instants(events, name, at):
            text = "EventFrame and EventTime are more than a frame apart"
            yield found("subject-event-frame", where, text)
    yield from _alternation(events.path, times)


def _same_instants(events: Node, name: str, at: Floats) -> bool:
    """Whether frames go with times, wherever both are counted from."""
    if "EventFrame" not in events or name not in events["EventFrame"]:
        return False
    frames = events["EventFrame"][name].value().ravel()
    if frames.size != at.size:
        return False
    return at.size == 0 or bool(np.ptp(frames - at * FRAME_HZ) <= 1.0)


def _alternation(where: str, times: dict[str, Floats]) -> Iterator[Finding]:
    """Tell of a foot that strikes twice without leaving the ground between."""
    for side in ("Left", "Right"):
        strikes, offs = (
            times.get(f"{side}_Foot_{kind}", np.empty(0)) for kind in ("Strike", "Off")
        )
        order = sorted([(t, "strike") for t in strikes] + [(t, "off") for t in offs])
        twice = [a for a, b in pairwise(order) if a[1] == b[1]]
        if twice:
            t, kind = twice[0]
            text = f"{side}: two of {kind} follow each other at {t:.2f} s"
            yield found("subject-event-alternate", where, text)


def _magnitudes(trial: Node) -> Iterator[Finding]:
    for name, limit, unit in LARGEST:
        for node in trial[name].children() if name in trial else ():
            largest = float(np.nanmax(np.abs(node.value()), initial=0.0))
            if largest > limit:
                text = f"reaches {largest:.0f} {unit}"
                yield found("subject-unit", node.path, text)


def by(dims: tuple[int, ...]) -> str:
    """Say dimensions in words."""
    return " by ".join(map(str, dims))
