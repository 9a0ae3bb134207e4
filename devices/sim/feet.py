"""Where the feet are in the world, from the walk's rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim import pattern
from devices.sim.anatomy import Anatomy
from devices.sim.foot import lift, pitch_rad, roll
from devices.sim.vectors import columns, cross, stacked, tilted, tilted_direction, turn
from devices.sim.walk import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Feet:
    """Both feet at n instants; left first on axis 1. Metres, world axes."""

    axes: Array  #: (n, 2, 3, 3) columns x forward along the sole, y left, z up
    ankle: Array  #: (n, 2, 3)
    toe: Array  #: (n, 2, 3) marker
    heel: Array  #: (n, 2, 3) marker
    contact: Array  #: (n, 2, 3) centre of pressure, on the belt
    yaw_rad: Array  #: (n, 2)


def lift_m(speed_mps: Array) -> Array:
    """Return the extra height of a foot in swing."""
    height: Array = 0.030 + 0.018 * pattern.vigour(speed_mps, 0.6)
    return height


def pose_feet(anatomy: Anatomy, pivot: Array, rows: Rows) -> Feet:
    """Roll, lift and turn the feet, then tilt the deck under them."""
    cycle = rows.cycle
    duty = pattern.duty(rows.speed_mps)
    gait, speed, slope = rows.gait, rows.speed_mps, rows.slope_deg
    strike = np.radians(pattern.strike_pitch_deg(speed, slope)) * gait
    off = np.radians(pattern.off_pitch_deg(speed, slope)) * gait
    pitch = np.stack(
        [pitch_rad(cycle[:, side], duty, strike, off) for side in (0, 1)], axis=-1
    )
    rolled = roll(anatomy.sole, anatomy.ankle_height_m, pitch, rows.swing)
    yaw = rows.place[..., 2]
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    flat = np.zeros_like(yaw)
    raised = rolled.height_m + lift_m(speed)[:, None] * lift(rows.swing)
    ankle = _along(rows.place, cy, sy, rolled.ahead_m, raised)
    progress = _pressure_progress(cycle / duty[:, None])
    pressure = (1 - progress) * rolled.heel_contact_m + progress * rolled.ball_contact_m
    contact = _along(rows.place, cy, sy, pressure, flat)
    incline = rows.incline_rad[:, None]
    x = tilted_direction(stacked(cy * cp, sy * cp, sp), incline)
    y = stacked(-sy, cy, flat)
    y = tilted_direction(y, incline)
    axes = columns(x, y, cross(x, y))
    ankle = tilted(ankle, pivot, incline)
    return Feet(
        axes,
        ankle,
        ankle + turn(axes, anatomy.toe - anatomy.ankle),
        ankle + turn(axes, anatomy.heel - anatomy.ankle),
        tilted(contact, pivot, incline),
        yaw,
    )


def _along(place: Array, cy: Array, sy: Array, ahead: Array, height: Array) -> Array:
    x = place[..., 0] + cy * ahead
    return np.stack([x, place[..., 1] + sy * ahead, height], axis=-1)


def _pressure_progress(stance: Array) -> Array:
    """Return where the pressure is, 0 heel to 1 ball, by the progress of stance."""
    u = np.clip((stance - 0.05) / (0.66 - 0.05), 0.0, 1.0)
    moved: Array = u * u * (3 - 2 * u)
    return moved
