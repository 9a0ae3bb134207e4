"""Bring time stamps of one computer onto the clock of another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sync.robust import robust_line

Array = NDArray[np.float64]
RESET_S = 0.05  #: offsets that jump by more come from another clock
_FLOOR_S = 0.2e-3  #: offsets below this on one machine are noise of the measurement


def apply_offsets(stamps_s: ArrayLike, offsets: ArrayLike) -> Array:
    """Return stamps plus clock offset, float64, shape (n_samples,).

    `offsets`, shape (n, 3) or (n, 2), holds the source's clock, the offset to the
    recorder's clock and the round-trip time, in seconds, as measured and in order.
    Where the offset jumps by over 50 ms the source's clock was reset: each stretch
    gets its own line. Offsets within half their round trip of zero are no offsets.
    """
    stamps = np.asarray(stamps_s, dtype=np.float64).reshape(-1)
    table = np.asarray(offsets, dtype=np.float64)
    if table.size == 0:
        return stamps.copy()
    table = table.reshape(-1, table.shape[-1])
    table = table[np.isfinite(table[:, :2]).all(axis=1)]
    if table.shape[0] == 0:
        return stamps.copy()
    parts = np.split(table, np.flatnonzero(np.abs(np.diff(table[:, 1])) > RESET_S) + 1)
    apart = np.stack([_distance(stamps, part[:, 0]) for part in parts])
    owner = np.argmin(np.where(np.isfinite(apart), apart, np.inf), axis=0)
    out = stamps.copy()
    for number, part in enumerate(parts):
        mine = owner == number
        out[mine] += _offset_at(stamps[mine], part)
    return out


def _distance(stamps: Array, collected: Array) -> Array:
    low, high = collected.min(), collected.max()
    return np.asarray(np.maximum(np.maximum(low - stamps, stamps - high), 0.0))


def _offset_at(stamps: Array, part: Array) -> Array:
    when, offset = part[:, 0], part[:, 1]
    trip = part[:, 2] if part.shape[1] > 2 else np.full(when.size, np.nan)
    typical = np.nanmedian(trip) if np.isfinite(trip).any() else 0.0
    middle = float(np.median(offset))
    if abs(middle) <= max(0.5 * float(typical), _FLOOR_S):
        return np.zeros(stamps.size)
    if when.size < 4 or np.ptp(when) < 30.0:
        return np.full(stamps.size, middle)
    scale = np.where(np.isfinite(trip), np.maximum(0.5 * trip, 1e-5), 1e-3)
    origin = float(when.mean())
    a, b = robust_line(when - origin, offset - middle, scale, 500e-6)
    return np.asarray(middle + a + b * (stamps - origin))
