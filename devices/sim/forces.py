"""Ground reaction: what accelerates the segments, shared between the feet."""

import numpy as np
from numpy.typing import NDArray

from devices.sim.body import Pose
from devices.sim.config import SIDES, LabConfig
from devices.sim.noise import normal
from devices.sim.vectors import cross, stacked, tilted
from devices.sim.walk import RATE_HZ, Rows

Array = NDArray[np.float64]

GRAVITY_MPS2 = 9.81
#: a foot's force leans towards this height over the centre of mass, in heights of it
_AIM = 1.25
_FREE_MOMENT_M = 0.004
_NOISE_CHANNEL = 500


def ground_forces(mass_kg: float, pose: Pose, rows: Rows) -> Array:
    """Return the force on each foot, shape (n - 2, 2, 3), N in world axes.

    `pose` has one instant more at each end: accelerations are second differences. The
    total is exactly mass times (acceleration of the centre of mass - gravity). The
    vertical part is shared as the walk shares load; forces lean towards a point above
    the centre of mass, so that a leading foot brakes while a trailing one pushes.
    """
    com = pose.com
    total = mass_kg * (com[2:] - 2 * com[1:-1] + com[:-2]) * float(RATE_HZ**2)
    total[:, 2] += mass_kg * GRAVITY_MPS2
    left = rows.load[1:-1]
    share = np.stack([left, 1 - left], axis=-1)
    vertical: Array = share * total[:, None, 2]
    contact = pose.feet.contact[1:-1]
    aim = com[1:-1, None] - contact
    lean = aim[..., :2] / (_AIM * aim[..., 2:])
    level: Array = vertical[..., None] * lean
    rest = total[:, None, :2] - level.sum(axis=1, keepdims=True)
    level = (level + share[..., None] * rest) * (share > 0)[..., None]
    forces: Array = np.concatenate([level, vertical[..., None]], axis=-1)
    return forces


class Plates:
    """Two plates under two belts: turn forces on feet into what the plates send."""

    def __init__(self, config: LabConfig) -> None:
        self._config, self._seed = config.plates, config.seed
        pivot = np.asarray(config.plates.pivot_m)
        self._pivot = pivot
        self._origins = np.stack([config.plates.deck_origin_m(s) for s in SIDES])
        self._baseline = np.array(config.plates.baseline)

    def loads(self, first: int, rows: Rows, contact: Array, forces: Array) -> Array:
        """Return Fx Fy Fz (N) Mx My Mz (N·m) on each plate, shape (n, 2, 6).

        `first` is the lattice index of the first row, `contact` and `forces` have
        shape (n, 2 feet, 3).
        """
        on_left = rows.place[..., 1] > 0
        loads: Array = np.stack(
            [
                self._on_plate(plate, rows, contact, forces, on_left == (plate == 0))
                for plate in (0, 1)
            ],
            axis=1,
        )
        loads += self._noise(first, len(loads))
        loads += self._baseline
        return loads

    def _on_plate(
        self, plate: int, rows: Rows, contact: Array, forces: Array, here: Array
    ) -> Array:
        angle = rows.incline_rad if self._config.plates_follow_deck else 0 * rows.t_s
        origin = np.broadcast_to(self._origins[plate], (rows.t_s.size, 3))
        origin = tilted(origin, self._pivot, angle)
        push = -forces * here[..., None]
        moment = cross(contact - origin[:, None], push)
        c, s = np.cos(angle), np.sin(angle)
        turned = _FREE_MOMENT_M * push[..., 2] * np.sin(2 * np.pi * rows.cycle)
        moment[..., 0] += -s[:, None] * turned
        moment[..., 2] += c[:, None] * turned
        force, moment = push.sum(axis=1), moment.sum(axis=1)
        return np.concatenate(
            [_to_plate(force, c, s), _to_plate(moment, c, s)], axis=-1
        )

    def _noise(self, first: int, n: int) -> Array:
        config = self._config
        if not (config.force_noise_n or config.moment_noise_nm):
            return np.zeros((n, 2, 6))
        index = (np.arange(first, first + n)[:, None] * 12 + np.arange(12)).reshape(
            n, 2, 6
        )
        scale = np.repeat([config.force_noise_n, config.moment_noise_nm], 3)
        noise: Array = normal(self._seed, _NOISE_CHANNEL, index) * scale
        return noise


def _to_plate(vector: Array, c: Array, s: Array) -> Array:
    """Turn world vectors (n, 3) to plate axes: x left, y forward, z down."""
    x, y, z = vector[:, 0], vector[:, 1], vector[:, 2]
    return stacked(y, c * x + s * z, s * x - c * z)
