"""A protocol expanded to what will happen, without hardware."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.schema import (
    CalibrationTrial,
    Prompt,
    ProtocolDefinition,
    Rest,
    Trials,
)

CALIBRATION = "Calibration"


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """One trial to be recorded; `number` counts within condition, mode and speed.

    A calibration has the condition ``Calibration``, its kind as mode, and stands still.
    """

    condition: str
    mode: str
    speed_mps: float
    number: int
    record_s: float

    @property
    def is_calibration(self) -> bool:
        """Whether nobody walks in it."""
        return self.condition == CALIBRATION

    @property
    def incline_deg(self) -> float:
        """Deck angle: never negative, because the deck only rises at one end."""
        return 0.0 if self.is_calibration else float(self.mode.split("_")[1])

    @property
    def reversed_facing(self) -> bool:
        """Downhill is walked facing the other way, with the belts backwards."""
        return self.mode.startswith("DS")

    @property
    def belt_mps(self) -> float:
        """Belt speed, signed in the deck frame."""
        return -self.speed_mps if self.reversed_facing else self.speed_mps

    @property
    def name(self) -> str:
        """For example ``Ideal LG_0 1.0 m/s trial 1``."""
        if self.is_calibration:
            return f"{self.condition} {self.mode} trial {self.number}"
        return (
            f"{self.condition} {self.mode} {self.speed_mps:.1f} m/s trial {self.number}"
        )


Action = TrialPlan | Prompt | Rest


def actions(protocol: ProtocolDefinition) -> Iterator[Action]:
    """Yield trials, prompts and rests in the order they happen."""
    counts: dict[tuple[str, str, float], int] = {}

    def numbered(condition: str, mode: str, speed: float, record_s: float) -> TrialPlan:
        key = (condition, mode, speed)
        counts[key] = counts.get(key, 0) + 1
        return TrialPlan(condition, mode, speed, counts[key], record_s)

    for step in protocol.steps:
        if isinstance(step, CalibrationTrial):
            if step.text:
                yield Prompt(type="prompt", text=step.text)
            yield numbered(CALIBRATION, step.kind, 0.0, step.record_s)
        elif isinstance(step, Trials):
            condition = step.condition or protocol.condition
            record_s = step.record_s or protocol.settings.record_s
            for _ in range(step.repeat):
                yield numbered(condition, step.mode, step.speed_mps, record_s)
        else:
            yield step


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One line of a dry run: times in seconds from the start, distance in metres."""

    t_s: float
    what: str
    duration_s: float | None
    speed_mps: float
    incline_deg: float
    reversed_facing: bool
    distance_m: float
    warnings: tuple[str, ...] = ()


def plan(
    protocol: ProtocolDefinition,
    *,
    deck_rate_dps: float | None,
    max_speed_mps: float | None = None,
    max_incline_deg: float | None = None,
) -> list[PlannedRow]:
    """Dry-run a protocol: belt and deck at every step, times, and what is unsafe.

    A `deck_rate_dps` of None (the real rate is not published) leaves the time of deck
    moves out, and says so. Prompts take no time here: an operator's pace is unknown.
    """
    settings, rows = protocol.settings, list[PlannedRow]()
    t_s, speed, incline, reversed_facing = 0.0, 0.0, 0.0, False

    def add(what: str, duration_s: float | None, mean_mps: float, *warn: str) -> None:
        nonlocal t_s
        distance = abs(mean_mps) * (duration_s or 0.0)
        row = (t_s, what, duration_s, speed, incline, reversed_facing, distance, warn)
        rows.append(PlannedRow(*row))
        t_s += duration_s or 0.0

    def ramp_to(target_mps: float) -> None:
        nonlocal speed
        if target_mps != speed:
            before, speed = speed, target_mps
            duration = abs(target_mps - before) / settings.accel_mps2
            add(f"belts to {target_mps:+.2f} m/s", duration, (before + target_mps) / 2)

    for action in actions(protocol):
        if isinstance(action, Prompt):
            ramp_to(0.0)
            add(f"prompt: {action.text}", None, 0.0)
        elif isinstance(action, Rest):
            ramp_to(0.0)
            add("rest", action.duration_s, 0.0)
        else:
            warnings = _limits(action, max_speed_mps, max_incline_deg)
            if action.incline_deg != incline:
                ramp_to(0.0)
                move_deg, incline = (
                    abs(action.incline_deg - incline),
                    action.incline_deg,
                )
                slow = () if deck_rate_dps else ("deck rate unknown: time left out",)
                duration = move_deg / deck_rate_dps if deck_rate_dps else None
                add(f"deck to {incline:+.1f}°", duration, 0.0, *slow)
            if action.reversed_facing != reversed_facing:
                ramp_to(0.0)
                reversed_facing = action.reversed_facing
                way = "down" if reversed_facing else "up"
                add(f"participant turns to face {way} the deck", None, 0.0)
            ramp_to(action.belt_mps)
            add("settle", settings.settle_s, speed)
            recorded_s = action.record_s + 2 * settings.line_low_s
            add(f"record {action.name}", recorded_s, speed, *warnings)
            if settings.rest_s or not settings.walk_on:
                ramp_to(0.0)
                add("rest", settings.rest_s, 0.0)
    ramp_to(0.0)
    if incline:
        slow = () if deck_rate_dps else ("deck rate unknown: time left out",)
        duration = incline / deck_rate_dps if deck_rate_dps else None
        incline = 0.0
        add("deck to level", duration, 0.0, *slow)
    return rows


def _limits(
    trial: TrialPlan, max_speed_mps: float | None, max_incline_deg: float | None
) -> tuple[str, ...]:
    found = []
    if max_speed_mps is not None and trial.speed_mps > max_speed_mps:
        found.append(f"above the rig's speed limit of {max_speed_mps:g} m/s")
    if max_incline_deg is not None and trial.incline_deg > max_incline_deg:
        found.append(f"above the rig's incline limit of {max_incline_deg:g}°")
    return tuple(found)
