"""Rows of the optional streams: poses of segments, and markers of nobody."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.vicon.frames import Frame
from devices.vicon.layout import Layout
from devices.vicon.specs import COUNTER_MODULUS

POSE_COLUMNS = 7  #: X, Y, Z in metres, then the quaternion QX, QY, QZ, QW


class FrameRows(Protocol):
    """Makes the row of one stream from each frame."""

    def row(self, frame: Frame) -> NDArray[np.float32]: ...


class SegmentRows:
    """Puts global poses of segments into the columns of `vicon-segments`."""

    def __init__(self, layout: Layout) -> None:
        self._n = len(layout.segment_keys)
        self._column = {key: i for i, key in enumerate(layout.segment_keys)}
        self._to_z_up = layout.to_z_up

    def row(self, frame: Frame) -> NDArray[np.float32]:
        """Return shape (1, 1 + 7·n_segments): frame number, poses; NaN where unseen."""
        row = _empty(frame, POSE_COLUMNS * self._n)
        poses = row[0, 1:].reshape(-1, POSE_COLUMNS)
        for subject, found in frame.global_segments.items():
            keys = [(subject, int(segment)) for segment in found["segment"]]
            taken = [i for i, key in enumerate(keys) if key in self._column]
            if taken:
                columns = [self._column[keys[i]] for i in taken]
                poses[columns] = self._poses(found[taken])
        return row

    def _poses(self, found: NDArray[Any]) -> NDArray[np.float64]:
        places_m, rotations = found["translation_mm"] / 1000.0, found["rotation"]
        if self._to_z_up is not None:
            places_m = places_m @ self._to_z_up.T
            # the vendor's SDK turns the axes of segments with those of the world
            rotations = self._to_z_up @ rotations @ self._to_z_up.T
        return np.concatenate([places_m, quaternions(rotations)], axis=1)


class UnlabeledRows:
    """Puts markers of nobody into the columns of `vicon-unlabeled`, as they come."""

    def __init__(self, layout: Layout, n_places: int) -> None:
        self._n, self._to_z_up = n_places, layout.to_z_up

    def row(self, frame: Frame) -> NDArray[np.float32]:
        """Return (1, 2 + 3·n_places): frame number, how many there were, positions.

        More than there are places for are counted and left out.
        """
        row = _empty(frame, 1 + 3 * self._n)
        positions_m = frame.unlabeled["position_mm"] / 1000.0
        if self._to_z_up is not None:
            positions_m = positions_m @ self._to_z_up.T
        row[0, 1] = len(positions_m)
        kept = positions_m[: self._n]
        row[0, 2:].reshape(-1, 3)[: len(kept)] = kept
        return row


def quaternions(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn matrices (n, 3, 3) into unit quaternions (n, 4): x, y, z, w; w not below 0.

    The largest of the four is found first, so that none is divided by a small one.
    """
    xx, yy, zz = (rotations[:, i, i] for i in range(3))
    four = 1.0 + np.stack([xx - yy - zz, yy - zz - xx, zz - xx - yy, xx + yy + zz], 1)
    sums = rotations + rotations.transpose(0, 2, 1)
    less = rotations - rotations.transpose(0, 2, 1)
    products = np.empty((len(rotations), 4, 4))  # 4·q qᵀ
    products[:, [0, 1, 2, 3], [0, 1, 2, 3]] = four
    for i, j in ((0, 1), (1, 2), (2, 0)):
        products[:, i, j] = products[:, j, i] = sums[:, i, j]
    for i, (row, column) in enumerate(((2, 1), (0, 2), (1, 0))):
        products[:, i, 3] = products[:, 3, i] = less[:, row, column]
    largest = four.argmax(axis=1)
    found = products[np.arange(len(rotations)), largest]
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found * np.where(found[:, 3:] < 0, -1.0, 1.0))


def _empty(frame: Frame, n_values: int) -> NDArray[np.float32]:
    row = np.full((1, 1 + n_values), np.nan, np.float32)
    row[0, 0] = frame.number % COUNTER_MODULUS
    return row
