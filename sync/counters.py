"""Sample counters that wrap."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NEAR_ZERO = 0.01  #: share of the modulus within which a counter has just restarted


def unwrap_counter(
    values: ArrayLike, modulus: float, *, expected: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return a wrapping counter as a running count, float64, shape (n_samples,).

    `values` lie in 0 … `modulus` - 1 and begin where they begin: the result starts at
    `values[0]`. NaN stays NaN and the count goes on behind it. Between two rows the
    count moves forward by less than one modulus, so a loss of up to `modulus` - 1 is
    counted in full. It moves back only where that is far more likely than a long loss:
    by less than a hundredth of the modulus (rows out of order), or to a value that
    close to zero after a forward step of over half the modulus (the device restarted;
    `find_resets` finds it). Both need a modulus of at least 1024.

    With `expected`, an approximate running count of any origin (time stamps times
    rate), whole turns lost are restored as well, and the step nearest to it wins.
    """
    raw = np.asarray(values, dtype=np.float64).reshape(-1)
    if not modulus > 1:
        raise ValueError(f"a counter needs a modulus above 1, not {modulus}")
    out = np.full(raw.size, np.nan)
    rows = np.flatnonzero(np.isfinite(raw))
    if rows.size == 0:
        return out
    count = raw[rows]
    step = np.mod(np.diff(count), modulus)
    if expected is not None:
        step = _nearest_turn(step, modulus, np.asarray(expected, dtype=float)[rows])
    elif modulus >= 1024:
        near = _NEAR_ZERO * modulus
        back = (step > 0.5 * modulus) & ((count[1:] < near) | (modulus - step < near))
        step = np.where(back, step - modulus, step)
    out[rows] = count[0] + np.concatenate(([0.0], np.cumsum(step)))
    return out


def _nearest_turn(
    step: NDArray[np.float64], modulus: float, expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    wanted = np.diff(expected)
    wanted = np.where(np.isfinite(wanted), wanted, step)
    return step + modulus * np.round((wanted - step) / modulus)
