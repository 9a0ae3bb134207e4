"""The gait of one trial: plates and markers in, events, strides and forces out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquire.gait.baselines import Baseline, PlateZero, plate_zero
from acquire.gait.contacts import ContactRules, find_contacts
from acquire.gait.cycles import Stride, StrideRules, find_strides
from acquire.gait.events import GaitEvent, Kind, force_events, with_marker_events
from acquire.gait.feet import (
    FOOT_MARKERS,
    SIDES,
    FootLoad,
    Side,
    Step,
    assign_contact,
    foot_load,
)
from acquire.gait.kinematic_events import Bias
from acquire.gait.plates import Deck, GroundReaction, Plate, ground_reaction

Floats = NDArray[np.float64]
GRAVITY_MPS2 = 9.80665
PELVIS = ("LASI", "RASI", "LPSI", "RPSI", "SACR")
TAIL_S = 0.03
CONTACT_RULES = ContactRules()
STRIDE_RULES = StrideRules()


@dataclass(frozen=True, eq=False)
class GaitInput:
    """What one trial's gait is computed from; all times on one clock, in s.

    `loads` has one array (n, 6) per plate at `force_time_s` (n,), evenly sampled, NaN
    where samples are missing; `markers_m` one array (m, 3) per label at
    `marker_time_s` (m,); `deck` holds the angle at each force sample. `baseline` was
    taken at that angle; without one, plates are zeroed in swing.
    """

    plates: Sequence[Plate]
    loads: Sequence[Floats]
    force_time_s: Floats
    force_rate_hz: float
    markers_m: Mapping[str, Floats]
    marker_time_s: Floats
    marker_rate_hz: float
    deck: Deck
    steady_s: tuple[float, float] = (-np.inf, np.inf)
    mass_kg: float | None = None
    baseline: Baseline | None = None


@dataclass(frozen=True, eq=False)
class GaitResult:
    """What came out; `loads` are those on each foot, at `force_time_s` (n,).

    `zeros` says what was taken from each plate, and `baseline` by which recording;
    `biases` what was taken from marker events.
    """

    events: list[GaitEvent]
    strides: list[Stride]
    loads: Mapping[Side, FootLoad]
    force_time_s: Floats
    reactions: list[GroundReaction]
    steps: list[Step]
    checks: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    zeros: tuple[PlateZero, ...] = ()
    baseline: Baseline | None = None
    biases: Mapping[tuple[Side, Kind], Bias] = field(default_factory=dict)

    @property
    def forces_n(self) -> Mapping[Side, Floats]:
        """The reaction on each foot, world axes, shape (n, 3)."""
        return {side: load.force_n for side, load in self.loads.items()}


def analyse(
    given: GaitInput,
    *,
    contact_rules: ContactRules = CONTACT_RULES,
    stride_rules: StrideRules = STRIDE_RULES,
) -> GaitResult:
    """Find steps, give them feet, and judge the result against physics."""
    remarks: list[str] = []
    feet = feet_at(given.markers_m, given.marker_time_s, given.force_time_s)
    for side in SIDES:
        if side not in feet:
            wanted = " and ".join(FOOT_MARKERS[side])
            remarks.append(
                f"no markers {wanted}: contacts cannot be given to that foot"
            )
    zeros: list[PlateZero] = []
    for plate, load in zip(given.plates, given.loads, strict=True):
        zero, remark = plate_zero(plate.name, load, given.force_rate_hz, given.baseline)
        zeros.append(zero)
        remarks += [remark] if remark else []
    reactions = [
        ground_reaction(plate, load - zero.offset, given.deck)
        for plate, load, zero in zip(given.plates, given.loads, zeros, strict=True)
    ]
    steps = [
        assign_contact(
            contact, k, plate, reaction, feet, given.deck, given.force_rate_hz
        )
        for k, (plate, reaction) in enumerate(zip(given.plates, reactions, strict=True))
        for contact in find_contacts(
            reaction.force_n[:, 2], given.force_rate_hz, contact_rules
        )
    ]
    lost = sum(step.side is None for step in steps)
    if lost:
        remarks.append(f"{lost} of {len(steps)} contacts are under neither foot")
    events = force_events(steps, given.force_time_s)
    pelvis = [given.markers_m[name] for name in PELVIS if name in given.markers_m]
    biases: dict[tuple[Side, Kind], Bias] = {}
    if pelvis:
        events, biases = with_marker_events(
            events,
            feet_at(given.markers_m, given.marker_time_s, given.marker_time_s),
            np.asarray(np.mean(pelvis, axis=0)),
            given.marker_time_s,
            given.marker_rate_hz,
        )
    crossed = [_span_s(s, given.force_time_s) for s in steps if s.crossover]
    strides = find_strides(
        events, steady_s=given.steady_s, crossed_s=crossed, rules=stride_rules
    )
    tail = round(TAIL_S * given.force_rate_hz)
    return GaitResult(
        events=events,
        strides=strides,
        loads={side: foot_load(steps, reactions, side, tail) for side in SIDES}
        if reactions
        else {},
        force_time_s=given.force_time_s,
        reactions=reactions,
        steps=steps,
        checks={
            **_checks(given, reactions, steps, strides),
            **{
                f"marker_{kind}_late_{side}_s": bias.bias_s
                for (side, kind), bias in biases.items()
                if bias.calibrated
            },
        },
        remarks=tuple(remarks),
        zeros=tuple(zeros),
        baseline=given.baseline,
        biases=biases,
    )


def feet_at(
    markers_m: Mapping[str, Floats], marker_time_s: Floats, time_s: Floats
) -> dict[Side, Floats]:
    """Return heel and toe of each foot at `time_s`, shape (n, 2, 3) each."""
    found: dict[Side, Floats] = {}
    for side, labels in FOOT_MARKERS.items():
        if not all(label in markers_m for label in labels) or marker_time_s.size < 2:
            continue
        feet = np.empty((time_s.size, 2, 3))
        for row, label in enumerate(labels):
            for axis in range(3):
                feet[:, row, axis] = np.interp(
                    time_s, marker_time_s, markers_m[label][:, axis]
                )
        found[side] = feet
    return found


def _span_s(step: Step, time_s: Floats) -> tuple[float, float]:
    """Return from when to when a step's plate was loaded."""
    last = time_s.size - 1
    return float(time_s[step.contact.first]), float(
        time_s[min(step.contact.last, last)]
    )


