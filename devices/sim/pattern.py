"""How walking depends on speed and slope.

Stride rate follows the invariant walk ratio (step length over step rate, Sekiya and
Nagasaki 1998; a little smaller on a treadmill), down to a floor for slow steps. The
share of stance falls with speed from 0.71 to 0.61 (Murray 1984, Stoquart 2008). All
functions take and return arrays (n,); speeds in m/s along the way the person faces,
slopes in degrees, positive uphill.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: step length over step rate, m per (steps/min), for a leg of 0.94 m
WALK_RATIO = 0.0060
MIN_STRIDE_HZ = 0.42
#: hip ahead of the ankles when standing, m
STAND_AHEAD_M = 0.045


def stride_hz(speed_mps: Array, slope_deg: Array, leg_m: float) -> Array:
    """Return strides per second."""
    ratio = WALK_RATIO * (leg_m / 0.94) ** 1.5 * (1 + 0.012 * slope_deg)
    hz = np.sqrt(60 * np.abs(speed_mps) / ratio) / 120
    smooth: Array = np.sqrt(hz**2 + MIN_STRIDE_HZ**2 * np.exp(-2 * (hz / 0.5) ** 2))
    return smooth


def duty(speed_mps: Array) -> Array:
    """Return the share of the cycle that a foot is on the ground."""
    v = np.minimum(np.abs(speed_mps), 2.2)
    share: Array = 0.71 - 0.098 * v + 0.022 * v**2
    return share


def vigour(speed_mps: Array, scale_mps: float) -> Array:
    """Return 0 at rest to 1 when fast; 0 when walking backwards."""
    v = np.maximum(speed_mps, 0.0)
    grown: Array = 1 - np.exp(-(v**2) / (scale_mps * (v + 0.15)))
    return grown


def step_ahead_m(speed_mps: Array, slope_deg: Array) -> Array:
    """Return how far the ankle's mean place in stance lies before the hip."""
    further = 0.062 - 0.005 * np.maximum(slope_deg, 0.0)
    back: Array = -STAND_AHEAD_M - further * vigour(speed_mps, 0.4)
    return back


def strike_pitch_deg(speed_mps: Array, slope_deg: Array) -> Array:
    """Return the toe-up angle of the foot to the deck when it lands."""
    angle: Array = (20 - 0.5 * np.abs(slope_deg)) * vigour(speed_mps, 0.5)
    return angle


def off_pitch_deg(speed_mps: Array, slope_deg: Array) -> Array:
    """Return the toe-down angle of the foot to the deck when it leaves."""
    angle: Array = (57 + 0.4 * slope_deg) * vigour(speed_mps, 0.38)
    return angle


def strike_knee_deg(speed_mps: Array, slope_deg: Array) -> Array:
    """Return the knee flexion intended at landing."""
    up, down = np.maximum(slope_deg, 0.0), np.maximum(-slope_deg, 0.0)
    angle: Array = 4.0 + 1.7 * up + 0.3 * down + 0.0 * speed_mps
    return angle


def mid_knee_deg(speed_mps: Array, slope_deg: Array) -> Array:
    """Return the knee flexion intended in mid-stance."""
    up, down = np.maximum(slope_deg, 0.0), np.maximum(-slope_deg, 0.0)
    angle: Array = 5.5 + 8 * vigour(speed_mps, 0.6) + 1.0 * up + 1.0 * down
    return angle


def trail_knee_deg(speed_mps: Array, slope_deg: Array) -> Array:
    """Return the knee flexion intended late in stance."""
    down = np.maximum(-slope_deg, 0.0)
    angle: Array = 3.5 + 1.5 * down + 0.0 * speed_mps
    return angle
