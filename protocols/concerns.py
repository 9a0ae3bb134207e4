"""What a plan holds that is unsafe, unknown, or not possible on a given rig."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import radians, tan
from typing import Literal

from protocols.plan import Plan
from protocols.schema import ProtocolDefinition
from protocols.timeline import TrialPlan

Weight = Literal["impossible", "unsafe", "unknown", "note"]
MAX_METS = {"young": 10.0, "older": 6.0, "any": 10.0}
"""Exertion above which a trial is called hard; our choice, not a clinical limit."""


@dataclass(frozen=True, slots=True)
class Mill:
    """What a rig's treadmill allows; speeds signed in the deck frame."""

    min_speed_mps: float
    max_speed_mps: float
    max_accel_mps2: float
    min_incline_deg: float
    max_incline_deg: float
    moves_deck_under_load: bool = False
    walks_backward: bool = False


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to know before a session."""

    weight: Weight
    text: str


def concerns(
    protocol: ProtocolDefinition,
    planned: Plan,
    mill: Mill | None,
    *,
    has_capture: bool = True,
    deck_rate_known: bool = False,
) -> list[Concern]:
    """Return everything there is to know, the gravest first."""
    found = [
        *_missing(mill, has_capture=has_capture),
        *(() if mill is None else _beyond(protocol, planned.trials, mill)),
        *_downhill(planned.trials, mill),
        *_exertion(protocol, planned.trials),
        *_unknown(protocol, planned, deck_rate_known=deck_rate_known),
    ]
    weights: tuple[Weight, ...] = ("impossible", "unsafe", "unknown", "note")
    return sorted(found, key=lambda concern: weights.index(concern.weight))


def exertion_mets(trial: TrialPlan) -> float:
    """Estimate the steady oxygen cost of a trial in multiples of rest.

    Walking equation of the American College of Sports Medicine, mL/kg/min:
    ``0.1 v + 1.8 v g + 3.5`` with v in m/min and g the slope; downhill counts as level.
    """
    speed = trial.speed_mps * 60.0
    uphill = trial.mode.startswith("AS")
    slope = tan(radians(trial.incline_deg)) if uphill else 0.0
    return (0.1 * speed + 1.8 * speed * slope + 3.5) / 3.5


def _missing(mill: Mill | None, *, has_capture: bool) -> Iterator[Concern]:
    if mill is None:
        yield Concern("impossible", "the rig names no treadmill")
        return
    if not has_capture:
        yield Concern("impossible", "the rig names no capture device: no trigger")
    if mill.moves_deck_under_load:
        yield Concern("unsafe", "the rig lets the deck move while somebody walks")
    if mill.walks_backward:
        yield Concern("unsafe", "the rig lets belts run against the facing")


def _beyond(
    protocol: ProtocolDefinition, trials: Iterable[TrialPlan], mill: Mill
) -> Iterator[Concern]:
    if protocol.settings.accel_mps2 > mill.max_accel_mps2:
        yield Concern(
            "impossible",
            f"accel_mps2 {protocol.settings.accel_mps2:g} is above the rig's "
            f"{mill.max_accel_mps2:g} m/s²",
        )
    for trial in _one_each(trials):
        what = f"{trial.mode} {trial.speed_mps:g} m/s"
        if not mill.min_speed_mps <= trial.belt_mps <= mill.max_speed_mps:
            limits = f"{mill.min_speed_mps:+g} to {mill.max_speed_mps:+g} m/s"
            text = f"{what}: belts at {trial.belt_mps:+g} m/s, the rig has {limits}"
            yield Concern("impossible", text)
        if trial.incline_deg > mill.max_incline_deg:
            limit = mill.max_incline_deg
            yield Concern("impossible", f"{what}: the rig's deck ends at {limit:g}°")


def _downhill(trials: Iterable[TrialPlan], mill: Mill | None) -> Iterator[Concern]:
    modes = sorted({trial.mode for trial in trials if trial.reversed_facing})
    if modes and mill is not None and mill.min_incline_deg >= 0:
        yield Concern(
            "note",
            f"{', '.join(modes)}: this deck cannot tilt below level. Downhill is "
            "walked facing the other way on the raised deck, belts reversed; the "
            "operator confirms every turn and the markers are checked",
        )


def _exertion(
    protocol: ProtocolDefinition, trials: Iterable[TrialPlan]
) -> Iterator[Concern]:
    limit = MAX_METS[protocol.cohort]
    for trial in _one_each(trials):
        mets = exertion_mets(trial)
        if mets > limit:
            yield Concern(
                "unsafe",
                f"{trial.mode} {trial.speed_mps:g} m/s: about {mets:.1f} times the "
                f"effort of rest (more than {limit:g} is hard for this cohort)",
            )


def _unknown(
    protocol: ProtocolDefinition, planned: Plan, *, deck_rate_known: bool
) -> Iterator[Concern]:
    if planned.deck_moves and not deck_rate_known:
        yield Concern(
            "unknown",
            f"how fast the deck tilts: {planned.deck_moves} moves take no time in this "
            "plan (--deck-rate)",
        )
    for each in protocol.unknown:
        yield Concern("unknown", f"{each.what}: {each.why}")


def _one_each(trials: Iterable[TrialPlan]) -> list[TrialPlan]:
    """Return one walking trial per mode and speed."""
    found = {
        (trial.mode, trial.speed_mps): trial
        for trial in trials
        if not trial.is_calibration
    }
    return list(found.values())
