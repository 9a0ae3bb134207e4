"""The gait model frame by frame: angles at once, moments and powers 0.1 s later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.angles import along_axis, angle_rows
from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import (
    RAW,
    Bodies,
    Smoothing,
    bodies,
    joint_loads,
    middle_weights,
    motion_of,
)
from acquire.gait.measures import Measures
from acquire.gait.plug_in_gait import JOINT_OUTPUTS, joint_rows
from acquire.gait.segments import Calibration, build_segments

Floats = NDArray[np.float64]
N_ANGLES: Final = 30
N_JOINT: Final = 3 * len(JOINT_OUTPUTS)
N_MOVING: Final = 81  #: seven frames of axes and six centres
FACING_SHARE: Final = 0.01  #: of a frame in where the pelvis faces on average


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """What one frame gave; NaN where a marker is hidden or a load unknown.

    `angles` (30,) are those of this frame, three per name in `ANGLES`. `joints` (54,),
    three per name in `JOINT_OUTPUTS`, and `ground` (2, 3), the ground's reaction in
    N/kg, are those of `delay` frames ago.
    """

    angles: Floats
    joints: Floats
    ground: Floats


class LiveModel:
    """Computes the model while frames come in, one `push` per marker frame.

    Derivatives are those of a polynomial over `smoothing.frames` frames at their
    middle, so what rests on them follows `delay` frames, half of that, later. The way
    of progression is the axis of the laboratory that the pelvis faces over a second.
    """

    def __init__(
        self,
        measures: Measures,
        calibration: Calibration,
        rate_hz: float = 100.0,
        smoothing: Smoothing = RAW,
    ) -> None:
        self._measures, self._calibration = measures, calibration
        self._weights = middle_weights(smoothing, rate_hz)
        self._size = smoothing.frames
        self.delay = smoothing.frames // 2
        self._ahead = np.full(3, np.nan)
        self._way = np.eye(3)
        self.forget()

    def forget(self) -> None:
        """Begin anew, after frames that are not known."""
        self._moving = np.full((self._size, N_MOVING), np.nan)
        self._joints_m = np.full((self._size, 2, 3, 3), np.nan)
        self._lengths_m, self._n_lengths = np.zeros((2, 3)), np.zeros((2, 3))
        self._at = 0

    def skip(self, frames: int) -> None:
        """Leave out frames that were lost: what rests on them stays unknown."""
        if frames >= self._size:
            self.forget()
            return
        for _ in range(frames):
            self._moving[self._at] = np.nan
            self._at = (self._at + 1) % self._size

    def push(
        self,
        markers_m: Mapping[str, Floats],
        loads: Mapping[Side, FootLoad] | None = None,
    ) -> LiveFrame:
        """Take the markers (1, 3) of one frame.

        `loads` (1, 3) are what the ground did to the feet `delay` frames before;
        without them, or body mass, there are no kinetics.
        """
        one = build_segments(markers_m, self._measures, self._calibration.inter_asis_m)
        self._look_ahead((one.mid_asis_m - one.sacrum_m)[0])
        angles = angle_rows(one, self._calibration, self._way)[0]
        legs = bodies(one, self._calibration)
        row = self._moving[self._at]
        row[:9], row[9:63] = one.pelvis.ravel(), legs.axes.ravel()
        row[63:] = legs.centres_m.ravel()
        self._joints_m[self._at] = legs.proximal_m[0]
        self._learn_lengths(legs.lengths_m[0])
        self._at = (self._at + 1) % self._size
        return self._with_kinetics(angles, loads)

    def _with_kinetics(
        self, angles: Floats, loads: Mapping[Side, FootLoad] | None
    ) -> LiveFrame:
        mass_kg = self._measures.mass_kg
        if loads is None or not mass_kg:
            return LiveFrame(angles, np.full(N_JOINT, np.nan), np.full((2, 3), np.nan))
        middle = (self._at + self.delay) % self._size
        force = np.stack([loads[side].force_n for side in SIDES], axis=1)
        moment = np.stack([loads[side].moment_nm for side in SIDES], axis=1)
        # The ring's rows are in order from `_at` on: turn the weights, not the rows.
        changes = np.roll(self._weights, self._at, axis=1) @ self._moving
        row = self._moving[middle]
        pelvis = row[None, :9].reshape(1, 3, 3)
        legs = Bodies(
            row[None, 9:63].reshape(1, 2, 3, 3, 3),
            self._joints_m[middle, None],
            row[None, 63:].reshape(1, 2, 3, 3),
            self._lengths_m[None],
        )
        moving = motion_of(pelvis, legs, changes[:1, :63], changes[1:, 9:])
        found = joint_loads(legs, moving, force, moment, mass_kg, self._lengths_m)
        return LiveFrame(angles, joint_rows(found)[0], force[0] / mass_kg)

    def _look_ahead(self, ahead: Floats) -> None:
        if not np.isfinite(ahead[0]):
            return
        if not np.isfinite(self._ahead[0]):
            self._ahead = ahead
        else:
            self._ahead = self._ahead + FACING_SHARE * (ahead - self._ahead)
        axis = 0 if abs(self._ahead[0]) >= abs(self._ahead[1]) else 1
        if self._way[axis, 0] * self._ahead[axis] <= 0:
            self._way = along_axis(self._ahead)

    def _learn_lengths(self, lengths_m: Floats) -> None:
        """Take part in the mean length of each segment over all frames."""
        known = np.isfinite(lengths_m)
        self._n_lengths += known
        step = np.where(known, lengths_m - self._lengths_m, 0.0)
        self._lengths_m = self._lengths_m + step / np.maximum(self._n_lengths, 1)
