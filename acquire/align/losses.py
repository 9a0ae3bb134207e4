"""Where between two edges samples were lost: stamps tell more closely."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import sync

Array = NDArray[np.float64]
_AROUND_S = 2.0
_LEAST_S = 0.008  #: smaller losses drown in the jitter of stamps


def place_losses(fit: sync.ClockFit, index: Array, stamps: Array) -> sync.ClockFit:
    """Return the fit with the borders between its runs where stamps fall behind.

    `index` and `stamps`, seconds, have shape (n_rows,). Behind a loss no stamp is as
    early for its count as those before it: the loss follows the last early row. The
    interval still takes in the whole stretch between the two edges.
    """
    behind = stamps - index / fit.rate_hz
    runs = list(fit.runs)
    for step in fit.steps:
        at = next((k for k, r in enumerate(runs) if _inside(r.begin, step)), 0)
        border = _border(step, index, behind, fit.rate_hz) if at else None
        if border is None:
            continue
        blur = border - step.after
        runs[at - 1] = replace(runs[at - 1], end=border, end_blur=blur)
        blur = step.before - border
        runs[at] = replace(runs[at], begin=border, begin_blur=blur)
    return replace(fit, runs=tuple(runs))


def _inside(index: float, step: sync.Step) -> bool:
    return step.after < index < step.before


def _border(
    step: sync.Step, index: Array, behind: Array, rate_hz: float
) -> float | None:
    """Index behind the last early row between two edges, None where none stands out."""
    reach = _AROUND_S * rate_hz
    zone = (index > step.after) & (index < step.before)
    before = behind[(index <= step.after) & (index > step.after - reach)]
    after = behind[(index >= step.before) & (index < step.before + reach)]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if step.size_s < _LEAST_S or min(before.size, after.size, zone.sum()) < 20:
        return None
    early, later = float(np.quantile(before, 0.1)), float(np.quantile(after, 0.02))
    if later - early < 0.6 * step.size_s:
        return None
    limit = early + 0.5 * step.size_s
    rows = index[zone][behind[zone] < limit]
    return float(rows[-1] + 0.5) if rows.size else None
