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
    JointLoads,
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
class LiveFrames:
    """What n frames gave; NaN where a marker is hidden or a load unknown.

    `angles` (n, 30) are those of the frames, three per name in `ANGLES`. `joints`
    (n, 54), three per name in `JOINT_OUTPUTS`, and `ground` (n, 2, 3), the ground's
    reaction in N/kg, are those of `delay` frames before each.
    """

    angles: Floats
    joints: Floats
    ground: Floats


class LiveModel:
    """Computes the model while frames come in, one or a few with each `push`.

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
        self._weights = middle_weights(smoothing, rate_hz).T
        self._size = smoothing.frames
        self.delay = smoothing.frames // 2
        self._ahead = np.full(3, np.nan)
        self._way = np.eye(3)
        self.forget()

    def forget(self) -> None:
        """Begin anew, after frames that are not known."""
        self._moving = np.full((self._size - 1, N_MOVING), np.nan)
        self._joints_m = np.full((self.delay, 2, 3, 3), np.nan)
        self._lengths_m, self._n_lengths = np.zeros((2, 3)), np.zeros((2, 3))

    def skip(self, frames: int) -> None:
        """Leave out frames that were lost: what rests on them stays unknown."""
        if frames >= self._size:
            self.forget()
            return
        lost = np.full((frames, N_MOVING), np.nan)
        self._moving = np.concatenate([self._moving, lost])[frames:]
        gone = np.full((frames, 2, 3, 3), np.nan)
        self._joints_m = np.concatenate([self._joints_m, gone])[frames:]

    def push(
        self,
        markers_m: Mapping[str, Floats],
        loads: Mapping[Side, FootLoad] | None = None,
    ) -> LiveFrames:
        """Take the markers (n, 3) of consecutive frames.

        `loads` (n, 3) are what the ground did to the feet `delay` frames before each;
        without them, or body mass, there are no kinetics.
        """
        new = build_segments(markers_m, self._measures, self._calibration.inter_asis_m)
        self._look_ahead(new.mid_asis_m - new.sacrum_m)
        angles = angle_rows(new, self._calibration, self._way)
        legs, n = bodies(new, self._calibration), len(angles)
        rows = np.empty((n, N_MOVING))
        rows[:, :9], rows[:, 9:63] = new.pelvis.reshape(n, 9), legs.axes.reshape(n, 54)
        rows[:, 63:] = legs.centres_m.reshape(n, 18)
        moving = np.concatenate([self._moving, rows])
        joints_m = np.concatenate([self._joints_m, legs.proximal_m])
        self._moving, self._joints_m = moving[n:], joints_m[n:]
        self._learn_lengths(legs.lengths_m)
        mass_kg = self._measures.mass_kg
        if loads is None or not mass_kg:
            nothing = np.full((n, N_JOINT), np.nan)
            return LiveFrames(angles, nothing, np.full((n, 2, 3), np.nan))
        force = np.stack([loads[side].force_n for side in SIDES], axis=1)
        moment = np.stack([loads[side].moment_nm for side in SIDES], axis=1)
        found = self._loads(moving, joints_m[:n], force, moment, mass_kg)
        return LiveFrames(angles, joint_rows(found), force / mass_kg)

    def _loads(
        self,
        moving: Floats,
        joints_m: Floats,
        force_n: Floats,
        moment_nm: Floats,
        mass_kg: float,
    ) -> JointLoads:
        """Return the loads at the middle of each whole window of `moving`."""
        n = len(force_n)
        windows = np.lib.stride_tricks.sliding_window_view(moving, self._size, axis=0)
        changes = windows @ self._weights
        middle = moving[self.delay : self.delay + n]
        legs = Bodies(
            middle[:, 9:63].reshape(n, 2, 3, 3, 3),
            joints_m,
            middle[:, 63:].reshape(n, 2, 3, 3),
            self._lengths_m[None],
        )
        pelvis = middle[:, :9].reshape(n, 3, 3)
        turns = motion_of(pelvis, legs, changes[:, :63, 0], changes[:, 9:, 1])
        return joint_loads(legs, turns, force_n, moment_nm, mass_kg, self._lengths_m)

    def _look_ahead(self, ahead: Floats) -> None:
        seen = ahead[np.isfinite(ahead[:, 0])]
        if not len(seen):
            return
        if not np.isfinite(self._ahead[0]):
            self._ahead = seen[0]
        share = min(FACING_SHARE * len(seen), 1.0)
        self._ahead = self._ahead + share * (seen.mean(axis=0) - self._ahead)
        axis = 0 if abs(self._ahead[0]) >= abs(self._ahead[1]) else 1
        if self._way[axis, 0] * self._ahead[axis] <= 0:
            self._way = along_axis(self._ahead)

    def _learn_lengths(self, lengths_m: Floats) -> None:
        """Take part in the mean length of each segment over all frames, (n, 2, 3)."""
        known = np.isfinite(lengths_m)
        self._n_lengths += known.sum(axis=0)
        step = np.where(known, lengths_m - self._lengths_m, 0.0).sum(axis=0)
        self._lengths_m = self._lengths_m + step / np.maximum(self._n_lengths, 1)
