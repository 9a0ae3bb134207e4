"""Matched edges as points of the device's offset against its own time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sync.edges import Edges
from sync.matching import Chain

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Nominal device seconds `x`, offset `y` to the reference, half-width `h`.

    All of shape (n_points,), in order. `device` and `reference` say which edges.
    """

    x: Array
    y: Array
    h: Array
    device: NDArray[np.intp]
    reference: NDArray[np.intp]

    def __len__(self) -> int:
        return int(self.x.size)

    def select(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Points":
        return Points(
            self.x[rows],
            self.y[rows],
            self.h[rows],
            self.device[rows],
            self.reference[rows],
        )


def matched_points(device: Edges, reference: Edges, chain: Chain) -> Points:
    """Return the pairs of a chain as points; both trains are in seconds.

    Where another, unmatched edge of the device could be the partner as well (a doubled
    edge), the bounds take in both.
    """
    x, r = device.index[chain.device], reference.index[chain.reference]
    h = device.half_width[chain.device] + reference.half_width[chain.reference]
    low, high = r - x - h, r - x + h
    matched = np.zeros(len(device), dtype=np.bool_)
    matched[chain.device] = True
    for by in (-2, -1, 1, 2):
        other = np.clip(chain.device + by, 0, len(device) - 1)
        width = device.half_width[other] + reference.half_width[chain.reference]
        rival = ~matched[other] & (device.rising[other] == device.rising[chain.device])
        rival &= np.abs(device.index[other] - x) <= h + width
        offset = r - device.index[other]
        low = np.where(rival, np.minimum(low, offset - width), low)
        high = np.where(rival, np.maximum(high, offset + width), high)
    middle, width = 0.5 * (low + high), 0.5 * (high - low)
    return Points(x, middle, width, chain.device, chain.reference)
