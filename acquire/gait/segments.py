"""Pelvis, thighs, shanks and feet: joint centres and frames from markers.

Frames have x forward, y to the left, z up as columns; the corrected foot alone follows
the model it reproduces: x up, y left, z back. Both legs are computed together: while
frames come in one by one, the number of calls is what takes time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, Side
from acquire.gait.joint_centres import chord, hip_centres
from acquire.gait.measures import Measures
from acquire.gait.vectors import about_x, about_y, cross, frame, unit

Floats = NDArray[np.float64]
OUTWARD: Mapping[Side, int] = {"left": 1, "right": -1}
BOTH = np.array([[1.0], [-1.0]])  #: outward, for arrays of both legs (..., 2, 3)


@dataclass(frozen=True, slots=True)
class FootOffsets:
    """How a foot's sole lies to the line from ankle to toe marker, in degrees."""

    plantar_flexion_deg: float
    rotation_deg: float
    length_m: float  #: heel to toe marker, less a marker's radius


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a static trial adds to the measures."""

    inter_asis_m: float
    left: FootOffsets
    right: FootOffsets
    foot_flat: bool = True

    def foot(self, side: Side) -> FootOffsets:
        return self.left if side == "left" else self.right


@dataclass(frozen=True, eq=False)
class Leg:
    """One leg; points (n, 3) in m, frames (n, 3, 3).

    `foot_line` is the foot before its static offsets: x from ankle to toe marker, y
    from the shank.
    """

    hip_m: Floats
    knee_m: Floats
    ankle_m: Floats
    thigh: Floats
    shank: Floats
    foot_line: Floats


@dataclass(frozen=True, eq=False)
class Segments:
    """The lower body at every frame; `sacrum_m` is SACR or between LPSI and RPSI.

    `pelvis` has shape (n, 3, 3). Of the legs, left first, `joints_m` (n, 2, 3, 3) holds
    hips, knees and ankles, `axes` (n, 2, 3, 3, 3) thighs, shanks and foot lines.
    """

    mid_asis_m: Floats
    sacrum_m: Floats
    pelvis: Floats
    joints_m: Floats
    axes: Floats

    def leg(self, side: Side) -> Leg:
        k = SIDES.index(side)
        joints, axes = self.joints_m[:, k], self.axes[:, k]
        return Leg(*(joints[:, j] for j in range(3)), *(axes[:, j] for j in range(3)))

    @property
    def left(self) -> Leg:
        return self.leg("left")

    @property
    def right(self) -> Leg:
        return self.leg("right")

    def feet(self, calibration: Calibration) -> Floats:
        """Return both feet in the model's axes, (n, 2, 3, 3): x up, y left, z back."""
        return np.asarray(self.axes[:, :, 2] @ _foot_turns(calibration))


def sacrum(markers_m: Mapping[str, Floats]) -> Floats:
    """Return the back of the pelvis, shape (n, 3): SACR, else between the PSIS."""
    if "SACR" in markers_m and np.isfinite(markers_m["SACR"]).any():
        return markers_m["SACR"]
    return np.asarray((markers_m["LPSI"] + markers_m["RPSI"]) / 2)


def inter_asis_m(markers_m: Mapping[str, Floats]) -> float:
    """Return the mean distance between the ASIS markers."""
    apart = np.linalg.norm(markers_m["LASI"] - markers_m["RASI"], axis=-1)
    return float(np.nanmean(apart))


def build_segments(
    markers_m: Mapping[str, Floats], measures: Measures, asis_m: float
) -> Segments:
    """Return the segments from sixteen markers (n, 3) in m, NaN where hidden.

    `asis_m` is the distance between the ASIS. Which markers there must be:
    `acquire.gait.marker_checks`.
    """
    left_asis, right_asis = markers_m["LASI"], markers_m["RASI"]
    middle, back = (left_asis + right_asis) / 2, sacrum(markers_m)
    y = unit(left_asis - right_asis)
    z = unit(cross(middle - back, y))
    pelvis = frame(cross(y, z), y, z)

    def both(name: str) -> Floats:
        left = markers_m[f"L{name}"]
        pair = np.empty((len(left), 2, 3))
        pair[:, 0], pair[:, 1] = left, markers_m[f"R{name}"]
        return pair

    knee_side, ankle_side = both("KNE"), both("ANK")
    chords = _chords(measures)
    joints = np.empty((len(middle), 2, 3, 3))
    hip = joints[:, :, 0] = hip_centres(middle, pelvis, measures, asis_m)
    knee = joints[:, :, 1] = chord(hip, knee_side, both("THI"), *chords.knee)
    ankle = joints[:, :, 2] = chord(knee, ankle_side, both("TIB"), *chords.ankle)
    outer = np.empty((len(middle), 2, 2, 3))
    outer[:, :, 0], outer[:, :, 1] = knee_side, ankle_side
    lower = joints[:, :, 1:]
    axes = np.empty((len(middle), 2, 3, 3, 3))
    axes[:, :, :2] = _upright(joints[:, :, :2] - lower, BOTH[:, None] * (outer - lower))
    x = unit(both("TOE") - ankle)
    z = unit(cross(x, axes[:, :, 1, :, 1]))
    axes[:, :, 2] = frame(x, cross(z, x), z)
    return Segments(middle, back, pelvis, joints, axes)


@dataclass(frozen=True, eq=False)
class _Chords:
    """Offset in m and rotation in radians of the joints' chords, (2, 1) each."""

    knee: tuple[Floats, Floats | None]
    ankle: tuple[Floats, Floats | None]


@lru_cache(maxsize=8)
def _chords(measures: Measures) -> _Chords:
    legs = [measures.leg(side) for side in SIDES]
    radius = measures.marker_diameter_m / 2

    def column(values: list[float]) -> Floats:
        return np.array(values)[:, None]

    def turn(degrees: list[float]) -> Floats | None:
        return -BOTH * np.radians(column(degrees)) if any(degrees) else None

    return _Chords(
        knee=(
            column([leg.knee_width_m / 2 + radius for leg in legs]),
            turn([leg.thigh_rotation_deg for leg in legs]),
        ),
        ankle=(
            column([leg.ankle_width_m / 2 + radius for leg in legs]),
            turn([leg.shank_rotation_deg for leg in legs]),
        ),
    )


@lru_cache(maxsize=8)
def _foot_turns(calibration: Calibration) -> Floats:
    """Return what turns foot lines into feet in the model's axes, shape (2, 3, 3)."""
    upright = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    turns = []
    for side in SIDES:
        foot = calibration.foot(side)
        turns.append(
            upright
            @ about_y(-np.radians(foot.plantar_flexion_deg))
            @ about_x(-OUTWARD[side] * np.radians(foot.rotation_deg))
        )
    return np.stack(turns)


def _upright(up: Floats, left: Floats) -> Floats:
    """Return the frame with z along `up` and y near `left`."""
    z = unit(up)
    x = unit(cross(left, z))
    return frame(x, cross(z, x), z)
