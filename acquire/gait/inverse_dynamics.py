"""Joint forces and moments by Newton and Euler, from the ground up.

Segments have Vicon's published masses and radii of gyration (about the centre of
mass, none about the long axis). Moments are those the person's own tissue exerts.
Both legs are computed together, as arrays (n, 2, 3, ...): left first, and of each the
foot, the shank and the thigh, whose proximal joints are ankle, knee and hip.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_coeffs

from acquire.gait.segments import Calibration, Segments
from acquire.gait.vectors import cross, into, out_of

Floats = NDArray[np.float64]
JOINTS: Final = ("Ankle", "Knee", "Hip")
GRAVITY_MPS2: Final = 9.81


@dataclass(frozen=True, slots=True)
class Inertia:
    """A segment's share of body mass, centre of mass and radius of gyration.

    `centre` is the distance from the proximal end and `radius` the radius about
    either short axis, both as shares of the segment's length.
    """

    mass: float
    centre: float
    radius: float


FOOT = Inertia(0.0145, 0.5, 0.690)
SHANK = Inertia(0.0465, 0.433, 0.528)
THIGH = Inertia(0.1, 0.433, 0.540)
BODIES: Final = (FOOT, SHANK, THIGH)
MASSES: Final = np.array([body.mass for body in BODIES])
CENTRES: Final = np.array([[body.centre] for body in BODIES])
RADII: Final = np.array([body.radius for body in BODIES])
SHORT_AXES: Final = np.array([1.0, 1.0, 0.0])  #: z is every segment's long axis
WEIGHT: Final = np.array([0.0, 0.0, GRAVITY_MPS2])


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How derivatives are taken: a polynomial of `order` over `frames` frames.

    Nine frames suit markers that were filtered already; markers as a camera sends
    them, with 0.2 mm of noise and more, need 21 (0.1 s on either side at 100 Hz).
    """

    frames: int = 9
    order: int = 4


FILTERED = Smoothing()
RAW = Smoothing(21, 4)


@dataclass(frozen=True, eq=False)
class Bodies:
    """The legs' rigid segments at every frame.

    `axes` (n, 2, 3, 3, 3), proximal joints and centres of mass (n, 2, 3, 3) in m,
    `lengths_m` (n, 2, 3).
    """

    axes: Floats
    proximal_m: Floats
    centres_m: Floats
    lengths_m: Floats


@dataclass(frozen=True, eq=False)
class Motion:
    """How they move, in world axes.

    `spin` (n, 2, 4, 3) in rad/s is that of the three segments and of the pelvis above,
    `turning` (n, 2, 3, 3) in rad/s² and `pull` (n, 2, 3, 3) in m/s² are accelerations.
    """

    spin: Floats
    turning: Floats
    pull: Floats


@dataclass(frozen=True, eq=False)
class JointLoads:
    """What acts on each distal segment at its proximal joint, per body mass.

    `force` in N/kg and `moment` in N·m/kg, (n, 2, 3, 3), in the axes of the distal
    segment; `power` in W/kg, (n, 2, 3).
    """

    force: Floats
    moment: Floats
    power: Floats


def derivative(
    values: Floats, rate_hz: float, smoothing: Smoothing, order: int = 1
) -> Floats:
    """Return the derivative of rows (n, k) in time; NaN near gaps.

    Within half a window of the ends the polynomial of the outermost window holds.

    Raises
    ------
    ValueError
        There are fewer rows than the smoothing spans.
    """
    frames, half = smoothing.frames, smoothing.frames // 2
    if len(values) < frames:
        raise ValueError(
            f"the recording has {len(values)} frames; derivatives span {frames}"
        )
    weights = _weights(smoothing, rate_hz, order)
    found = np.empty_like(values)
    windows = np.lib.stride_tricks.sliding_window_view(values, frames, axis=0)
    found[half : len(values) - half] = windows @ weights[half]
    found[:half] = weights[:half] @ values[:frames]
    found[len(values) - half :] = weights[half + 1 :] @ values[-frames:]
    return found


@lru_cache(maxsize=64)
def _weights(smoothing: Smoothing, rate_hz: float, order: int) -> Floats:
    """Return what a window's rows count in the derivative at each of its places."""
    return np.stack(
        [
            savgol_coeffs(
                smoothing.frames,
                smoothing.order,
                deriv=order,
                delta=1 / rate_hz,
                pos=place,
                use="dot",
            )
            for place in range(smoothing.frames)
        ]
    )


def middle_weights(smoothing: Smoothing, rate_hz: float) -> Floats:
    """Return what a window's frames count in the first and second derivative.

    Those at its middle frame, shape (2, frames).
    """
    half = smoothing.frames // 2
    return np.stack([_weights(smoothing, rate_hz, order)[half] for order in (1, 2)])


