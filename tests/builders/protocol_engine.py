"""A laboratory in memory: belts ramp, the deck moves, the recorder opens files."""

from dataclasses import dataclass, field
from typing import Any

from protocols.engine import (
    Muscle,
    Person,
    QualityFinding,
    RecordingStatus,
    Treadmill,
    TriggerSeen,
)
from protocols.states import State
from protocols.timeline import TrialPlan

MAX_MPS = 2.0
MAX_ACCEL_MPS2 = 1.0
INSTRUMENTS = ("vicon-forces", "semg", "amode")


class UnsafeError(BaseException):
    """The runner asked for what must never be; no handler of errors may take it."""


@dataclass
class MemoryLab:
    """An `Engine` whose time is stepped by hand. It refuses unsafe motion."""

    t_s: float = 0.0
    belt_mps: float = 0.0
    target_mps: float = 0.0
    accel_mps2: float = 0.25
    incline_deg: float = 0.0
    incline_target_deg: float = 0.0
    deck_rate_dps: float = 1.0
    reversed_facing: bool = False
    turned: bool | None = None  #: what the markers show, where not the truth
    treadmill_state: str = ""  #: where it is not what belts and target make it
    cause: str = ""  #: why belts are not as asked
    fresh: bool = True
    armed: bool = True
    recorder: str = "idle"
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  #: what the recorder refuses to start without
    overridden: str = ""
    line_high: bool = False
    blind: set[str] = field(default_factory=set)  #: instruments without trigger
    stuck_high: set[str] = field(default_factory=set)
    n_rises: int = 0
    n_falls: int = 0
    cv_percent: float | None = 2.0
    muscles: dict[str, Muscle] = field(default_factory=dict)
    quality: tuple[QualityFinding, ...] = ()
    days: float | None = 7.0
    journal_is_full: bool = False
    log: list[tuple[str, object]] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[tuple[str, bool, str]] = field(default_factory=list)
    rises: list[str] = field(default_factory=list)
    take: int = 0

    def now(self) -> float:
        return self.t_s

    def step(self, dt_s: float = 0.05) -> None:
        self.t_s += dt_s
        self.belt_mps = _towards(self.belt_mps, self.target_mps, self.accel_mps2 * dt_s)
        self.incline_deg = _towards(
            self.incline_deg, self.incline_target_deg, self.deck_rate_dps * dt_s
        )

    # ---- treadmill ----

    def treadmill(self) -> Treadmill:
        if not self.fresh:
            return Treadmill(cause=self.cause)
        return Treadmill(
            left_mps=self.belt_mps,
            right_mps=self.belt_mps,
            incline_deg=self.incline_deg,
            at_standstill=self.belt_mps == 0.0 and not self.target_mps,
            deck_moving=self.incline_deg != self.incline_target_deg,
            reversed_facing=self.reversed_facing,
            state=self.treadmill_state or self._state(),
            cause=self.cause,
        )

    def _state(self) -> str:
        if self.target_mps:
            return "moving"
        return "stopping" if self.belt_mps else "idle"

    def belts(self, belt_mps: float, accel_mps2: float) -> None:
        if self.incline_deg != self.incline_target_deg:
            raise UnsafeError("belts while the deck moves")
        if abs(belt_mps) > MAX_MPS or not 0 < accel_mps2 <= MAX_ACCEL_MPS2:
            raise UnsafeError(f"{belt_mps} m/s at {accel_mps2} m/s2 commanded")
        if belt_mps * (-1 if self.reversed_facing else 1) < 0:
            raise UnsafeError("the participant would walk backwards")
        if not self.armed:
            raise UnsafeError("belts of a treadmill out of arms")
        self.target_mps, self.accel_mps2 = belt_mps, accel_mps2

    def deck(self, incline_deg: float) -> None:
        if self.belt_mps or self.target_mps:
            raise UnsafeError("deck while belts move")
        self.incline_target_deg = incline_deg

    def facing(self, reversed_facing: bool) -> None:
        if self.belt_mps:
            raise UnsafeError("facing while belts move")
        self.reversed_facing = reversed_facing

    def stop(self) -> None:
        self.target_mps = 0.0
        self.incline_target_deg = self.incline_deg

    def abort(self) -> None:
        self.target_mps, self.accel_mps2 = 0.0, 1.0
        self.incline_target_deg = self.incline_deg

    def release(self) -> None:
        if self.belt_mps or not self.fresh:
            raise ConnectionError("belts are not known to stand")
        self.armed = False

    # ---- what is seen ----

    def person(self) -> Person:
        turned = self.reversed_facing if self.turned is None else self.turned
        walks = bool(self.belt_mps) and self.cv_percent is not None
        return Person(
            cadence_spm=100.0 if walks else None,
            stride_cv_percent=self.cv_percent if walks else None,
            reversed_facing=turned,
            muscles=self.muscles if walks else {},
        )

    def findings(self) -> tuple[QualityFinding, ...]:
        return self.quality

    def days_since(self, condition: str) -> float | None:
        self.log.append(("days_since", condition))
        return self.days

    # ---- recording ----

    def arm(self, trial: TrialPlan) -> None:
        if self.recorder in ("armed", "recording"):
            raise RuntimeError(f"armed while {self.recorder}")
        self.log.append(("arm", trial.name))
        if self.missing and not self.overridden:
            self.recorder, self.problems = "failed", self.missing
            return
        self.recorder, self.problems, self.overridden = "armed", (), ""
        self.n_rises = self.n_falls = 0
        self.take += 1
        self.event("trial_armed", take=self.take)

    def override(self, reason: str) -> None:
        self.overridden = reason
        self.event("override", reason=reason)

    def record(self) -> None:
        self.recorder = "recording"

    def recording(self) -> RecordingStatus:
        triggers = {
            name: TriggerSeen(
                name in self.stuck_high or (self.line_high and name not in self.blind),
                0 if name in self.blind else self.n_rises,
                0 if name in self.blind else self.n_falls,
            )
            for name in INSTRUMENTS
        }
        return RecordingStatus(self.recorder, self.problems, triggers)

    def capture(self, start: bool, trial: TrialPlan) -> None:
        if self.recorder != "recording" and start:
            raise UnsafeError("line raised without a recording")
        self.n_rises += start and not self.line_high
        self.n_falls += self.line_high and not start
        self.line_high = start
        if start:
            self.rises.append(trial.name)
        self.event("trial_start" if start else "trial_stop", trial=trial.name)

    def finish(self, trial: TrialPlan) -> None:
        self.log.append(("finish", trial.name))
        if self.recorder == "recording":
            self.recorder = "verified"
            self.event("trial_done", take=self.take, state="verified", problems=[])
        elif self.recorder == "armed":
            self.recorder = "idle"

    def verdict(self, trial: TrialPlan, accepted: bool, reason: str) -> None:
        self.verdicts.append((trial.name, accepted, reason))
        self.event("verdict", trial_name=trial.name, take=self.take, accepted=accepted)

    def event(self, name: str, **facts: object) -> None:
        if self.journal_is_full:
            raise OSError("no space left on device")
        self.log.append((name, facts))
        self.journal.append({"event": name, **facts})

    # ---- of the journal ----

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of one event, in their order."""
        return [line for line in self.journal if line["event"] == name]

    def states(self) -> list[State]:
        """States the runner went through."""
        return [State(line["state"]) for line in self.events("state")]


def _towards(value: float, target: float, step: float) -> float:
    return (
        target
        if abs(target - value) <= step
        else value + step * (1 if target > value else -1)
    )
