"""Short marker gaps, filled in what is derived; the recording keeps them."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Floats = NDArray[np.float64]

LONGEST: Final = 10  #: frames; longer gaps stay
SUPPORT: Final = 10  #: frames on either side that shape the curve


def fill_gaps(
    markers_m: Mapping[str, Floats], longest: int = LONGEST
) -> tuple[dict[str, Floats], dict[str, NDArray[np.bool_]]]:
    """Return markers with short gaps filled, and which frames (n,) were.

    A cubic spline through the ten frames before and after; a gap at the recording's
    ends, longer than `longest` frames or beside fewer than two seen frames stays NaN.
    """
    filled: dict[str, Floats] = {}
    made: dict[str, NDArray[np.bool_]] = {}
    for name, rows in markers_m.items():
        filled[name], made[name] = _filled(rows, longest)
    return filled, made


def _filled(rows: Floats, longest: int) -> tuple[Floats, NDArray[np.bool_]]:
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
    made = np.zeros(len(rows), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]])))
    if not edges.size:
        return rows, made
    rows = rows.copy()
    for first, last in edges.reshape(-1, 2):
        if first == 0 or last == len(rows) or last - first > longest:
            continue
        around = np.arange(max(first - SUPPORT, 0), min(last + SUPPORT, len(rows)))
        near = around[seen[around]]
        if (near < first).sum() < 2 or (near >= last).sum() < 2:
            continue
        gap = np.arange(first, last)
        rows[gap] = CubicSpline(near, rows[near])(gap)
        made[gap] = True
    return rows, made
