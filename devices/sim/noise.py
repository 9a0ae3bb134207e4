"""Random numbers that are pure functions of (seed, channel, index).

Every process that asks for the same index gets the same number, in any order: twins
never have to agree on how much of a generator's sequence was used.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = (np.uint64(n) for n in (27, 30, 31, 11))
_TWO_PI = 2 * np.pi


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble with the finaliser of SplitMix64; shape kept."""
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


def _hash(seed: int, channel: int, index: NDArray[np.int64]) -> NDArray[np.uint64]:
    key = _mix(np.array([(seed * 0x1000193 + channel + 1) & 0xFFFFFFFFFFFFFFFF], "u8"))
    return _mix(index.astype(np.uint64) * _GAMMA + key)


def uniform(seed: int, channel: int, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return uniform numbers in [0, 1), one for each index; shape kept."""
    return (_hash(seed, channel, index) >> _S11).astype(np.float64) * 2.0**-53


def normal(seed: int, channel: int, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return standard normal numbers, one for each index; shape kept."""
    bits = _hash(seed, channel, index)
    radius = ((bits >> _S11).astype(np.float64) + 1.0) * 2.0**-53
    angle = (_mix(bits + _GAMMA) >> _S11).astype(np.float64) * 2.0**-53
    drawn: NDArray[np.float64] = np.sqrt(-2.0 * np.log(radius)) * np.cos(
        _TWO_PI * angle
    )
    return drawn


def wander(
    seed: int, channel: int, t_s: NDArray[np.float64], knot_s: float
) -> NDArray[np.float64]:
    """Return a slow random walk-about of t (n,): C2, zero mean, about unit deviation.

    Cubic B-spline over standard normal knots `knot_s` apart.
    """
    return wanders(seed, channel, t_s, knot_s, 1)[:, 0]


def wanders(
    seed: int, channel: int, t_s: NDArray[np.float64], knot_s: float, n: int
) -> NDArray[np.float64]:
    """Return `n` independent walks at once, shape (len(t_s), n)."""
    position = t_s / knot_s
    first = np.floor(position).astype(np.int64)
    u = (position - first)[:, None]
    lowest = int(first.min())
    knots = _knots(seed, channel, lowest - 1, int(first.max()) + 3, n)
    i = first - lowest
    u2 = u * u
    u3 = u2 * u
    total: NDArray[np.float64] = (
        (1 - 3 * u + 3 * u2 - u3) * knots[i]
        + (3 * u3 - 6 * u2 + 4) * knots[i + 1]
        + (1 + 3 * u + 3 * u2 - 3 * u3) * knots[i + 2]
        + u3 * knots[i + 3]
    ) / (6 * 0.69)
    return total


@lru_cache(maxsize=256)
def _knots(
    seed: int, channel: int, first: int, end: int, n: int
) -> NDArray[np.float64]:
    """Return knots `first` to `end` of `n` walks, kept: the next block asks again."""
    index = np.arange(first, end)
    knots = normal(seed, channel, index[:, None] * n + np.arange(n))
    knots.flags.writeable = False
    return knots