def angular_velocity(axes: Floats, rate_hz: float, smoothing: Smoothing) -> Floats:
    """Return angular velocities in world axes, rad/s, of frames (n, ..., 3, 3)."""
    flat = axes.reshape(len(axes), -1)
    return turning(derivative(flat, rate_hz, smoothing).reshape(axes.shape), axes)


def turning(change: Floats, axes: Floats) -> Floats:
    """Return how frames (..., 3, 3) turn, (..., 3), from their derivative in time.

    Of the first derivative this is the angular velocity, of the second the angular
    acceleration, in world axes.
    """
    turn = change @ np.swapaxes(axes, -1, -2)
    found = np.empty(axes.shape[:-1])
    np.subtract(turn[..., 2, 1], turn[..., 1, 2], out=found[..., 0])
    np.subtract(turn[..., 0, 2], turn[..., 2, 0], out=found[..., 1])
    np.subtract(turn[..., 1, 0], turn[..., 0, 1], out=found[..., 2])
    found *= 0.5
    return found


def bodies(segments: Segments, calibration: Calibration) -> Bodies:
    """Return the rigid segments of the legs."""
    n = len(segments.pelvis)
    axes = np.empty((n, 2, 3, 3, 3))
    axes[:, :, 0] = segments.feet(calibration)
    axes[:, :, 1:] = segments.axes[:, :, 1::-1]
    tops = segments.joints_m[:, :, ::-1]
    along = np.empty((n, 2, 3, 3))
    along[:, :, 0] = -axes[:, :, 0, :, 2] * _foot_lengths(calibration)
    along[:, :, 1:] = tops[:, :, :2] - tops[:, :, 1:]
    lengths = np.sqrt(np.einsum("...i,...i->...", along, along))
    return Bodies(axes, tops, tops + CENTRES * along, lengths)


@lru_cache(maxsize=8)
def _foot_lengths(calibration: Calibration) -> Floats:
    return np.array([[calibration.left.length_m], [calibration.right.length_m]])


def motion(
    pelvis: Floats, legs: Bodies, rate_hz: float, smoothing: Smoothing
) -> Motion:
    """Return how the segments move, from all frames; `pelvis` is (n, 3, 3)."""
    n = len(pelvis)
    rows = np.concatenate(
        [pelvis.reshape(n, 9), legs.axes.reshape(n, 54), legs.centres_m.reshape(n, 18)],
        axis=1,
    )
    return motion_of(
        pelvis,
        legs,
        derivative(rows[:, :63], rate_hz, smoothing),
        derivative(rows[:, 9:], rate_hz, smoothing, 2),
    )


def motion_of(pelvis: Floats, legs: Bodies, first: Floats, second: Floats) -> Motion:
    """Return how the segments move, from derivatives in time.

    `first` (n, 63) is that of the axes of pelvis and segments, `second` (n, 72) the
    second one of the axes and centres of the segments.
    """
    n = len(pelvis)
    spin = np.empty((n, 2, 4, 3))
    spin[:, :, :3] = turning(first[:, 9:].reshape(legs.axes.shape), legs.axes)
    spin[:, :, 3] = turning(first[:, :9].reshape(n, 3, 3), pelvis)[:, None]
    return Motion(
        spin,
        turning(second[:, :54].reshape(legs.axes.shape), legs.axes),
        second[:, 54:].reshape(n, 2, 3, 3),
    )


def joint_loads(
    legs: Bodies,
    moving: Motion,
    force_n: Floats,
    moment_nm: Floats,
    mass_kg: float,
    lengths_m: Floats | None = None,
) -> JointLoads:
    """Return the loads of ankles, knees and hips.

    `force_n` and `moment_nm` (n, 2, 3) act on the feet, the moment about the world's
    origin. `lengths_m` (2, 3) are the segments' where they are known better than as
    means over the frames.
    """
    if lengths_m is None:
        lengths_m = np.nanmean(legs.lengths_m, axis=0)
    masses = MASSES * mass_kg
    about = (masses * (RADII * lengths_m) ** 2)[..., None] * SHORT_AXES
    spin = into(legs.axes, moving.spin[:, :, :3])
    gained = out_of(
        legs.axes,
        about * into(legs.axes, moving.turning) + cross(spin, about * spin),
    )
    weights = masses[:, None] * (moving.pull + WEIGHT)
    # Of each segment and all below: what its proximal joint must add to the ground's.
    force = np.cumsum(weights, axis=2) - force_n[:, :, None]
    about_origin = np.cumsum(gained + cross(legs.centres_m, weights), axis=2)
    moment = about_origin - moment_nm[:, :, None] - cross(legs.proximal_m, force)
    relative = moving.spin[:, :, :3] - moving.spin[:, :, 1:]
    return JointLoads(
        into(legs.axes, force) / mass_kg,
        into(legs.axes, moment) / mass_kg,
        np.einsum("...i,...i->...", moment, relative) / mass_kg,
    )
