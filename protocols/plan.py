"""A dry run of a protocol: belt and deck at every step, times, and what to know first.

It follows the same rules as the runner, with ideal readback: nothing is repeated, and
walking is steady at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from protocols.expansion import timeline
from protocols.schema import ProtocolDefinition
from protocols.timeline import Asking, GapChecking, Resting, TrialPlan

Kind = Literal["prompt", "rest", "ramp", "deck", "turn", "settle", "walk", "record"]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One line of a dry run: times in seconds from the start, distance in metres.

    A `duration_s` of None is not known and counts as zero. `speed_mps` is signed in
    the deck frame, at the end of the row; `start_mps` is that at its beginning.
    """

    t_s: float
    kind: Kind
    what: str
    duration_s: float | None
    start_mps: float
    speed_mps: float
    incline_deg: float
    reversed_facing: bool
    distance_m: float

    @property
    def end_s(self) -> float:
        return self.t_s + (self.duration_s or 0.0)


@dataclass(frozen=True)
class Plan:
    """The dry run and its sums."""

    rows: tuple[PlannedRow, ...]
    trials: tuple[TrialPlan, ...]
    allowed_s: float  #: what of the time is only allowed for, people's answers
    deck_moves: int

    @property
    def total_s(self) -> float:
        return self.rows[-1].end_s if self.rows else 0.0

    @property
    def walked_m(self) -> float:
        return sum(row.distance_m for row in self.rows)

    @property
    def walked_s(self) -> float:
        return sum(row.duration_s or 0.0 for row in self.rows if row.distance_m)

    @property
    def recorded_s(self) -> float:
        return sum(row.duration_s or 0.0 for row in self.rows if row.kind == "record")


def plan(
    protocol: ProtocolDefinition,
    participant: str = "",
    *,
    deck_rate_dps: float | None = None,
) -> Plan:
    """Dry-run a protocol for a participant.

    A `deck_rate_dps` of None (the real rate is not published) leaves the time of deck
    moves out. Answers of people take the setting `prompt_s` each.
    """
    return _DryRun(protocol, deck_rate_dps).over(participant)


@dataclass
class _DryRun:
    protocol: ProtocolDefinition
    deck_rate_dps: float | None
    rows: list[PlannedRow] = field(default_factory=list)
    t_s: float = 0.0
    speed_mps: float = 0.0
    incline_deg: float = 0.0
    reversed_facing: bool = False
    allowed_s: float = 0.0
    deck_moves: int = 0
    owed_s: float = 0.0

    def over(self, participant: str) -> Plan:
        entries = timeline(self.protocol, participant)
        visits: dict[type, Callable[..., None]] = {
            TrialPlan: self._trial,
            Asking: self._ask,
            Resting: self._rest,
            GapChecking: self._gap,
        }
        for entry in entries:
            visits[type(entry.action)](entry.action)
        self._ramp(0.0)
        self._deck(0.0)
        trials = tuple(
            entry.action
            for entry in entries
            if isinstance(entry.action, TrialPlan) and entry.action.recorded
        )
        return Plan(tuple(self.rows), trials, self.allowed_s, self.deck_moves)

    def _add(
        self,
        kind: Kind,
        what: str,
        duration_s: float | None,
        start_mps: float | None = None,
    ) -> None:
        start = self.speed_mps if start_mps is None else start_mps
        distance_m = abs(start + self.speed_mps) / 2 * (duration_s or 0.0)
        self.rows.append(
            PlannedRow(
                self.t_s, kind, what, duration_s, start, self.speed_mps,
                self.incline_deg, self.reversed_facing, distance_m,
            )
        )  # fmt: skip
        self.t_s += duration_s or 0.0

    def _allow(self, kind: Kind, what: str) -> None:
        allowed_s = self.protocol.settings.prompt_s
        self.allowed_s += allowed_s
        self._add(kind, what, allowed_s)

    def _ramp(self, target_mps: float) -> None:
        if target_mps != self.speed_mps:
            before, self.speed_mps = self.speed_mps, target_mps
            lasts_s = abs(target_mps - before) / self.protocol.settings.accel_mps2
            self._add("ramp", f"belts to {target_mps:+.2f} m/s", lasts_s, before)

    def _deck(self, target_deg: float) -> None:
        if target_deg == self.incline_deg:
            return
        self._ramp(0.0)
        moved_deg, self.incline_deg = abs(target_deg - self.incline_deg), target_deg
        self.deck_moves += 1
        self._allow("prompt", f"confirm: deck to {target_deg:.1f}°")
        rate = self.deck_rate_dps
        lasts_s = moved_deg / rate if rate else None
        self._add("deck", f"deck to {target_deg:+.1f}°", lasts_s)

    def _pay_rest(self) -> None:
        owed_s, self.owed_s = self.owed_s, 0.0
        if owed_s:
            self._ramp(0.0)
            self._add("rest", "rest after the trial", owed_s)

    def _ask(self, asking: Asking) -> None:
        if not asking.while_walking:
            self._ramp(0.0)
            self._pay_rest()
        self._allow("prompt", asking.text)

    def _gap(self, check: GapChecking) -> None:
        self._allow("prompt", f"days since {check.condition}")

    def _rest(self, rest: Resting) -> None:
        owed_s, self.owed_s = self.owed_s, 0.0
        self._ramp(0.0)
        self._add("rest", "rest", max(rest.duration_s, owed_s))

    def _trial(self, trial: TrialPlan) -> None:
        settings = self.protocol.settings
        self._pay_rest()
        if not settings.walk_on or trial.is_calibration:
            self._ramp(0.0)
        self._deck(trial.incline_deg)
        if not trial.is_calibration:
            self._start(trial)
        if not trial.recorded:
            self._add("walk", trial.name, trial.record_s)
            return
        low_s = 2 * settings.line_low_s
        self._add("record", trial.name, trial.record_s + low_s)
        self.owed_s = 0.0 if trial.is_calibration else settings.rest_s

    def _start(self, trial: TrialPlan) -> None:
        settings = self.protocol.settings
        if trial.reversed_facing != self.reversed_facing:
            self._ramp(0.0)
            self.reversed_facing = trial.reversed_facing
            way = "down" if self.reversed_facing else "up"
            self._allow("turn", f"participant turns to face {way} the deck")
        at_speed = trial.belt_mps == self.speed_mps
        if self.speed_mps == 0.0 and settings.confirm_start:
            self._allow("prompt", f"ready for {trial.name}?")
        self._ramp(trial.belt_mps)
        settle_s = settings.resettle_s if at_speed else settings.settle_s
        if settle_s and trial.recorded:
            self._add("settle", "settle", settle_s)
