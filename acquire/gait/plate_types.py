"""Force plates of four kinds, as C3D files describe them, turned into one.

Plate axes: x from the second to the first corner, y from the fourth to the first, z
down into the floor. Files of most systems hold the reaction; ours is the force on the
plate.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acquire.gait.plates import Plate
from acquire.gait.vectors import unit

Floats = NDArray[np.float64]
CHANNELS = {1: 6, 2: 6, 3: 8, 4: 6}


class PlateError(ValueError):
    """A plate's description and its signals do not fit together."""


def forces_and_moments(
    kind: int, channels: Floats, origin_m: Floats, matrix: Floats | None = None
) -> Floats:
    """Return Fx Fy Fz (N) Mx My Mz (N·m) about the sensor's origin, shape (n, 6).

    Type 1 has three forces, the pressure centre (m) and the free moment; type 2 forces
    and moments; type 3 eight forces of corner sensors `origin_m[:2]` from the middle;
    type 4 is type 2 after `matrix` (6, 6) is applied to its channels.
    """
    if kind not in CHANNELS or channels.shape[1:] != (CHANNELS.get(kind, 0),):
        raise PlateError(
            f"a plate of type {kind} with channels of shape {channels.shape}; types 1, "
            "2 and 4 have 6 channels, type 3 has 8"
        )
    if kind == 1:
        fx, fy, fz, x, y, free = channels.T
        return np.column_stack([fx, fy, fz, y * fz, -x * fz, free + x * fy - y * fx])
    if kind == 3:
        x12, x34, y14, y23, z1, z2, z3, z4 = channels.T
        a, b = np.abs(origin_m[:2])
        return np.column_stack(
            [
                x12 + x34,
                y14 + y23,
                z1 + z2 + z3 + z4,
                b * (z1 + z2 - z3 - z4),
                a * (-z1 + z2 + z3 - z4),
                b * (-x12 + x34) + a * (y14 - y23),
            ]
        )
    if kind == 4:
        if matrix is None:
            raise PlateError("a plate of type 4 has no calibration matrix")
        return np.asarray(channels @ matrix.T)
    return channels.copy()


def plate_at(name: str, kind: int, corners_m: Floats, origin_m: Floats) -> Plate:
    """Return a plate placed by its corners (4, 3) in the world.

    The sensor lies below the surface, whichever sign a file gives `origin_m`.
    """
    x = unit(corners_m[0] - corners_m[1])
    z = unit(np.cross(x, corners_m[0] - corners_m[3]))
    rotation = np.stack([x, np.cross(z, x), z], axis=-1)
    centre = corners_m.mean(axis=0)
    if kind == 1:
        below = np.zeros(3)
    elif kind == 3:
        below = np.array([0.0, 0.0, abs(origin_m[2])])
    else:
        below = origin_m if origin_m[2] >= 0 else -origin_m
    return Plate(name, rotation, centre + rotation @ below, corners_m)


def on_plate(plate: Plate, loads: Floats) -> Floats:
    """Return loads (n, 6) as what acts on the plate: people press it down.

    Raises
    ------
    PlateError
        The greatest force is along the surface: channels are out of order.
    """
    force = loads[:, :3]
    if not np.isfinite(force).any() or np.nanmax(np.abs(force)) == 0:
        return loads
    largest = np.nanmax(np.abs(force), axis=0)
    world = np.abs(plate.rotation @ np.diag(largest)).max(axis=1)
    if world[2] < max(world[:2]) and largest.max() > 100:
        raise PlateError(
            f"plate {plate.name}: the greatest force, {largest.max():.0f} N, is "
            "horizontal; its channels are out of order"
        )
    vertical = force @ plate.rotation.T[:, 2]
    peak = vertical[np.nanargmax(np.abs(vertical))]
    return -loads if peak > 0 else loads


def moved(plate: Plate, other: Plate) -> Plate:
    """Return a plate in the place of another, keeping its name and its sensor."""
    sensor = (plate.origin_m - plate.corners_m.mean(axis=0)) @ plate.rotation
    centre = other.corners_m.mean(axis=0)
    return replace(other, name=plate.name, origin_m=centre + other.rotation @ sensor)
