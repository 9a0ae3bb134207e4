"""The one simulated person that drives every twin."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import LabConfig, Side
from devices.sim.history import History

Array = NDArray[np.float64]
MARKERS = (
    "LASI", "RASI", "LPSI", "RPSI",
    "LTHI", "LKNE", "LTIB", "LANK", "LHEE", "LTOE",
    "RTHI", "RKNE", "RTIB", "RANK", "RHEE", "RTOE",
)  # fmt: skip
EMG_CHANNELS = (
    "R_TA", "R_MG", "R_LG", "R_SOL", "R_RF", "R_VLO", "R_VMO", "R_BF", "R_SEM",
    "L_TA", "L_LG", "L_RF", "L_BF",
)  # fmt: skip
ECHO_MUSCLES = ("L_TA", "L_LG", "L_RF", "L_BF")
EventKind = Literal["strike", "off"]


class Person:
    """A body over the lab's history; every process gets identical values.

    Times are world seconds, shape (n,), non-decreasing between calls.
    """

    def __init__(self, config: LabConfig, history: History) -> None:
        self.config, self.history = config, history

    def markers_m(self, t: Array) -> Array:
        """Return marker positions in world axes, shape (n, 16, 3), metres."""
        y = np.array([1, -1, 1, -1] + [1] * 6 + [-1] * 6) * 0.09
        z = [1.0, 1.0, 1.0, 1.0] + [0.7, 0.5, 0.3, 0.08, 0.05, 0.05] * 2
        x = [0.1, 0.1, -0.05, -0.05] + [0.03, 0.02, 0.01, 0.0, -0.06, 0.15] * 2
        return np.broadcast_to(np.stack([x, y, z], axis=-1), (t.size, 16, 3)).copy()

    def plate_loads(self, t: Array) -> Array:
        """Return Fx Fy Fz (N) Mx My Mz (N·m) on each plate, shape (n, 2, 6)."""
        loads = np.zeros((t.size, 2, 6))
        loads[:, :, 2] = self.config.person.mass_kg * 9.81 / 2
        return loads

    def emg_uv(self, t: Array) -> Array:
        """Return surface EMG in microvolts, shape (n, 13)."""
        return np.zeros((t.size, 13))

    def echo(self, t: Array) -> NDArray[np.int16]:
        """Return A-mode lines, raw counts, shape (n, 4, 1000)."""
        return np.zeros((t.size, 4, 1000), np.int16)

    def angles_deg(self, t: Array) -> dict[str, Array]:
        """Return true joint angles, e.g. ``LKneeAngles`` (n, 3), degrees."""
        names = [s + j + "Angles" for s in "LR" for j in ("Hip", "Knee", "Ankle")]
        return {name: np.zeros((t.size, 3)) for name in names}

    def com_m(self, t: Array) -> Array:
        """Return the centre of mass in world axes, shape (n, 3), metres."""
        return np.broadcast_to(np.array([0.0, 0.0, 0.98]), (t.size, 3))

    def phase(self, t: Array) -> Array:
        """Return left and right gait phase since strike, shape (n, 2), 0 to 1."""
        return np.zeros((t.size, 2))

    def heel_strikes(
        self,
        t0_s: float,  # noqa: ARG002
        t1_s: float,  # noqa: ARG002
    ) -> list[tuple[float, Side, EventKind]]:
        """Return strikes and offs in [t0_s, t1_s): time, side, event."""
        return []
