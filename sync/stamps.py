"""Clock of a stream from its time stamps alone: the fallback without a trigger."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sync.affine import AffineClock
from sync.clock_fit import ClockFit, Run
from sync.matching import MAX_SKEW
from sync.robust import robust_line

Array = NDArray[np.float64]
LATENCY_UNKNOWN_S = 0.05  #: what a wireless link may add unseen
_N_BLOCKS = 120
_SKEW_SHOWS_S = 120.0  #: in less, jitter of stamps outweighs any skew
_EARLY = 0.05  #: quantile that stands for "hardly delayed"


def fit_stamps(
    index: ArrayLike,
    stamps_s: ArrayLike,
    *,
    rate_hz: float,
    breaks: Sequence[float] = (),
    half_width_s: float = LATENCY_UNKNOWN_S,
) -> ClockFit:
    """Return a clock from the stamps of samples `index`, both of shape (n_samples,).

    Stamps come late, never early: the line runs along their lower edge. What delays
    every sample alike stays in, so the status is ``degraded`` and the interval at
    least ± `half_width_s`. Stamps may be NaN, equal or out of order.
    """
    at = np.asarray(index, dtype=np.float64).reshape(-1)
    stamps = np.asarray(stamps_s, dtype=np.float64).reshape(-1)
    good = np.isfinite(at) & np.isfinite(stamps)
    at, stamps = at[good], stamps[good]
    borders = [-np.inf, *sorted(float(b) for b in breaks), np.inf]
    runs = []
    for first, last in pairwise(borders):
        inside = (at >= first) & (at < last)
        if inside.any():
            runs.append(
                _run(at[inside], stamps[inside], rate_hz, half_width_s, first, last)
            )
    if not runs:
        return ClockFit(rate_hz, "failed", ("no time stamps",), method="stamps")
    reason = "no trigger edges: clock from LSL stamps, device latency unknown"
    return ClockFit(rate_hz, "degraded", (reason,), runs=tuple(runs), method="stamps")


class _PerRow:
    """Row k was taken at the k-th stamp: rows need not be regular."""

    def __init__(self, stamps: Array, half_width_s: float) -> None:
        self._stamps, self._half_width_s = stamps, half_width_s

    def offset_s(self, x: Array) -> Array:
        rows = np.arange(self._stamps.size, dtype=np.float64)
        return np.asarray(np.interp(x, rows, self._stamps)) - x

    def half_width_s(self, x: Array) -> Array:
        return np.full(np.shape(x), self._half_width_s)


def stamps_as_clock(
    stamps_s: ArrayLike, *, half_width_s: float = LATENCY_UNKNOWN_S
) -> ClockFit:
    """Return the clock of an irregular stream: row k has its own stamp, (n_rows,)."""
    stamps = np.asarray(stamps_s, dtype=np.float64).reshape(-1)
    if not np.isfinite(stamps).any():
        return ClockFit(1.0, "failed", ("no time stamps",), method="stamps")
    clock = _PerRow(stamps, half_width_s)
    last = float(stamps.size - 1)
    run = Run(
        first=0.0,
        last=last,
        begin=-0.5,
        end=last + 0.5,
        n_matched=0,
        n_missed=0,
        n_extra=0,
        residuals=np.empty(0),
        matched_index=np.empty(0),
        offset_s=float("nan"),
        skew_ppm=float("nan"),
        skew_half_width_ppm=float("nan"),
        clock=clock,
        rate_hz=1.0,
    )
    reason = "irregular stream: LSL stamps, device latency unknown"
    return ClockFit(1.0, "degraded", (reason,), runs=(run,), method="stamps")


def early_edge(x: Array, y: Array) -> tuple[Array, Array]:
    """Return (x, y) of the lower edge of points that are delayed by chance."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    n_blocks = int(np.clip(x.size // 20, 1, _N_BLOCKS))
    cuts = np.array_split(np.arange(x.size), n_blocks)
    low = np.array([np.quantile(y[rows], _EARLY) for rows in cuts])
    return np.array([x[rows].mean() for rows in cuts]), low


def _run(
    at: Array, stamps: Array, rate_hz: float, floor_s: float, begin: float, end: float
) -> Run:
    x = at / rate_hz
    base = float(np.median(stamps - x))
    y = stamps - x - base
    origin = float(x.min() + 0.5 * np.ptp(x))
    early_x, early_y = early_edge(x, y)
    span = float(np.ptp(x))
    if span < _SKEW_SHOWS_S:
        a, b = float(np.quantile(early_y, 0.1)), 0.0
    else:
        scatter = np.full(early_x.size, 0.005)
        a, b = robust_line(early_x - origin, early_y, scatter, MAX_SKEW)
    late = np.abs(early_y - a - b * (early_x - origin))
    width = floor_s + 2.0 * float(np.quantile(late, 0.25))
    tilt = min(MAX_SKEW, 2.0 * width / span) if span > 0 else MAX_SKEW
    corners = np.array(
        [[a + base + s * width, b + t * tilt] for s in (-1, 1) for t in (-1, 1)]
    )
    clock = AffineClock(origin, a + base, float(b), corners)
    return Run(
        first=float(at.min()),
        last=float(at.max()),
        begin=begin,
        end=end,
        n_matched=0,
        n_missed=0,
        n_extra=0,
        residuals=np.empty(0),
        matched_index=np.empty(0),
        offset_s=float(a + base - b * origin),
        skew_ppm=float(b) * 1e6,
        skew_half_width_ppm=tilt * 1e6,
        clock=clock,
        rate_hz=rate_hz,
    )
