"""The two filters of the simulated person, in numpy alone.

A twin is a process of its own and should be up in a moment; importing `scipy.signal`
takes several times as long as everything else in it.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Smoother:
    """Three equal one-pole low-passes in a row, for blocks of fixed length.

    `pole` lies between 0 and 1. The recursion over a block is linear in its input and
    in the state before it, so that both parts are matrices, worked out once.
    """

    def __init__(self, pole: float, block: int) -> None:
        self._pole, self._block = pole, block
        self._from_state, self._state_from_state = self._run(
            np.zeros((block, 3)), np.eye(3)
        )
        self._from_input, self._state_from_input = self._run(
            np.eye(block), np.zeros((3, block))
        )

    def settled(self, levels: Array) -> Array:
        """Return the state (3, n) in which constant `levels` (n,) have settled."""
        return np.repeat(levels[None, :], 3, axis=0)

    def __call__(self, raw: Array, state: Array) -> tuple[Array, Array]:
        """Filter a block (block, n); return it and the state (3, n) after it."""
        smoothed = self._from_input @ raw + self._from_state @ state
        return smoothed, self._state_from_input @ raw + self._state_from_state @ state

    def _run(self, raw: Array, state: Array) -> tuple[Array, Array]:
        out, values = np.empty_like(raw), [*state]
        for k, row in enumerate(raw):
            x = row
            for stage in range(3):
                values[stage] = self._pole * values[stage] + (1 - self._pole) * x
                x = values[stage]
            out[k] = x
        return out, np.array(values)


def fir_of(magnitude: Array, n_taps: int) -> Array:
    """Return a linear-phase filter (n_taps,), odd, by the frequency-sampling method.

    `magnitude` is what it should let through, equally spaced from zero to half the
    sampling rate; a Hamming window smooths what lies between.
    """
    half = n_taps // 2
    n_grid = 1 << int(np.ceil(np.log2(4 * n_taps)))
    grid = np.linspace(0.0, 1.0, n_grid // 2 + 1)
    wanted = np.interp(grid, np.linspace(0.0, 1.0, magnitude.size), magnitude)
    taps: Array = np.roll(np.fft.irfft(wanted, n_grid), half)[:n_taps]
    return taps * np.hamming(n_taps)
