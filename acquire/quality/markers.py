"""Quality of motion-capture markers: positions in m, NaN while occluded."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acquire.quality.metric import Metric, Values, Window, unknown
from acquire.quality.runs import longest_run
from acquire.quality.triples import each, triples

WINDOW_S = 5.0
_AXIS = re.compile(r"(?i)^(?P<name>.+?)[_.:\- ]?(?P<axis>[xyz])$")

Array = NDArray[np.float64]


def markers(labels: tuple[str, ...]) -> dict[str, tuple[str, str, str]]:
    """Find the markers among channel labels: marker → labels of X, Y, Z.

    >>> markers(("frame", "LASI_X", "LASI_Y", "LASI_Z"))
    {'LASI': ('LASI_X', 'LASI_Y', 'LASI_Z')}
    """
    found: dict[str, dict[str, str]] = {}
    for label in labels:
        match = _AXIS.match(label)
        if match:
            found.setdefault(match["name"], {})[match["axis"].lower()] = label
    return triples(found)


def _each(
    compute: Callable[[Window, Array], Array], seconds: float
) -> Callable[..., Values]:
    """Evaluate `compute(window, positions (n, n_markers, 3))` to a value per marker."""
    return each(markers, compute, seconds)


def _hidden(positions: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(positions).any(axis=2))


def _occlusion(window: Window, positions: Array) -> Array:
    del window
    return np.asarray(100.0 * _hidden(positions).mean(axis=0))


def _gap(window: Window, positions: Array) -> Array:
    return np.asarray(longest_run(_hidden(positions)) * 1000.0 / window.rate_hz)


def _jump(window: Window, positions: Array) -> Array:
    moved: Array = np.asarray(np.linalg.norm(np.diff(positions, axis=0), axis=2))
    speed = moved * window.rate_hz
    return np.asarray(np.max(np.nan_to_num(speed), axis=0, initial=0.0))


def frozen_frames(window: Window) -> Values:
    """Longest run of frames in which nothing at all moved."""
    found = markers(window.labels)
    if not found or not window.covers(1.0):
        return unknown()
    labels = tuple(label for axes in found.values() for label in axes)
    x = np.nan_to_num(window.columns(labels, 1.0))
    still = np.all(np.diff(x, axis=0) == 0, axis=1)
    return {"": float(longest_run(still[:, None])[0])}


METRICS = (
    Metric(
        "markers.occlusion", "%", "low",
        "Marker often hidden: check its place, the arms, and camera coverage.",
        _each(_occlusion, WINDOW_S),
    ),
    Metric(
        "markers.gap", "ms", "low",
        "Marker lost for long: has it fallen off?",
        _each(_gap, WINDOW_S),
    ),
    Metric(
        "markers.jump", "m/s", "low",
        "Marker jumps: two labels are swapped, or a reflection is taken for it.",
        _each(_jump, WINDOW_S), enter_s=0.0,
    ),
    Metric(
        "markers.frozen", "frames", "low",
        "The picture stands still: is the capture system paused?",
        frozen_frames,
    ),
)  # fmt: skip
