"""A-mode ultrasound: what 5 MHz probes over four muscles of the left leg receive."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import LabConfig
from devices.sim.muscles import Activity
from devices.sim.noise import normal
from devices.sim.walk import Rows

Array = NDArray[np.float64]

SAMPLES = 1000
SAMPLE_HZ = 20e6
CENTRE_HZ = 5e6
SOUND_MPS = 1540.0
#: depth of a sample, mm
STEP_MM = 1000 * SOUND_MPS / (2 * SAMPLE_HZ)
ECHO_MUSCLES = ("L_TA", "L_LG", "L_RF", "L_BF")

_FULL_SCALE = 6000.0
_NOISE = 12.0
_LOSS_DB_PER_MM = 0.2
_RINGDOWN_MM = 1.1
_SPECKLE_CHANNEL, _NOISE_CHANNEL = 800, 820
_TEXTURE = 4096
#: samples on either side of an interface that its pulse reaches
_REACH = 24


@dataclass(frozen=True, slots=True)
class Layer:
    """An interface: depth at rest, strength, and how far it moves.

    `contracted_mm` is added at full activity, `bent_mm` per radian of joint angle.
    """

    depth_mm: float
    strength: float
    contracted_mm: float
    bent_mm: float


#: fat to fascia, fascia to muscle, inner aponeurosis, deep aponeurosis, bone
LAYERS = (
    (
        Layer(3.6, 0.55, 0.0, 0.0),
        Layer(4.9, 0.35, 0.1, 0.0),
        Layer(14.0, 0.75, 1.3, 1.2),
        Layer(24.5, 0.6, 1.9, 1.6),
        Layer(30.0, 0.8, 0.5, 0.3),
    ),
    (
        Layer(5.2, 0.6, 0.0, 0.0),
        Layer(6.6, 0.35, 0.1, 0.0),
        Layer(16.5, 0.7, 1.6, -1.8),
        Layer(19.5, 0.55, 1.8, -2.1),
        Layer(34.0, 0.6, 0.8, -0.6),
    ),
    (
        Layer(6.8, 0.6, 0.0, 0.0),
        Layer(8.1, 0.35, 0.1, 0.0),
        Layer(18.0, 0.4, 0.9, -0.5),
        Layer(25.0, 0.7, 2.2, -1.3),
        Layer(36.0, 0.8, 0.8, -0.5),
    ),
    (
        Layer(7.6, 0.6, 0.0, 0.0),
        Layer(9.2, 0.35, 0.1, 0.0),
        Layer(20.5, 0.5, 1.2, 0.8),
        Layer(29.0, 0.65, 2.0, 1.4),
        Layer(36.5, 0.5, 0.6, 0.4),
    ),
)


class Echo:
    """Radio-frequency lines of four muscles."""

    def __init__(self, config: LabConfig) -> None:
        self._seed = config.seed
        self._activity = Activity(ECHO_MUSCLES)
        self._depth_mm = np.arange(SAMPLES) * STEP_MM
        self._gain = _FULL_SCALE * 10 ** (-_LOSS_DB_PER_MM * self._depth_mm / 20)
        ring = np.exp(-self._depth_mm / (_RINGDOWN_MM / 2.3))
        phase = 2 * np.pi * CENTRE_HZ / SAMPLE_HZ * np.arange(SAMPLES)
        self._ringdown = 2.2 * _FULL_SCALE * ring * np.cos(phase)
        index = np.arange(_TEXTURE)
        self._index = index.astype(np.float64)
        self._speckle = np.stack(
            [self._texture(channel, index) for channel in range(len(ECHO_MUSCLES))]
        )

    def lines(self, t: Array, rows: Rows, bent_rad: Array) -> NDArray[np.int16]:
        """Return raw counts, shape (n, 4, 1000).

        `rows` are one row per time, `bent_rad` (n, 4) the angle of each muscle's joint.
        """
        active = np.minimum(self._activity.at(rows), 1.3)
        out = np.empty((t.size, len(ECHO_MUSCLES), SAMPLES))
        for i in range(len(ECHO_MUSCLES)):
            out[:, i] = self._line(i, active[:, i], bent_rad[:, i])
        frame = np.round(t * 1e4).astype(np.int64)
        size = out[0].size
        index = (frame[:, None] * size + np.arange(size)).reshape(out.shape)
        out += _NOISE * normal(self._seed, _NOISE_CHANNEL, index)
        limit = np.iinfo(np.int16)
        return np.clip(np.round(out), limit.min, limit.max).astype(np.int16)

    def depths_mm(self, muscle: int, active: Array, bent_rad: Array) -> Array:
        """Return the depth of each interface, shape (n, layers)."""
        layers = LAYERS[muscle]
        rest = np.array([layer.depth_mm for layer in layers])
        contracted = np.array([layer.contracted_mm for layer in layers])
        bent = np.array([layer.bent_mm for layer in layers])
        depth: Array = rest + active[:, None] * contracted + bent_rad[:, None] * bent
        return depth

    def _line(self, muscle: int, active: Array, bent_rad: Array) -> Array:
        depths = self.depths_mm(muscle, active, bent_rad)
        rest = np.array([0.0, *(layer.depth_mm for layer in LAYERS[muscle]), 60.0])
        line = np.empty((active.size, SAMPLES))
        for n, row in enumerate(depths):
            moved = np.concatenate([[0.0], row, [60.0 + row[-1] - rest[-2]]])
            origin = np.interp(self._depth_mm, moved, rest) / STEP_MM
            line[n] = np.interp(origin, self._index, self._speckle[muscle])
            for layer, depth in zip(LAYERS[muscle], row.tolist(), strict=True):
                first = max(int(depth / STEP_MM) - _REACH, 0)
                last = max(int(depth / STEP_MM) + _REACH, first)
                away = 2 * (self._depth_mm[first:last] - depth) / (1000 * SOUND_MPS)
                line[n, first:last] += layer.strength * _pulse(away)
        shown: Array = line * self._gain + self._ringdown
        return shown

    def _texture(self, muscle: int, index: NDArray[np.int64]) -> Array:
        """Return speckle as scatterers at rest send it, one value per sample step."""
        white = normal(self._seed, _SPECKLE_CHANNEL + muscle, index)
        lag = np.arange(-16, 17) / SAMPLE_HZ
        speckle: Array = 0.05 * np.convolve(white, _pulse(lag), "same")
        return speckle


def _pulse(delay_s: Array) -> Array:
    """Return the probe's pulse at a two-way delay from its middle."""
    beat = np.cos(2 * np.pi * CENTRE_HZ * delay_s)
    pulse: Array = np.exp(-0.5 * (delay_s / 0.28e-6) ** 2) * beat
    return pulse
