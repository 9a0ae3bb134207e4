"""The gait model frame by frame: angles at once, moments and powers 80 ms later."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.gait.angles import joint_angles
from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import FILTERED, Smoothing
from acquire.gait.measures import Measures
from acquire.gait.plug_in_gait import kinetics
from acquire.gait.segments import (
    Calibration,
    Leg,
    Segments,
    build_segments,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """What one frame gave: angles of now, kinetics of `delay` frames ago.

    Each is (3,); kinetics are empty until the window is full.
    """

    angles: Mapping[str, Floats]
    kinetics: Mapping[str, Floats]


class LiveModel:
    """Computes the model while frames come in, one `push` per marker frame.

    `way` is the frame of progression, shape (3, 3), from standing or the last trial.
    Kinetics need derivatives of derivatives, so they follow `delay` frames later.
    """

    def __init__(
        self,
        measures: Measures,
        calibration: Calibration,
        way: Floats,
        rate_hz: float = 100.0,
        smoothing: Smoothing = FILTERED,
    ) -> None:
        self._measures, self._calibration, self._way = measures, calibration, way
        self._rate_hz, self._smoothing = rate_hz, smoothing
        self.delay = smoothing.frames - 1
        size = 2 * self.delay + 1
        self._segments: deque[Segments] = deque(maxlen=size)
        self._loads: deque[Mapping[Side, FootLoad]] = deque(maxlen=size)

    def push(
        self,
        markers_m: Mapping[str, Floats],
        loads: Mapping[Side, FootLoad] | None = None,
    ) -> LiveFrame:
        """Take the markers (1, 3) of one frame, and what the ground does to the feet.

        Without loads, or body mass, there are no kinetics.
        """
        one = build_segments(markers_m, self._measures, self._calibration.inter_asis_m)
        rows = joint_angles(one, self._calibration, self._way)
        angles = {name: row[0] for name, row in rows.items()}
        if loads is None or not self._measures.mass_kg:
            return LiveFrame(angles, {})
        self._segments.append(one)
        self._loads.append(loads)
        if len(self._segments) < 2 * self.delay + 1:
            return LiveFrame(angles, {})
        found = kinetics(
            _joined(self._segments),
            self._measures,
            self._calibration,
            {side: _joined_loads(self._loads, side) for side in SIDES},
            self._rate_hz,
            self._smoothing,
        )
        return LiveFrame(angles, {name: row[self.delay] for name, row in found.items()})


def _joined(parts: deque[Segments]) -> Segments:
    def leg(side: Side) -> Leg:
        legs = [part.leg(side) for part in parts]
        return Leg(
            hip_m=np.concatenate([one.hip_m for one in legs]),
            knee_m=np.concatenate([one.knee_m for one in legs]),
            ankle_m=np.concatenate([one.ankle_m for one in legs]),
            thigh=np.concatenate([one.thigh for one in legs]),
            shank=np.concatenate([one.shank for one in legs]),
            foot_line=np.concatenate([one.foot_line for one in legs]),
        )

    return Segments(
        np.concatenate([part.mid_asis_m for part in parts]),
        np.concatenate([part.sacrum_m for part in parts]),
        np.concatenate([part.pelvis for part in parts]),
        leg("left"),
        leg("right"),
    )


def _joined_loads(parts: deque[Mapping[Side, FootLoad]], side: Side) -> FootLoad:
    own = [part[side] for part in parts]
    return FootLoad(
        np.concatenate([load.force_n for load in own]),
        np.concatenate([load.moment_nm for load in own]),
        np.concatenate([load.plate_moment_nm for load in own]),
    )
