"""When and how hard each muscle works, from the gait cycle, speed and slope.

Bursts follow the published phases of level walking (Winter 1991; Perry 1992): each is
a bell in the cycle with a centre, a width and a height as shares of 1. A muscle's gain
says how its activity grows with slope, per degree up and down (Franz and Kram 2012).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim.walk import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Muscle:
    """One muscle: bursts (centre, width, height) in the cycle of its own leg."""

    bursts: tuple[tuple[float, float, float], ...]
    peak_uv: float  #: root mean square at activity 1
    tonic: float  #: activity in calm stance
    uphill: float
    downhill: float


_NO_BURST = (0.0, 1.0, 0.0)
MUSCLES = {
    "TA": Muscle(
        ((0.03, 0.040, 1.0), (0.66, 0.05, 0.55), (0.90, 0.08, 0.50)),
        170.0, 0.012, 0.010, 0.010,
    ),
    "MG": Muscle(((0.40, 0.080, 1.0), (0.28, 0.08, 0.40)), 150.0, 0.030, 0.075, -0.01),
    "LG": Muscle(((0.41, 0.075, 1.0), (0.28, 0.08, 0.35)), 115.0, 0.025, 0.065, 0.0),
    "SOL": Muscle(((0.43, 0.085, 1.0), (0.26, 0.11, 0.50)), 125.0, 0.060, 0.055, -0.01),
    "RF": Muscle(((0.06, 0.050, 1.0), (0.60, 0.045, 0.60)), 70.0, 0.012, 0.035, 0.075),
    "VLO": Muscle(((0.07, 0.055, 1.0), (0.97, 0.04, 0.55)), 105.0, 0.010, 0.070, 0.085),
    "VMO": Muscle(((0.08, 0.055, 1.0), (0.97, 0.04, 0.50)), 110.0, 0.010, 0.075, 0.090),
    "BF": Muscle(((0.93, 0.060, 1.0), (0.06, 0.06, 0.55)), 95.0, 0.012, 0.085, 0.010),
    "SEM": Muscle(((0.92, 0.055, 1.0), (0.05, 0.05, 0.40)), 110.0, 0.012, 0.075, 0.005),
}  # fmt: skip


class Activity:
    """The activity of several muscles at once, e.g. ``("L_TA", "R_BF")``."""

    def __init__(self, names: tuple[str, ...]) -> None:
        muscles = [MUSCLES[name[2:]] for name in names]
        self.muscles = muscles
        self._side = np.array([0 if name[0] == "L" else 1 for name in names])
        padded = [[*m.bursts, _NO_BURST, _NO_BURST][:3] for m in muscles]
        self._bursts = np.array(padded).transpose(2, 1, 0)
        self._tonic = np.array([m.tonic for m in muscles])
        self._uphill = np.array([m.uphill for m in muscles])
        self._downhill = np.array([m.downhill for m in muscles])

    def at(self, rows: Rows) -> Array:
        """Return how active each muscle is, about 1 at its burst at 1 m/s, level.

        Shape (n, muscles).
        """
        cycle = rows.cycle[:, self._side]
        centre, width, height = self._bursts
        away = np.abs(cycle[:, None] - centre)
        away = np.minimum(away, 1 - away) / width
        bursts = (height * np.exp(-0.5 * away * away)).sum(axis=1)
        slope = rows.slope_deg[:, None]
        up, down = np.maximum(slope, 0.0), np.maximum(-slope, 0.0)
        grown = np.maximum(1 + self._uphill * up + self._downhill * down, 0.2)
        speed = 0.35 + 0.65 * np.abs(rows.speed_mps) ** 1.2
        active: Array = self._tonic + (rows.gait * speed)[:, None] * grown * bursts
        return active
