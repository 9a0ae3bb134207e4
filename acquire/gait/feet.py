"""Whose foot a contact was: decided by where markers are, never by a plate's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acquire.gait.contacts import Contact
from acquire.gait.plates import Deck, GroundReaction, Plate, to_plate_m, within
from acquire.gait.vectors import cross

Floats = NDArray[np.float64]
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")
FOOT_MARKERS: Mapping[Side, tuple[str, str]] = {
    "left": ("LHEE", "LTOE"),
    "right": ("RHEE", "RTOE"),
}

REACH_M = 0.25  #: a pressure centre further than this from a foot is not under it
GAP_MARGIN_M = 0.02  #: a foot this far past the belt's edge stands on the other belt
SHARED_S = 0.05
LOW_M = 0.08
AT_REST_MPS = 0.4


@dataclass(frozen=True, slots=True)
class Step:
    """A contact with its foot; `side` None where no foot is near.

    `crossover` is True while the other foot, too, is down over the same plate, so that
    the plate's force is not one foot's.
    """

    plate: int
    contact: Contact
    side: Side | None
    crossover: bool = False


def assign_contact(
    contact: Contact,
    index: int,
    plate: Plate,
    reaction: GroundReaction,
    feet_m: Mapping[Side, Floats],
    deck: Deck,
    rate_hz: float,
) -> Step:
    """Return whose foot a contact on one plate was.

    `feet_m` holds heel and toe of each side at every force sample, shape (n, 2, 3),
    NaN where occluded. The foot whose heel-toe line passes nearest to the centre of
    pressure over the contact (median) wins.
    """
    inside = slice(contact.first, contact.last)
    spot = reaction.cop_m[inside]
    distance = {
        side: _median(to_segment(spot, feet[inside])) for side, feet in feet_m.items()
    }
    near = [side for side, d in distance.items() if np.isfinite(d) and d <= REACH_M]
    if not near:
        return Step(index, contact, None)
    side = min(near, key=distance.__getitem__)
    others = [feet[inside] for other, feet in feet_m.items() if other != side]
    own = feet_m[side][inside]
    here = Deck(deck.incline_deg[inside], deck.pivot_m, deck.plates_follow_deck)
    shared = any(
        stands_too(feet, own, plate, here, rate_hz).sum() >= SHARED_S * rate_hz
        for feet in others
    )
    return Step(index, contact, side, shared)


@dataclass(frozen=True, eq=False)
class FootLoad:
    """What the ground does to one foot, world axes, shape (n, 3) each.

    Zero in swing, NaN where it is not known. `moment_nm` is about the world's origin,
    `plate_moment_nm` about the centre of the plate's surface.
    """

    force_n: Floats
    moment_nm: Floats
    plate_moment_nm: Floats


def foot_load(
    steps: list[Step], reactions: list[GroundReaction], side: Side, tail: int
) -> FootLoad:
    """Return what the plates do to one foot at every force sample.

    A contact is followed at most `tail` samples beyond its thresholds, down to where
    its force no longer shrinks.
    """
    force, moment, local = (np.zeros_like(reactions[0].force_n) for _ in range(3))
    for step in steps:
        if step.side != side:
            continue
        reaction = reactions[step.plate]
        part = _follow(reaction.force_n[:, 2], step.contact, tail)
        force[part] += reaction.force_n[part]
        moment[part] += reaction.moment_nm[part]
        local[part] += reaction.moment_nm[part] - cross(
            reaction.centre_m[part], reaction.force_n[part]
        )
    return FootLoad(force, moment, local)


def _follow(vertical: Floats, contact: Contact, tail: int) -> slice:
    first, last = contact.first, contact.last
    limit = max(first - tail, 0)
    while first > limit and 0 < vertical[first - 1] < vertical[first]:
        first -= 1
    limit = min(last + tail, vertical.size)
    while last < limit and 0 < vertical[last] < vertical[last - 1]:
        last += 1
    return slice(first, last)


def to_segment(points: Floats, feet: Floats) -> Floats:
    """Horizontal distance from points (n, 3) to heel-toe segments (n, 2, 3)."""
    heel, toe = feet[:, 0, :2], feet[:, 1, :2]
    along = toe - heel
    length = np.einsum("ni,ni->n", along, along)
    share = np.einsum("ni,ni->n", points[:, :2] - heel, along) / length
    foot = heel + np.clip(share, 0.0, 1.0)[:, None] * along
    return np.asarray(np.linalg.norm(points[:, :2] - foot, axis=1))


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def stands_too(
    feet: Floats, standing: Floats, plate: Plate, deck: Deck, rate_hz: float
) -> NDArray[np.bool_]:
    """Tell when a whole foot, too, is over the plate, low, and at rest on it, (n,).

    At rest is what moves like the foot that stands there: a foot that swings past low
    is much faster. Both feet have shape (n, 2, 3).
    """
    corners = plate.corners_plate_m
    local = [to_plate_m(plate, feet[:, k], deck) for k in range(2)]
    over = [within(p[:, :2], corners[:, :2], -GAP_MARGIN_M) for p in local]
    height = [np.abs(p[:, 2] - plate.surface_z_m) for p in local]
    low = np.fmin(height[0], height[1]) < LOW_M
    there = np.asarray(over[0] & over[1] & low)
    if len(feet) < 3 or not there.any():
        return there
    speeds = [
        np.linalg.norm(np.gradient(feet[:, k] - standing[:, j], axis=0), axis=1)
        for k in range(2)
        for j in range(2)
    ]
    return np.asarray(there & (np.fmin.reduce(speeds) * rate_hz < AT_REST_MPS))
