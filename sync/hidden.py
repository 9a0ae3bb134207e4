"""How many samples could have vanished without the edges showing it."""

import numpy as np
from numpy.typing import NDArray

from sync.affine import ROUNDING_S
from sync.clock_fit import ClockFit, Run
from sync.matching import MAX_SKEW

Array = NDArray[np.float64]
_N_SLOPES = 121
ANY_SKEW = (-MAX_SKEW, MAX_SKEW)


def smallest_visible_loss(
    fit: ClockFit, skews: tuple[float, float] = ANY_SKEW
) -> int | None:
    """Return the least number of samples that these matched edges show not to be lost.

    Wherever between the first and the last edge of a run they might have vanished at
    once; `skews` (least, greatest, no unit) is what is known of the clock from
    elsewhere. A smaller loss may hide in the skew and in the width of the edges; one
    outside the edges always does. None where no run has two edges.
    """
    hidden = [
        hidden_steps_s(*_bounds(run), skews)
        for run in fit.runs
        if run.matched_index.size > 1
    ]
    if not hidden:
        return None
    most = max(float(steps.max()) for steps in hidden)
    return max(1, int(np.floor(most * fit.rate_hz)) + 1)


def hidden_steps_s(
    x: Array, low: Array, high: Array, skews: tuple[float, float]
) -> Array:
    """Return, per border between two points, the greatest step they do not show, s.

    A clock passes through all points, `low` to `high` at device second `x`, shape
    (n,), with a slope among `skews`; behind the border it is later by the step. The
    result, shape (n - 1,), errs on the large side.
    """
    u = x - 0.5 * (x[0] + x[-1])
    slopes = np.linspace(*skews, _N_SLOPES)
    slack = 0.5 * (slopes[1] - slopes[0]) * float(x[-1] - x[0])
    greatest = np.zeros(x.size - 1)
    for slope in slopes.tolist():
        floor, ceiling = low - slope * u, high - slope * u
        least_before = np.maximum.accumulate(floor)[:-1]
        most_before = np.minimum.accumulate(ceiling)[:-1]
        least_after = np.maximum.accumulate(floor[::-1])[::-1][1:]
        most_after = np.minimum.accumulate(ceiling[::-1])[::-1][1:]
        served = least_before <= most_before + 2.0 * slack
        served &= least_after <= most_after + 2.0 * slack
        step = most_after - least_before + 2.0 * slack
        np.maximum(greatest, np.where(served, step, 0.0), out=greatest)
    return greatest


def _bounds(run: Run) -> tuple[Array, Array, Array]:
    x = run.matched_index / run.rate_hz
    offset = run.clock.offset_s(x) + run.residuals
    width = run.matched_half_width + ROUNDING_S
    return x, offset - width, offset + width
