"""From what a plate measures to what the person feels: world axes, pressure centre.

A plate reports the force on itself, in its own axes, with moments about its own
origin, and a pose that was surveyed once. When the deck tilts, that pose turns with
it about the deck's pivot.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquire.gait.vectors import cross

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plate:
    """One force plate as surveyed.

    `rotation`, shape (3, 3), has the plate's axes in world coordinates as columns;
    `origin_m`, shape (3,), and `corners_m`, shape (4, 3), are world points, all with
    the deck at `pose_incline_deg`.
    """

    name: str
    rotation: Floats
    origin_m: Floats
    corners_m: Floats
    pose_incline_deg: float = 0.0

    @property
    def corners_plate_m(self) -> Floats:
        """The corners in plate axes, shape (4, 3)."""
        return (self.corners_m - self.origin_m) @ self.rotation

    @property
    def surface_z_m(self) -> float:
        """Height of the belt surface along the plate's z."""
        return float(self.corners_plate_m[:, 2].mean())


@dataclass(frozen=True, eq=False)
class Deck:
    """How plates move: angle (n,) in degrees, positive with the +x end up."""

    incline_deg: Floats
    pivot_m: Floats
    plates_follow_deck: bool = True

    def turn(self, pose_incline_deg: float) -> Floats:
        """Return rotations from the surveyed pose to each instant, shape (n, 3, 3)."""
        angle = np.deg2rad(self.incline_deg - pose_incline_deg)
        if not self.plates_follow_deck:
            angle = np.zeros_like(angle)
        turn = np.zeros((angle.size, 3, 3))
        turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
        turn[:, 2, 0] = np.sin(angle)
        turn[:, 0, 2] = -np.sin(angle)
        turn[:, 1, 1] = 1.0
        return turn


@dataclass(frozen=True, eq=False)
class GroundReaction:
    """What one plate did to the person, in world axes.

    `force_n` (n, 3) acts on the person; `cop_m` (n, 3) lies on the belt surface and is
    NaN while less than the gate is on the plate; `free_moment_nm` (n,) is the
    plate's own about its surface normal, on the person; `inside` (n,) tells whether
    the centre of pressure lies within the corners (False where it is NaN).
    `moment_nm` (n, 3) is that of the whole load about the world's origin, `centre_m`
    (n, 3) the middle of the surface.
    """

    force_n: Floats
    cop_m: Floats
    free_moment_nm: Floats
    inside: NDArray[np.bool_]
    moment_nm: Floats
    centre_m: Floats


def ground_reaction(
    plate: Plate, loads: Floats, deck: Deck, *, gate_n: float = 20.0
) -> GroundReaction:
    """Turn plate loads into the reaction on the person.

    `loads`, shape (n, 6): Fx Fy Fz in N and Mx My Mz in N·m on the plate, in plate
    axes, about the plate origin. Without `gate_n` along the surface normal there is no
    centre of pressure.
    """
    if loads.ndim != 2 or loads.shape[1] != 6:
        raise ValueError(
            f"plate {plate.name}: loads have shape {loads.shape}, not (n, 6)"
        )
    force, moment = loads[:, :3], loads[:, 3:]
    fz = np.where(np.abs(force[:, 2]) >= gate_n, force[:, 2], np.nan)
    height = plate.surface_z_m
    x = (height * force[:, 0] - moment[:, 1]) / fz
    y = (moment[:, 0] + height * force[:, 1]) / fz
    spot = np.column_stack([x, y, np.full_like(x, height)])
    free = moment[:, 2] - x * force[:, 1] + y * force[:, 0]
    turn = deck.turn(plate.pose_incline_deg)
    surveyed = spot @ plate.rotation.T + plate.origin_m
    reaction = -_turned(turn, force @ plate.rotation.T)
    origin, centre = (
        turn @ (point - deck.pivot_m) + deck.pivot_m
        for point in (plate.origin_m, plate.corners_m.mean(axis=0))
    )
    return GroundReaction(
        force_n=reaction,
        cop_m=_turned(turn, surveyed - deck.pivot_m) + deck.pivot_m,
        free_moment_nm=-free,
        inside=within(spot[:, :2], plate.corners_plate_m[:, :2]),
        moment_nm=cross(origin, reaction) - _turned(turn, moment @ plate.rotation.T),
        centre_m=centre,
    )


def to_plate_m(plate: Plate, points_m: Floats, deck: Deck) -> Floats:
    """Return world points (n, 3) in the plate's axes at each instant, shape (n, 3)."""
    back = np.swapaxes(deck.turn(plate.pose_incline_deg), 1, 2)
    surveyed = _turned(back, points_m - deck.pivot_m) + deck.pivot_m
    return (surveyed - plate.origin_m) @ plate.rotation


def within(points: Floats, corners: Floats, margin_m: float = 0.0) -> NDArray[np.bool_]:
    """Tell which points (n, 2) lie in the rectangle of `corners` (4, 2), or near it.

    The corners may come in any order; their sides run along the plate's axes.
    """
    low, high = corners.min(axis=0) - margin_m, corners.max(axis=0) + margin_m
    return np.asarray(np.all((points >= low) & (points <= high), axis=1))


def swing_offset(
    loads: Floats, rate_hz: float, *, floor_limit_n: float = 60.0
) -> Floats | None:
    """Return the plate's zero, shape (6,), from the time nobody stands on it.

    The unloaded level is the lowest tenth of Fz; samples within 30 ms of a load are
    left out. None where the plate is never unloaded for 0.2 s in all, or where its
    lowest level is beyond `floor_limit_n` and therefore somebody's weight.
    """
    pressed = np.abs(loads[:, 2]) if np.median(loads[:, 2]) < 0 else loads[:, 2]
    finite = np.isfinite(loads).all(axis=1)
    if finite.sum() < 0.2 * rate_hz:
        return None
    floor = float(np.percentile(pressed[finite], 10))
    if abs(floor) > floor_limit_n:
        return None
    near = round(0.03 * rate_hz)
    loaded = ~finite | (pressed > floor + 20.0)
    loaded = np.convolve(loaded, np.ones(2 * near + 1), "same") > 0.5
    if (~loaded).sum() < 0.2 * rate_hz:
        return None
    return np.asarray(np.median(loads[~loaded], axis=0))


def _turned(turn: Floats, vectors: Floats) -> Floats:
    return np.asarray(np.einsum("nij,nj->ni", turn, vectors))
