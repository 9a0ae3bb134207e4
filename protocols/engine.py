"""The seam between the protocol runner and the laboratory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from protocols.timeline import TrialPlan


@dataclass(frozen=True, slots=True)
class Treadmill:
    """What the treadmill reports; None where nothing fresh is known.

    `at_standstill` and `deck_moving` are the adapter's judgement of several readbacks;
    `state` is its own word, ``unknown`` without fresh status; `cause` says why belts
    are not as they were asked to be, as far as that is known.
    """

    left_mps: float | None = None
    right_mps: float | None = None
    incline_deg: float | None = None
    at_standstill: bool = False
    deck_moving: bool = False
    reversed_facing: bool = False
    state: str = "unknown"
    cause: str = ""

    def at_speed(self, belt_mps: float, tolerance_mps: float = 0.03) -> bool:
        """Whether both belts are known to run at `belt_mps`."""
        speeds = (self.left_mps, self.right_mps)
        return all(
            speed is not None and abs(speed - belt_mps) <= tolerance_mps
            for speed in speeds
        )

    def at_incline(self, incline_deg: float, tolerance_deg: float = 0.1) -> bool:
        """Whether the deck is known to stand at `incline_deg`."""
        known = None if self.deck_moving else self.incline_deg
        return known is not None and abs(known - incline_deg) <= tolerance_deg


@dataclass(frozen=True, slots=True)
class Muscle:
    """How a muscle's sEMG is now: median frequency (Hz) and RMS (µV) of its bursts."""

    median_frequency_hz: float
    rms_uv: float


@dataclass(frozen=True, slots=True)
class Person:
    """What the instruments show of the participant now; None where they do not."""

    cadence_spm: float | None = None  #: steps per minute
    stride_cv_percent: float | None = None  #: of the last stride times
    reversed_facing: bool | None = None  #: read from the markers of the pelvis
    muscles: Mapping[str, Muscle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """One quality metric beyond its limit now."""

    stream: str
    level: Literal["amber", "red"]
    text: str
    advice: str = ""
    name: str = ""  #: metric and subject, the same while the finding lasts

    @property
    def key(self) -> tuple[str, str]:
        """Tell findings apart."""
        return self.stream, self.name or self.text


@dataclass(frozen=True, slots=True)
class TriggerSeen:
    """What one instrument has recorded of the trigger line in this take.

    `high` is None while its level cannot be told: no edge has been seen yet.
    """

    high: bool | None = None
    n_rises: int = 0
    n_falls: int = 0


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """What the recorder says: its state, and what is wrong, in words."""

    state: str = "idle"  #: idle armed recording stopping verified failed
    problems: tuple[str, ...] = ()
    triggers: Mapping[str, TriggerSeen] = field(default_factory=dict)
    """Of each stream that records the line."""
    details: dict[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """Carries what the runner asks for to devices and recorder.

    Every call returns at once: it asks, and the effect is read back later from
    `treadmill` and `recording`. What cannot be asked for raises an exception with
    the reason; the runner then stops the belts and fails the trial.
    """

    def treadmill(self) -> Treadmill: ...
    def belts(self, belt_mps: float, accel_mps2: float) -> None: ...
    def deck(self, incline_deg: float) -> None:
        """Move the deck; the runner has the operator's confirmation."""
        ...

    def facing(self, reversed_facing: bool) -> None:
        """Say which way the participant faces; the operator has confirmed it."""
        ...

    def stop(self) -> None:
        """Ramp the belts to zero at the ordinary rate; a moving deck stops too."""
        ...

    def abort(self) -> None:
        """Stop the belts now; the deck stays where it is. Callable on any thread."""
        ...

    def release(self) -> None:
        """Take the treadmill out of arms: the run is over and everything stands."""
        ...

    def person(self) -> Person: ...
    def findings(self) -> tuple[QualityFinding, ...]:
        """Return what quality has to say against the signals now."""
        ...

    def days_since(self, condition: str) -> float | None:
        """Days since this participant's last session with trials of a condition."""
        ...

    def arm(self, trial: TrialPlan) -> None:
        """Open the file of this trial's next take and wait for every stream."""
        ...

    def override(self, reason: str) -> None:
        """Arm the next take although something is missing; the reason is stored."""
        ...

    def record(self) -> None:
        """Start writing; the trigger line is still low."""
        ...

    def recording(self) -> RecordingStatus: ...
    def capture(self, start: bool, trial: TrialPlan) -> None:
        """Raise or lower the trigger line through the motion-capture system."""
        ...

    def finish(self, trial: TrialPlan) -> None:
        """Close and verify the file."""
        ...

    def verdict(self, trial: TrialPlan, accepted: bool, reason: str) -> None:
        """Note whether the take last armed counts."""
        ...

    def event(self, name: str, **facts: object) -> None:
        """Publish and journal one event."""
        ...
