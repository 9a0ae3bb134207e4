"""A clock that needs no fit: the reference itself."""

import numpy as np
from numpy.typing import NDArray

from sync.clock_fit import ClockFit, Run

Array = NDArray[np.float64]


class _NoOffset:
    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s

    def offset_s(self, x: Array) -> Array:
        return np.full(np.shape(x), self._offset_s)

    def half_width_s(self, x: Array) -> Array:
        return np.full(np.shape(x), 1e-6)  # rounding of the sums


def exact_clock(
    rate_hz: float, first: float, last: float, offset_s: float = 0.0
) -> ClockFit:
    """Return the clock t_ref = index / rate_hz + offset_s, valid everywhere."""
    run = Run(
        first=first,
        last=last,
        begin=-np.inf,
        end=np.inf,
        n_matched=0,
        n_missed=0,
        n_extra=0,
        residuals=np.empty(0),
        matched_index=np.empty(0),
        offset_s=offset_s,
        skew_ppm=0.0,
        skew_half_width_ppm=0.0,
        clock=_NoOffset(offset_s),
        rate_hz=rate_hz,
    )
    return ClockFit(
        rate_hz, "ok", (), runs=(run,), method="exact", extrapolation_s=np.inf
    )
