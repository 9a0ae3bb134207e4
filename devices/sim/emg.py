"""Surface EMG: band-limited noise, louder while a muscle works, slower when tired."""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import LabConfig
from devices.sim.filters import fir_of
from devices.sim.history import History
from devices.sim.muscles import Activity
from devices.sim.noise import normal, wanders
from devices.sim.walk import Rows

Array = NDArray[np.float64]

EMG_CHANNELS = (
    "R_TA", "R_MG", "R_LG", "R_SOL", "R_RF", "R_VLO", "R_VMO", "R_BF", "R_SEM",
    "L_TA", "L_LG", "L_RF", "L_BF",
)  # fmt: skip

LATTICE_HZ = 4000
BASELINE_UV = 2.5
#: how quickly the strength of successive bursts varies
STEADY_S = 0.9
BLOCK = 1000
_TAPS = 511
_LENGTH = 2048
_CHANNEL, _GAIN_CHANNEL = 600, 650
_KEPT = 64


class Emg:
    """Noise on a 4 kHz lattice of world time, shaped by each muscle's activity."""

    def __init__(self, config: LabConfig, history: History) -> None:
        self._seed, self._history = config.seed, history
        self._activity = Activity(EMG_CHANNELS)
        self._peak_uv = np.array([m.peak_uv for m in self._activity.muscles])
        fresh, tired = _spectrum(60.0, 130.0), _spectrum(35.0, 75.0)
        self._fresh = np.fft.rfft(fresh, _LENGTH)
        self._tired = np.fft.rfft(tired, _LENGTH)
        self._blocks: OrderedDict[int, Array] = OrderedDict()

    def carrier(self, t: Array) -> Array:
        """Return unit noise, 20 to 500 Hz, shape (n, 13)."""
        at = t * LATTICE_HZ
        k = np.floor(at + 1e-6).astype(np.int64)
        part = (at - k)[:, None]
        numbers = k // BLOCK
        out = np.empty((t.size, len(EMG_CHANNELS)))
        for number in np.unique(numbers).tolist():
            here = numbers == number
            values = self._block(number)
            i, u = k[here] - number * BLOCK + 1, part[here]
            a, b, c, d = (values[i + j] for j in (-1, 0, 1, 2))
            bend = 2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)
            out[here] = b + 0.5 * u * (c - a + u * bend)
        return out

    def uv(self, t: Array, rows: Rows) -> Array:
        """Return microvolts at `t`; `rows` are lattice rows that cover it."""
        loud = self._activity.at(rows) * self._peak_uv
        gain = wanders(self._seed, _GAIN_CHANNEL, rows.t_s, STEADY_S, len(EMG_CHANNELS))
        loud = loud * (1 + 0.12 * gain)
        at = np.interp(t, rows.t_s, np.arange(len(loud)))
        i = np.minimum(at.astype(np.int64), len(loud) - 2)
        loud = loud[i] + (at - i)[:, None] * (loud[i + 1] - loud[i])
        loud = loud * (1 + 0.35 * self._history.fatigue(t))[:, None]
        uv: Array = np.sqrt(loud**2 + BASELINE_UV**2) * self.carrier(t)
        return uv

    def _block(self, number: int) -> Array:
        """Return samples -1 to BLOCK + 1 of a block, shape (BLOCK + 3, 13)."""
        values = self._blocks.get(number)
        if values is None:
            values = self._blocks[number] = self._make(number)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return values

    def _make(self, number: int) -> Array:
        half = _TAPS // 2
        first = number * BLOCK - 1 - half
        index = np.arange(first, first + BLOCK + 3 + 2 * half)
        n = len(EMG_CHANNELS)
        white = normal(self._seed, _CHANNEL, index[:, None] * n + np.arange(n))
        middle = np.array([(number + 0.5) * BLOCK / LATTICE_HZ])
        level = float(self._history.fatigue(middle)[0])
        response = np.sqrt(1 - level) * self._fresh + np.sqrt(level) * self._tired
        spectrum = np.fft.rfft(white, _LENGTH, axis=0) * response[:, None]
        shaped = np.fft.irfft(spectrum, _LENGTH, axis=0)
        gain = np.sqrt((np.abs(response) ** 2).mean())
        block: Array = shaped[2 * half : 2 * half + BLOCK + 3] / gain
        return block


def _spectrum(low_hz: float, high_hz: float) -> Array:
    """Return the filter that gives white noise the spectrum of surface EMG."""
    f = np.linspace(0, LATTICE_HZ / 2, 401)
    power = f**2 / ((f**2 + low_hz**2) * (f**2 + high_hz**2) ** 2 + 1.0)
    power[(f < 20) | (f > 500)] = 0.0
    return fir_of(np.sqrt(power / power.max()), _TAPS)
