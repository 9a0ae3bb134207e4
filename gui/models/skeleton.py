"""The lower-body stick figure: which markers are joined, and their projections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PELVIS = (("LASI", "RASI"), ("RASI", "RPSI"), ("RPSI", "LPSI"), ("LPSI", "LASI"))
CHAINS = (
    ("ASI", "THI"),
    ("THI", "KNE"),
    ("KNE", "TIB"),
    ("TIB", "ANK"),
    ("ANK", "HEE"),
    ("HEE", "TOE"),
    ("TOE", "ANK"),
)
SEGMENTS = (
    *PELVIS,
    *((side + a, side + b) for side in "LR" for a, b in CHAINS),
)


@dataclass(frozen=True, eq=False)
class Figure:
    """Marker positions now: `positions` (n, 3) m; `seen` False where occluded.

    An occluded marker keeps its last seen position.
    """

    names: tuple[str, ...]
    positions: NDArray[np.float64]
    seen: NDArray[np.bool_]

    @property
    def hidden(self) -> tuple[str, ...]:
        return tuple(
            name for name, seen in zip(self.names, self.seen, strict=True) if not seen
        )

    def segments(self) -> list[tuple[int, int]]:
        """Pairs of marker rows that are joined and both known."""
        at = {name: row for row, name in enumerate(self.names)}
        known = np.asarray(np.isfinite(self.positions).all(axis=1))
        return [
            (at[a], at[b])
            for a, b in SEGMENTS
            if a in at and b in at and known[at[a]] and known[at[b]]
        ]


def figure(
    markers: Mapping[str, Sequence[int]], rows: NDArray[np.float64]
) -> Figure | None:
    """Build the figure from recent rows (n, n_channels); None when there is nothing.

    `markers` gives the columns of X, Y, Z per marker.
    """
    if not markers or not len(rows):
        return None
    columns = np.array(list(markers.values()))
    recent = rows[:, columns]  # (n, n_markers, 3)
    seen = np.asarray(np.isfinite(recent).all(axis=2))
    last = len(rows) - 1 - np.argmax(seen[::-1], axis=0)
    positions = recent[last, np.arange(len(columns))]
    return Figure(tuple(markers), np.asarray(positions, np.float64), seen[-1])


def centre_m(figure_now: Figure, step_m: float = 0.5) -> tuple[float, float]:
    """Return where to centre the view: the pelvis, in coarse steps."""
    pelvis = [
        row for row, name in enumerate(figure_now.names) if name[1:] in ("ASI", "PSI")
    ]
    rows = figure_now.positions[pelvis] if pelvis else figure_now.positions
    known = rows[np.asarray(np.isfinite(rows).all(axis=1))]
    if not len(known):
        return 0.0, 0.0
    x, y = np.round(known[:, :2].mean(axis=0) / step_m) * step_m
    return float(x), float(y)
