"""Where a count of samples no longer follows its time stamps."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_BLOCK_S = 0.25
_SIDE = 12  #: blocks on either side whose earliest stamps are compared
_LEAST = 8  #: of them there must be, or a stall at an end would look like a jump


def find_stamp_steps(
    index: ArrayLike, stamps_s: ArrayLike, *, rate_hz: float, threshold_s: float = 0.15
) -> list[tuple[int, float]]:
    """Return (row, step in seconds) of each lasting jump of stamp against count.

    Row is the first behind the jump. A late chunk or the burst after a stall is no
    jump, however long the stall was: the earliest stamps on either side decide, over 2
    to 3 s each in which samples came as fast as they were taken.
    """
    at = np.asarray(index, dtype=np.float64).reshape(-1)
    y = np.asarray(stamps_s, dtype=np.float64).reshape(-1) - at / rate_hz
    rows = np.flatnonzero(np.isfinite(y))
    n_block = max(1, round(_BLOCK_S * rate_hz))
    if rows.size < 2 * n_block + 2:
        return []
    y = y[rows]
    n_blocks = y.size // n_block
    low = y[: n_blocks * n_block].reshape(n_blocks, n_block).min(axis=1)
    kept = np.flatnonzero(~_in_burst(low, n_block / rate_hz))
    low = low[kept]
    steps: list[tuple[int, float]] = []
    jump = np.zeros(max(0, low.size - 1))
    for k in range(_LEAST, low.size - _LEAST + 1):
        before, after = low[max(0, k - _SIDE) : k], low[k : k + _SIDE]
        jump[k - 1] = after.min() - before.min()
    over = np.abs(jump) > threshold_s
    bounds = np.flatnonzero(np.diff(np.concatenate(([0], over.astype(np.int8), [0]))))
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        size = float(jump[start + np.argmax(np.abs(jump[start:stop]))])
        first = max(0, int(kept[start]) * n_block - 1)
        last = min(y.size - 1, (int(kept[min(stop, kept.size - 1)]) + 1) * n_block)
        moves = np.diff(y[first : last + 1]) * np.sign(size)
        steps.append((int(rows[first + int(np.argmax(moves)) + 1]), size))
    return steps


def _in_burst(low: Array, block_s: float) -> NDArray[np.bool_]:
    """Whether samples of a block came in a burst: ever less late, up to the next."""
    falls = np.diff(low, append=low[-1]) < -0.5 * block_s
    return np.asarray(falls)
