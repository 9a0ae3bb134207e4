"""Plates that cannot be where, or as, a recording says they are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from acquire.gait.cycles import StrideRules
from acquire.gait.feet import Side, to_segment
from acquire.gait.plate_types import PlateError, moved, on_plate
from acquire.gait.plates import Deck, GroundReaction, Plate, ground_reaction
from acquire.gait.trial import (
    STRIDE_RULES,
    GaitInput,
    GaitResult,
    analyse,
    feet_at,
)

Floats = NDArray[np.float64]

FAR_M = 0.15  #: pressure this far from every foot belongs elsewhere
NEAR_M = 0.08
LEAST_INSIDE = 0.5
MOST_PLATES = 4
MOST_TILT_DEG = 1.5  #: between gravity and the mean force of whole strides
MOST_WEIGHT_ERROR = 0.05


def analyse_checked(
    given: GaitInput, stride_rules: StrideRules = STRIDE_RULES
) -> GaitResult:
    """Analyse a trial on plates that carry the person all along, and judge the plates.

    A plate whose signs are reversed is turned; plates that cannot be where they are
    said to be are not used, so that events come from markers. Remarks say so, and what
    gravity and body weight say against the forces.
    """
    found = analyse(given, stride_rules=stride_rules)
    zeroed = [
        load - zero.offset for load, zero in zip(given.loads, found.zeros, strict=True)
    ]
    feet = feet_at(given.markers_m, given.marker_time_s, given.force_time_s)
    remarks: list[str] = []
    try:
        turned = [
            on_plate(plate, load) is not load
            for plate, load in zip(given.plates, zeroed, strict=True)
        ]
        signs = [-1.0 if turn else 1.0 for turn in turned]
        zeroed = [load * sign for load, sign in zip(zeroed, signs, strict=True)]
        check_plates(given.plates, zeroed, feet, given.deck, "the trial")
    except PlateError as error:
        without = replace(given, plates=[], loads=[], baseline=None)
        found = analyse(without, stride_rules=stride_rules)
        remarks.append(f"no forces: {error}")
    else:
        if any(turned):
            zeros = [zero.offset for zero in found.zeros]
            loads = [
                (load - zero) * sign + zero
                for load, zero, sign in zip(given.loads, zeros, signs, strict=True)
            ]
            found = analyse(replace(given, loads=loads), stride_rules=stride_rules)
        remarks += [
            f"plate {plate.name} pulls at the person: its signs are reversed here"
            for plate, turn in zip(given.plates, turned, strict=True)
            if turn
        ]
    remarks += _against_physics(found.checks) + _uncalibrated(found)
    return replace(found, remarks=(*found.remarks, *remarks))


def _uncalibrated(found: GaitResult) -> list[str]:
    """Name the marker events whose bias is not this person's."""
    used = {(e.side, e.kind) for e in found.events if e.source == "marker"}
    return [
        f"{side} {kind}s from markers are set {-bias.bias_s * 1000:+.0f} ms, as is "
        f"usual; {bias.pairs} force steps are too few to tell this person's delay"
        for (side, kind), bias in found.biases.items()
        if (side, kind) in used and not bias.calibrated
    ]


def _against_physics(checks: Mapping[str, float]) -> list[str]:
    found: list[str] = []
    tilt = checks.get("stride_mean_tilt_deg", 0.0)
    if tilt > MOST_TILT_DEG:
        found.append(
            f"over whole strides the ground pushes {tilt:.1f}° off the vertical; the "
            "deck's angle, the plates' pose or their zero is wrong"
        )
    weight = checks.get("stride_mean_weight_ratio", 1.0)
    if abs(weight - 1) > MOST_WEIGHT_ERROR:
        found.append(
            f"over whole strides the ground carries {weight:.2f} of the body weight; "
            "mass_kg, or the plates' zero or gain, is wrong"
        )
    return found


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
    shares = {k: _inside(reactions[k]) for k in used}
    off = [k for k in used if shares[k] < LEAST_INSIDE]
    far = max((_distance(reactions[k], feet_m) for k in used), default=0.0) > FAR_M
    if feet_m and 2 <= len(used) <= MOST_PLATES and (off or far):
        _refuse_other_order(plates, loads, used, feet_m, deck, where)
    for k in off:
        raise PlateError(
            f"{where}: the centre of pressure of plate {plates[k].name} is off its "
            f"surface for {1 - shares[k]:.0%} of the time; its corners, origin or "
            "channels are not in order"
        )


def _refuse_other_order(
    plates: Sequence[Plate],
    loads: Sequence[Floats],
    used: list[int],
    feet_m: Mapping[Side, Floats],
    deck: Deck,
    where: str,
) -> None:
    """Raise `PlateError` where another order puts all pressure under the feet.

    Either the corners were exchanged, or the cables, and the sensors with them.
    """
    for order in permutations(used):
        if list(order) == used:
            continue
        for keeps_sensor in (True, False):
            tried = [
                ground_reaction(
                    moved(plates[k], plates[place]) if keeps_sensor else plates[place],
                    loads[k],
                    deck,
                )
                for k, place in zip(used, order, strict=True)
            ]
            if max(_distance(reaction, feet_m) for reaction in tried) >= NEAR_M:
                continue
            places = ", ".join(
                f"{plates[k].name} lies where {plates[place].name} should be"
                for k, place in zip(used, order, strict=True)
                if k != place
            )
            raise PlateError(
                f"{where}: the plates are out of order: by the feet above them, "
                f"{places}"
            )


def _inside(reaction: GroundReaction) -> float:
    """Return the share of pressed samples whose centre of pressure is on the plate."""
    return float(reaction.inside[np.isfinite(reaction.cop_m[:, 0])].mean())


def _distance(reaction: GroundReaction, feet_m: Mapping[Side, Floats]) -> float:
    """Return how far the pressure usually is from the nearest foot, in m."""
    apart = [to_segment(reaction.cop_m, feet) for feet in feet_m.values()]
    nearest = np.fmin.reduce(apart)
    finite = nearest[np.isfinite(nearest)]
    return float(np.median(finite)) if finite.size else 0.0
