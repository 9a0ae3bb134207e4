"""A clock put right by what other signals show of it."""

from dataclasses import replace

import numpy as np

from sync.affine import AffineClock
from sync.clock_fit import ClockFit, Method


def moved(fit: ClockFit, by_s: float, half_width_s: float, method: Method) -> ClockFit:
    """Return the fit `by_s` later, of which no more than ± `half_width_s` is sure.

    Runs of clocks that are not straight stay as they are.
    """
    runs = []
    for run in fit.runs:
        if isinstance(run.clock, AffineClock):
            old = run.clock
            tilts = old.corners[:, 1] - old.b
            middle = old.a + by_s
            corners = np.array(
                [
                    [middle + side * half_width_s, old.b + tilt]
                    for side in (-1.0, 1.0)
                    for tilt in (float(tilts.min()), float(tilts.max()))
                ]
            )
            clock = replace(old, a=middle, corners=corners)
            run = replace(run, clock=clock, offset_s=run.offset_s + by_s)
        runs.append(run)
    return replace(fit, runs=tuple(runs), method=method)