def _checks(
    given: GaitInput,
    reactions: list[GroundReaction],
    steps: list[Step],
    strides: list[Stride],
) -> dict[str, float]:
    """Compare with physics: weight and direction over whole strides, CoP on belts."""
    checks = {
        "contacts": float(len(steps)),
        "crossovers": float(sum(step.crossover for step in steps)),
        "strides": float(len(strides)),
        "strides_accepted": float(sum(stride.accepted for stride in strides)),
    }
    pressed = [np.isfinite(r.cop_m[:, 0]) for r in reactions]
    n_pressed = sum(int(p.sum()) for p in pressed)
    if n_pressed:
        inside = sum(int(r.inside.sum()) for r in reactions)
        checks["cop_inside_share"] = inside / n_pressed
    whole = [stride for stride in strides if stride.accepted and stride.side == "right"]
    if not reactions or not whole:
        return checks
    total = np.sum([reaction.force_n for reaction in reactions], axis=0)
    at = given.force_time_s
    parts = [total[(at >= s.start_s) & (at < s.end_s)] for s in whole]
    means = [part.mean(axis=0) for part in parts if np.isfinite(part).all()]
    if not means:
        return checks
    mean = np.mean(means, axis=0)
    size = float(np.linalg.norm(mean))
    checks["stride_mean_force_n"] = size
    checks["stride_mean_tilt_deg"] = float(np.degrees(np.arccos(mean[2] / size)))
    if given.mass_kg:
        weight = given.mass_kg * GRAVITY_MPS2
        checks["stride_mean_weight_ratio"] = float(mean[2] / weight)
    return checks
