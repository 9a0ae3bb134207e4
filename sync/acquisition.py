"""Find the offset of two edge trains of which nothing is known."""

import numpy as np
from numpy.typing import NDArray

from sync.edges import Edges
from sync.matching import MAX_SKEW

_BLOCK = 48  #: device edges voting together
_MAX_BLOCKS = 4


def acquire_offset(device: Edges, reference: Edges) -> tuple[float, float, float]:
    """Return (offset_s, at_s, half_width_s) that most pairs of edges agree on.

    Both trains are in seconds. Every pair of like edges votes for an offset; the
    densest place wins. Memory grows with the number of edges alone.
    """
    blocks = _blocks(len(device))
    best = (-1.0, 0.0, 0.0, 0.0)
    for rows in blocks:
        block = device.select(rows)
        span = float(np.ptp(block.index))
        width = 2.0 * float(np.median(block.half_width))
        width += 2.0 * float(np.median(reference.half_width)) + MAX_SKEW * span + 1e-6
        offsets = np.sort(
            np.concatenate(
                [
                    np.subtract.outer(
                        reference.index[reference.rising == rising],
                        block.index[block.rising == rising],
                    ).ravel()
                    for rising in (True, False)
                ]
            )
        )
        if offsets.size == 0:
            continue
        votes = np.searchsorted(offsets, offsets + width, side="right")
        votes = votes - np.arange(offsets.size)
        top = int(np.argmax(votes))
        share = float(votes[top]) / len(block)
        if share > best[0]:
            middle = float(np.median(offsets[top : top + int(votes[top])]))
            best = (share, middle, float(block.index.mean()), width)
    return best[1], best[2], best[3]


def _blocks(n_edges: int) -> list[NDArray[np.intp]]:
    if n_edges <= _BLOCK:
        return [np.arange(n_edges)]
    starts = np.unique(np.linspace(0, n_edges - _BLOCK, _MAX_BLOCKS).astype(np.intp))
    return [np.arange(start, start + _BLOCK) for start in starts]
