"""A laboratory in memory: belts ramp, the deck moves, the recorder opens files."""

from dataclasses import dataclass, field

from protocols.engine import RecordingStatus, Treadmill
from protocols.timeline import TrialPlan


@dataclass
class MemoryLab:
    """An `Engine` whose time is stepped by hand. It refuses unsafe motion."""

    t_s: float = 0.0
    belt_mps: float = 0.0
    target_mps: float = 0.0
    accel_mps2: float = 0.25
    incline_deg: float = 0.0
    incline_target_deg: float = 0.0
    reversed_facing: bool = False
    treadmill_state: str = ""  #: where it is not what belts and target make it
    fresh: bool = True
    recorder: str = "idle"
    problems: tuple[str, ...] = ()
    line_high: bool = False
    log: list[tuple[str, object]] = field(default_factory=list)
    verdicts: list[tuple[str, bool, str]] = field(default_factory=list)
    rises: list[str] = field(default_factory=list)

    def now(self) -> float:
        return self.t_s

    def step(self, dt_s: float = 0.05) -> None:
        self.t_s += dt_s
        self.belt_mps = _towards(self.belt_mps, self.target_mps, self.accel_mps2 * dt_s)
        self.incline_deg = _towards(self.incline_deg, self.incline_target_deg, dt_s)

    def treadmill(self) -> Treadmill:
        if not self.fresh:
            return Treadmill()
        return Treadmill(
            left_mps=self.belt_mps,
            right_mps=self.belt_mps,
            incline_deg=self.incline_deg,
            at_standstill=self.belt_mps == 0.0,
            deck_moving=self.incline_deg != self.incline_target_deg,
            reversed_facing=self.reversed_facing,
            state=self.treadmill_state or self._state(),
        )

    def _state(self) -> str:
        if self.target_mps:
            return "moving"
        return "stopping" if self.belt_mps else "idle"

    def belts(self, belt_mps: float, accel_mps2: float) -> None:
        if self.incline_deg != self.incline_target_deg:
            raise AssertionError("belts while the deck moves")
        self.target_mps, self.accel_mps2 = belt_mps, accel_mps2

    def deck(self, incline_deg: float) -> None:
        if self.belt_mps:
            raise AssertionError("deck while belts move")
        self.incline_target_deg = incline_deg

    def facing(self, reversed_facing: bool) -> None:
        if self.belt_mps:
            raise AssertionError("facing while belts move")
        self.reversed_facing = reversed_facing

    def stop(self) -> None:
        self.target_mps = 0.0

    def abort(self) -> None:
        self.target_mps, self.accel_mps2 = 0.0, 1.0
        self.incline_target_deg = self.incline_deg

    def arm(self, trial: TrialPlan) -> None:
        if self.recorder in ("armed", "recording"):
            raise AssertionError(f"armed while {self.recorder}")
        self.log.append(("arm", trial.name))
        self.recorder, self.problems = "armed", ()

    def record(self) -> None:
        self.recorder = "recording"

    def recording(self) -> RecordingStatus:
        return RecordingStatus(self.recorder, self.problems)

    def capture(self, start: bool, trial: TrialPlan) -> None:
        if self.recorder != "recording" and start:
            raise AssertionError("line raised without a recording")
        self.line_high = start
        if start:
            self.rises.append(trial.name)

    def finish(self, trial: TrialPlan) -> None:
        self.log.append(("finish", trial.name))
        if self.recorder == "recording":
            self.recorder = "verified"

    def verdict(self, trial: TrialPlan, accepted: bool, reason: str) -> None:
        self.verdicts.append((trial.name, accepted, reason))

    def event(self, name: str, **facts: object) -> None:
        self.log.append((name, facts))


def _towards(value: float, target: float, step: float) -> float:
    return (
        target
        if abs(target - value) <= step
        else value + step * (1 if target > value else -1)
    )
