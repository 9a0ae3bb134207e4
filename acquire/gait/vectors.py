"""Vectors and frames over time; frames are (n, 3, 3) with their axes as columns."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def dot(a: Floats, b: Floats) -> Floats:
    """Return scalar products along the last axis, that axis kept with length 1."""
    return np.asarray(np.einsum("...i,...i->...", a, b)[..., None])


def unit(v: Floats) -> Floats:
    """Return vectors of length 1; NaN where there is no direction."""
    length = np.sqrt(dot(v, v))
    return np.asarray(v / np.where(length > 0, length, np.nan))


def cross(a: Floats, b: Floats) -> Floats:
    """Return vector products along the last axis (quicker than numpy's on rows)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    found = np.empty((*x.shape, 3))
    found[..., 0] = x
    found[..., 1] = az * bx - ax * bz
    found[..., 2] = ax * by - ay * bx
    return found


def frame(x: Floats, y: Floats, z: Floats) -> Floats:
    """Return the frame with these axes as columns."""
    found = np.empty((*x.shape, 3))
    found[..., 0], found[..., 1], found[..., 2] = x, y, z
    return found


def into(axes: Floats, v: Floats) -> Floats:
    """Return world vectors in the coordinates of a frame."""
    return np.asarray(np.einsum("...ji,...j->...i", axes, v))


def out_of(axes: Floats, v: Floats) -> Floats:
    """Return vectors given in the coordinates of a frame in the world."""
    return np.asarray(np.einsum("...ij,...j->...i", axes, v))


def about_x(angle_rad: float) -> Floats:
    """Return the matrix of a rotation about x, shape (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def about_y(angle_rad: float) -> Floats:
    """Return the matrix of a rotation about y, shape (3, 3)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def cardan_yxz_deg(turn: Floats) -> Floats:
    """Return the angles about y, x and z, in that order, of rotations (..., 3, 3).

    ``turn = proximal.T @ distal = Ry(y) Rx(x) Rz(z)``; degrees, shape (..., 3).
    """
    found = np.empty(turn.shape[:-1])
    np.arctan2(turn[..., 0, 2], turn[..., 2, 2], out=found[..., 0])
    np.arcsin(np.clip(-turn[..., 1, 2], -1.0, 1.0), out=found[..., 1])
    np.arctan2(turn[..., 1, 0], turn[..., 1, 1], out=found[..., 2])
    return np.degrees(found, out=found)
