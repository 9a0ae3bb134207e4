"""Joint forces and moments by Newton and Euler, from the ground up.

Segments have Vicon's published masses and radii of gyration (about the centre of
mass, none about the long axis). Moments are those the person's own tissue exerts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_coeffs

from acquire.gait.feet import FootLoad, Side
from acquire.gait.segments import Calibration, Segments, corrected_foot
from acquire.gait.vectors import cross, into, out_of

Floats = NDArray[np.float64]
Joint = Literal["Ankle", "Knee", "Hip"]
JOINTS: Final[tuple[Joint, ...]] = ("Ankle", "Knee", "Hip")
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
class JointLoad:
    """What acts on the distal segment at its proximal joint; each (n, 3), (n,).

    Force in N/kg and moment in N·m/kg in the axes of the distal segment (`axes`,
    (n, 3, 3)); power in W/kg.
    """

    force: Floats
    moment: Floats
    power: Floats


@dataclass(frozen=True, eq=False)
class _Body:
    """One segment in motion."""

    axes: Floats
    proximal_m: Floats
    centre_m: Floats
    length_m: float
    long_axis: int
    inertia: Inertia


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
    if len(values) <= 2 * frames:  # one product is quicker than many windows
        return np.asarray(_matrix(smoothing, rate_hz, order, len(values)) @ values)
    weights = _weights(smoothing, rate_hz, order)
    found = np.empty_like(values)
    windows = np.lib.stride_tricks.sliding_window_view(values, frames, axis=0)
    found[half : len(values) - half] = windows @ weights[half]
    found[:half] = weights[:half] @ values[:frames]
    found[len(values) - half :] = weights[half + 1 :] @ values[-frames:]
    return found


@lru_cache(maxsize=64)
def _matrix(smoothing: Smoothing, rate_hz: float, order: int, n: int) -> Floats:
    """Return the derivative of n rows as a matrix, shape (n, n)."""
    weights = _weights(smoothing, rate_hz, order)
    frames, half = smoothing.frames, smoothing.frames // 2
    made = np.zeros((n, n))
    for row in range(n):
        first = min(max(row - half, 0), n - frames)
        made[row, first : first + frames] = weights[row - first]
    return made


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


def angular_velocity(axes: Floats, rate_hz: float, smoothing: Smoothing) -> Floats:
    """Return angular velocities in world axes, rad/s, of frames (n, ..., 3, 3)."""
    flat = axes.reshape(len(axes), -1)
    rate = derivative(flat, rate_hz, smoothing).reshape(axes.shape)
    spin = rate @ np.swapaxes(axes, -1, -2)
    found = np.empty(axes.shape[:-1])
    found[..., 0] = spin[..., 2, 1] - spin[..., 1, 2]
    found[..., 1] = spin[..., 0, 2] - spin[..., 2, 0]
    found[..., 2] = spin[..., 1, 0] - spin[..., 0, 1]
    return 0.5 * found


def leg_loads(
    segments: Segments,
    calibration: Calibration,
    side: Side,
    ground: FootLoad,
    mass_kg: float,
    rate_hz: float,
    smoothing: Smoothing = FILTERED,
    pelvis_turning: Floats | None = None,
) -> Mapping[Joint, JointLoad]:
    """Return the loads of ankle, knee and hip of one leg, per body mass.

    `ground` is what acts on the foot at every marker frame; `pelvis_turning` (n, 3)
    the pelvis' angular velocity, computed here unless it is known.
    """
    if pelvis_turning is None:
        pelvis_turning = angular_velocity(segments.pelvis, rate_hz, smoothing)
    bodies = _bodies(segments, calibration, side)
    order = list(bodies.values())
    # All three segments at once: while frames come in, calls are what takes time.
    turn = angular_velocity(
        np.stack([body.axes for body in order], axis=1), rate_hz, smoothing
    )
    flat = turn.reshape(len(turn), -1)
    change = derivative(flat, rate_hz, smoothing).reshape(turn.shape)
    centres = np.concatenate([body.centre_m for body in order], axis=1)
    pulls = derivative(centres, rate_hz, smoothing, 2).reshape(turn.shape)
    turning = {joint: turn[:, k] for k, joint in enumerate(bodies)}
    turning_above = {
        "Ankle": turning["Knee"],
        "Knee": turning["Hip"],
        "Hip": pelvis_turning,
    }
    force, moment = ground.force_n, ground.moment_nm
    down = np.array([0.0, 0.0, -GRAVITY_MPS2])
    found: dict[Joint, JointLoad] = {}
    for k, (joint, body) in enumerate(bodies.items()):
        spin = turning[joint]
        mass = body.inertia.mass * mass_kg
        at_joint = mass * (pulls[:, k] - down) - force
        torque = (
            _euler(body, mass, spin, change[:, k])
            - (moment - cross(body.centre_m, force))
            - cross(body.proximal_m - body.centre_m, at_joint)
        )
        found[joint] = JointLoad(
            into(body.axes, at_joint / mass_kg),
            into(body.axes, torque / mass_kg),
            np.asarray(
                np.einsum("ni,ni->n", torque, spin - turning_above[joint]) / mass_kg
            ),
        )
        force = -at_joint
        moment = -torque - cross(body.proximal_m, at_joint)
    return found


def _bodies(
    segments: Segments, calibration: Calibration, side: Side
) -> dict[Joint, _Body]:
    """Return foot, shank and thigh by their proximal joint, from the ground up."""
    leg, offsets = segments.leg(side), calibration.foot(side)
    foot = corrected_foot(leg.foot_line, offsets, side)
    return {
        "Ankle": _Body(
            foot,
            leg.ankle_m,
            leg.ankle_m - foot[..., 2] * (FOOT.centre * offsets.length_m),
            offsets.length_m,
            2,
            FOOT,
        ),
        "Knee": _limb(leg.shank, leg.knee_m, leg.ankle_m, SHANK),
        "Hip": _limb(leg.thigh, leg.hip_m, leg.knee_m, THIGH),
    }


def _limb(axes: Floats, top_m: Floats, bottom_m: Floats, inertia: Inertia) -> _Body:
    length = float(np.nanmean(np.linalg.norm(top_m - bottom_m, axis=-1)))
    centre = top_m + (bottom_m - top_m) * inertia.centre
    return _Body(axes, top_m, centre, length, 2, inertia)


def _euler(body: _Body, mass_kg: float, spin: Floats, change: Floats) -> Floats:
    """Return the rate of change of angular momentum about the centre, N·m, (n, 3)."""
    about = np.full(3, mass_kg * (body.inertia.radius * body.length_m) ** 2)
    about[body.long_axis] = 0.0
    own, turned = into(body.axes, spin), into(body.axes, change)
    return out_of(body.axes, about * turned + cross(own, about * own))
