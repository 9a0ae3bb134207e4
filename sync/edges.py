"""Edges of a trigger line as one clock saw them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Edges:
    """Edge instants with direction and bounds; three arrays of shape (n_edges,).

    `index` is an unwrapped sample count (sub-sample) on a device, or seconds on the
    reference clock. The true edge lies within ± `half_width`, in the unit of `index`.
    """

    index: NDArray[np.float64]
    rising: NDArray[np.bool_]
    half_width: NDArray[np.float64]

    def __post_init__(self) -> None:
        index = np.asarray(self.index, dtype=np.float64).reshape(-1)
        rising = np.asarray(self.rising, dtype=np.bool_).reshape(-1)
        width = np.asarray(self.half_width, dtype=np.float64)
        if width.ndim == 0:
            width = np.full(index.size, float(width))
        width = width.reshape(-1)
        if not index.size == rising.size == width.size:
            raise ValueError(
                "edges need index, rising and half_width of one length, "
                f"not {index.size}, {rising.size} and {width.size}"
            )
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "rising", rising)
        object.__setattr__(self, "half_width", width)

    def __len__(self) -> int:
        return int(self.index.size)

    def select(self, rows: ArrayLike) -> "Edges":
        """Return the edges at `rows` (mask, positions or slice as an array)."""
        where = np.asarray(rows)
        return Edges(self.index[where], self.rising[where], self.half_width[where])

    def shifted(self, by: float) -> "Edges":
        """Return the same edges, all of them later by `by`."""
        return Edges(self.index + by, self.rising, self.half_width)

    def cleaned(self) -> "Edges":
        """Return the edges with finite instants in order; bounds made usable.

        A bound that is NaN, infinite or negative tells nothing: such edges go.
        """
        good = np.isfinite(self.index) & np.isfinite(self.half_width)
        good &= self.half_width >= 0.0
        rows = np.flatnonzero(good)
        return self.select(rows[np.argsort(self.index[rows], kind="stable")])


NO_EDGES = Edges(np.empty(0), np.empty(0, dtype=np.bool_), np.empty(0))
