"""Small vector algebra on arrays (..., 3), quicker than numpy's own for short ones."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stacked(*parts: Array) -> Array:
    """Return arrays of one shape (...) as the last axis of one, shape (..., n)."""
    out = np.empty((*parts[0].shape, len(parts)))
    for i, part in enumerate(parts):
        out[..., i] = part
    return out


def dot(a: Array, b: Array) -> Array:
    """Return the inner product, shape (...)."""
    total: Array = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
    return total


def cross(a: Array, b: Array) -> Array:
    """Return the vector product, shape (..., 3)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return stacked(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)


def unit(a: Array) -> Array:
    """Return `a` at length 1."""
    scaled: Array = a / np.sqrt(dot(a, a))[..., None]
    return scaled


def columns(x: Array, y: Array, z: Array) -> Array:
    """Return the frames (..., 3, 3) whose columns are the given axes."""
    return stacked(x, y, z)


def turn(axes: Array, local: Array) -> Array:
    """Return vectors given in the frames' axes, in world axes.

    `axes` (..., 3, 3) columns, `local` (3,) or (..., 3).
    """
    turned: Array = (
        axes[..., 0] * local[..., 0, None]
        + axes[..., 1] * local[..., 1, None]
        + axes[..., 2] * local[..., 2, None]
    )
    return turned


def relative(a: Array, b: Array) -> Array:
    """Return Aᵀ B for frames (..., 3, 3): the axes of B seen from A."""
    seen: Array = np.einsum("...ji,...jk->...ik", a, b)
    return seen


def from_yxz(y: Array, x: Array, z: Array) -> Array:
    """Return Ry(y) Rx(x) Rz(z) for angles (n,) in radians, shape (n, 3, 3)."""
    cy, sy, cx, sx = np.cos(y), np.sin(y), np.cos(x), np.sin(x)
    cz, sz = np.cos(z), np.sin(z)
    rows = [
        [cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx],
    ]
    frames = stacked(*(part for row in rows for part in row))
    return frames.reshape(*frames.shape[:-1], 3, 3)


def to_yxz(r: Array) -> tuple[Array, Array, Array]:
    """Return (y, x, z) in radians with r = Ry(y) Rx(x) Rz(z)."""
    x = np.arcsin(np.clip(-r[..., 1, 2], -1.0, 1.0))
    y = np.arctan2(r[..., 0, 2], r[..., 2, 2])
    z = np.arctan2(r[..., 1, 0], r[..., 1, 1])
    return y, x, z


def tilted(points: Array, pivot: Array, incline_rad: Array) -> Array:
    """Move deck points (..., 3) to the world; `incline_rad` has shape (...)."""
    c, s = np.cos(incline_rad), np.sin(incline_rad)
    x, z = points[..., 0] - pivot[0], points[..., 2] - pivot[2]
    return stacked(pivot[0] + c * x - s * z, points[..., 1], pivot[2] + s * x + c * z)


def tilted_direction(vectors: Array, incline_rad: Array) -> Array:
    """Turn deck directions (..., 3) to the world."""
    return tilted(vectors, np.zeros(3), incline_rad)
