"""Marker gaps, filled in what is derived; the recording keeps them.

Up to ten frames: a cubic spline through the frames around. Longer, or at the
recording's ends: carried along with the other markers of the segment
(`acquire.gait.rigid_filling`). What neither can fill stays NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from acquire.gait.rigid_filling import MODEL, fill_rigid, gaps_of

Floats = NDArray[np.float64]
Methods = NDArray[np.uint8]

LONGEST: Final = 10  #: frames that a spline bridges
SUPPORT: Final = 10  #: frames on either side that shape the curve
MEASURED: Final = 0
SPLINE: Final = 1
RIGID: Final = 2


@dataclass(frozen=True, eq=False)
class FilledMarkers:
    """Positions (n, 3) by label, and per frame how they came about, (n,) by label.

    `method` is 0 where a marker was measured or stays hidden, 1 where a spline made it
    and 2 where its segment did.
    """

    markers_m: Mapping[str, Floats]
    method: Mapping[str, Methods]

    @property
    def any_filled(self) -> NDArray[np.bool_]:
        """Frames in which some marker was made, shape (n,)."""
        return np.asarray(np.any([m > 0 for m in self.method.values()], axis=0))


def fill_gaps(markers_m: Mapping[str, Floats], longest: int = LONGEST) -> FilledMarkers:
    """Return the markers with their gaps filled as far as that can be done well.

    `longest` is the number of frames a spline bridges; 0 leaves all to the segments.
    Markers that the model does not know serve the others and keep their gaps.
    """
    filled = dict(markers_m)
    method = {name: np.zeros(len(m), dtype=np.uint8) for name, m in markers_m.items()}
    for name in MODEL.intersection(markers_m):
        rows = markers_m[name]
        seen = np.asarray(np.isfinite(rows).all(axis=1))
        if not seen.any():
            continue
        made = rows.copy()
        for first, last in gaps_of(seen):
            short = last - first <= longest
            part = _spline(rows, seen, first, last) if short else None
            how = SPLINE
            if part is None:
                part, how = fill_rigid(name, markers_m, first, last), RIGID
            if part is not None:
                made[first:last] = part
                method[name][first:last] = how
        filled[name] = made
    return FilledMarkers(filled, method)


def _spline(
    rows: Floats, seen: NDArray[np.bool_], first: int, last: int
) -> Floats | None:
    """Bridge a gap by a curve through what is seen around; None where too little is."""
    around = np.arange(max(first - SUPPORT, 0), min(last + SUPPORT, len(rows)))
    near = around[seen[around]]
    if (near < first).sum() < 2 or (near >= last).sum() < 2:
        return None
    return np.asarray(CubicSpline(near, rows[near])(np.arange(first, last)))
