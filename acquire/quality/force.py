"""Quality of force plates, as sent by them: force on the plate, in N."""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acquire.quality.metric import Metric, Values, Window, unknown
from acquire.quality.runs import clipped_percent, longest_run
from acquire.quality.triples import each, triples

WINDOW_S = 8.0
SWING_N = 60.0  #: more, even in its lightest fifth of the time: never unloaded
UNLOADED_N = 20.0
NOBODY_N = 120.0  #: plates that carry less together are empty
_FZ = re.compile(r"(?i)^(?P<head>.*?)F(?P<axis>[xyz])(?P<tail>.*)$")

Array = NDArray[np.float64]


def plates(labels: tuple[str, ...]) -> dict[str, tuple[str, str, str]]:
    """Find the plates among channel labels: plate name → labels of Fx, Fy, Fz.

    >>> plates(("left_Fx", "left_Fy", "left_Fz", "sync"))
    {'left': ('left_Fx', 'left_Fy', 'left_Fz')}
    """
    found: dict[str, dict[str, str]] = {}
    for label in labels:
        match = _FZ.match(label)
        if match:
            name = (match["head"] + match["tail"]).strip("_.:- ")
            found.setdefault(name, {})[match["axis"].lower()] = label
    return triples(found)


def _each(
    compute: Callable[[Window, Array], Array], seconds: float
) -> Callable[..., Values]:
    """Evaluate `compute(window, forces (n, n_plates, 3))` to a value per plate."""
    return each(
        plates,
        lambda window, forces: compute(window, np.nan_to_num(forces)),
        seconds,
    )


def _zero_offset(window: Window, forces: Array) -> Array:
    """Vertical force of an unloaded plate: in swing, or while nobody stands on it."""
    fz = forces[:, :, 2]
    if window.walked(2.0):
        lowest = np.sort(np.abs(fz), axis=0)[: max(1, len(fz) // 5)]
        offset = np.median(lowest, axis=0)
        return np.where(offset < SWING_N, offset, np.nan)
    resting = np.median(fz[-window.rows(1.0) :], axis=0)
    if np.abs(resting).sum() < NOBODY_N:
        return np.abs(resting)
    return np.full(fz.shape[1], np.nan)


def _saturation(window: Window, forces: Array) -> Array:
    del window
    return clipped_percent(forces[:, :, 2], floor=200.0, n_equal=5)


def _never_unloaded(window: Window, forces: Array) -> Array:
    loaded = np.abs(forces[:, :, 2]) > UNLOADED_N
    longest_s = longest_run(loaded) / window.rate_hz
    return longest_s if window.walked(5.0) else np.full(len(longest_s), np.nan)


def body_weight_error_percent(window: Window) -> Values:
    """How far the mean resultant force over some strides is from body weight.

    The length of the mean force vector does not depend on the tilt of the deck.
    """
    found = plates(window.labels)
    weight_n = window.context.get("body_weight_n", 0.0)
    if not (found and weight_n and window.walked(WINDOW_S) and window.covers(WINDOW_S)):
        return unknown()
    labels = tuple(label for axes in found.values() for label in axes)
    mean = np.nanmean(window.columns(labels, WINDOW_S), axis=0).reshape(-1, 3)
    resultant_n = float(np.linalg.norm(mean.sum(axis=0)))
    return {"": 100.0 * abs(resultant_n / weight_n - 1.0)}


METRICS = (
    Metric(
        "force.zero_offset", "N", "low",
        "The empty plate does not read zero: step off, then zero the amplifier.",
        _each(_zero_offset, 2.0),
    ),
    Metric(
        "force.saturation", "%", "low",
        "The plate is at the end of its range: check gain and cabling.",
        _each(_saturation, 2.0),
    ),
    Metric(
        "force.body_weight", "%", "low",
        "Mean force is not body weight: handrail held, foot off belt, or zero lost.",
        body_weight_error_percent, enter_s=4.0,
    ),
    Metric(
        "force.never_unloaded", "s", "low",
        "One belt is never unloaded: a foot crosses the middle. Ask for a wider step.",
        _each(_never_unloaded, 5.0),
    ),
)  # fmt: skip
