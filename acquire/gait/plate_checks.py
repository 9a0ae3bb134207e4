"""Plates that cannot be where, or as, a recording says they are."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import Side, to_segment
from acquire.gait.plate_types import PlateError, moved
from acquire.gait.plates import Deck, GroundReaction, Plate, ground_reaction

Floats = NDArray[np.float64]

FAR_M = 0.15  #: pressure this far from every foot belongs elsewhere
NEAR_M = 0.08
LEAST_INSIDE = 0.5
MOST_PLATES = 4


def check_plates(
    plates: Sequence[Plate],
    loads: Sequence[Floats],
    feet_m: Mapping[Side, Floats],
    deck: Deck,
    where: str,
) -> None:
    """Raise `PlateError` where pressure is not on its plate, or under no foot.

    `loads` (n, 6) act on the plates, `feet_m` holds heel and toe at the same times,
    shape (n, 2, 3).
    """
    reactions = [
        ground_reaction(plate, load, deck)
        for plate, load in zip(plates, loads, strict=True)
    ]
    used = [k for k, r in enumerate(reactions) if np.isfinite(r.cop_m[:, 0]).any()]
    for k in used:
        pressed = np.isfinite(reactions[k].cop_m[:, 0])
        share = float(reactions[k].inside[pressed].mean())
        if share < LEAST_INSIDE:
            raise PlateError(
                f"{where}: the centre of pressure of plate {plates[k].name} is off its "
                f"surface for {1 - share:.0%} of the time; its corners, origin or "
                "channels are not in order"
            )
    if not feet_m or len(used) < 2 or len(used) > MOST_PLATES:
        return
    given = max(_distance(reactions[k], feet_m) for k in used)
    if given <= FAR_M:
        return
    for order in permutations(used):
        if list(order) == used:
            continue
        tried = [
            ground_reaction(moved(plates[k], plates[place]), loads[k], deck)
            for k, place in zip(used, order, strict=True)
        ]
        if max(_distance(reaction, feet_m) for reaction in tried) < NEAR_M:
            places = ", ".join(
                f"{plates[k].name} lies where {plates[place].name} should be"
                for k, place in zip(used, order, strict=True)
                if k != place
            )
            raise PlateError(
                f"{where}: the plates are out of order: by the feet above them, "
                f"{places}"
            )


def _distance(reaction: GroundReaction, feet_m: Mapping[Side, Floats]) -> float:
    """Return how far the pressure usually is from the nearest foot, in m."""
    apart = [to_segment(reaction.cop_m, feet) for feet in feet_m.values()]
    nearest = np.fmin.reduce(apart)
    finite = nearest[np.isfinite(nearest)]
    return float(np.median(finite)) if finite.size else 0.0
