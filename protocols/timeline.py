"""What happens in a session, one entry after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.steps import StopRules

CALIBRATION = "Calibration"
UNRECORDED = "Unrecorded"


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """One stretch of walking or standing; `number` counts among those of its kind.

    A calibration has the condition ``Calibration``, its kind as mode, and stands still
    at `deck_deg`. Walking with `recorded` false only lasts `record_s`.
    """

    condition: str
    mode: str
    speed_mps: float
    number: int
    record_s: float
    deck_deg: float = 0.0  #: of a calibration; walking has it in its mode
    label: str = ""  #: what a reference contraction is of
    recorded: bool = True

    @property
    def is_calibration(self) -> bool:
        """Whether nobody walks in it."""
        return self.condition == CALIBRATION

    @property
    def incline_deg(self) -> float:
        """Deck angle: never negative, because the deck only rises at one end."""
        return self.deck_deg if self.is_calibration else float(self.mode.split("_")[1])

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
        """Name within a session, for example ``Ideal LG_0 1.0 m/s trial 1``."""
        if self.is_calibration:
            return f"{self.condition} {self.mode} trial {self.number}"
        what = "trial" if self.recorded else "walk"
        speed = f"{self.speed_mps:.3f}".rstrip("0")
        speed += "0" if speed.endswith(".") else ""
        return f"{self.condition} {self.mode} {speed} m/s {what} {self.number}"


@dataclass(frozen=True, slots=True)
class Asking:
    """Something people do and the operator confirms or enters.

    `number` is the range of a number to enter; `event` is journalled with `facts` and
    the answer. `leaves_out` is the group that the answer ``skip`` ends.
    """

    text: str
    event: str = "prompt_done"
    facts: Mapping[str, object] = field(default_factory=dict)
    number: tuple[float, float] | None = None
    suggestion: str = ""
    while_walking: bool = False
    leaves_out: str = ""


@dataclass(frozen=True, slots=True)
class Resting:
    """The participant rests, belts at zero."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class GapChecking:
    """Days since an earlier session are compared with what the protocol wants."""

    condition: str
    min_days: float
    max_days: float


Action = TrialPlan | Asking | Resting | GapChecking


@dataclass(frozen=True, slots=True)
class Entry:
    """One action of the timeline. `id` stays the same for protocol and participant.

    `groups` are the cycles, or the optional part, it can be left out with; `stop` are
    the rules of the innermost cycle, and `cycle` its name.
    """

    id: str
    action: Action
    groups: tuple[str, ...] = ()
    cycle: str = ""
    stop: StopRules | None = None
