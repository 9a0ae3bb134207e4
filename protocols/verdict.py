"""What to propose to the operator about a take, from what is known of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from protocols.engine import QualityFinding, TriggerSeen
from protocols.timeline import TrialPlan

Findings = dict[tuple[str, str], QualityFinding]
Answer = Literal["accept", "repeat", "reject"]
MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Proposal:
    """The answer proposed first, and everything that speaks for it."""

    answer: Answer
    reasons: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return all answers, the proposed one first."""
        others: tuple[Answer, ...] = ("accept", "repeat", "reject")
        return (self.answer, *(each for each in others if each != self.answer))

    @property
    def words(self) -> str:
        """Return the reasons as a phrase."""
        shown = self.reasons[:MOST_SHOWN]
        more = len(self.reasons) - len(shown)
        return "; ".join([*shown, *([f"and {more} more"] if more else [])])


@dataclass
class TakeRecord:
    """What is noticed of one take while it lasts."""

    open: bool = False  #: armed, and not finished yet
    judged: bool = True
    line_high: bool = False
    triggers_checked: bool = False
    strides: float = 0.0
    problems: dict[str, None] = field(default_factory=dict)  #: texts, in their order
    findings: Findings = field(default_factory=dict)  #: that began in the take
    lasting: Findings | None = None  #: those of its beginning that are still there

    def notice(self, findings: tuple[QualityFinding, ...]) -> None:
        """Take in what quality has to say now; the worst of each finding stays.

        What was there when the take began may be an echo of the one before, because
        metrics look back for some seconds. It counts only if it lasts to the end.
        """
        now = {finding.key: finding for finding in findings}
        before = now if self.lasting is None else self.lasting
        self.lasting = {key: now[key] for key in before if key in now}
        for key, finding in now.items():
            known = self.findings.get(key)
            worse = known is None or (known.level, finding.level) == ("amber", "red")
            if key not in self.lasting and worse:
                self.findings[key] = finding

    @property
    def all_findings(self) -> Iterable[QualityFinding]:
        """Return what counts, once the take is over."""
        return ({**self.findings, **(self.lasting or {})}).values()


def missing_rises(triggers: Mapping[str, TriggerSeen]) -> list[str]:
    """Name what has not seen the trigger rise, in the recorder's own words."""
    return [
        f"{name}: no rise of the trigger"
        for name, seen in triggers.items()
        if not seen.n_rises
    ]


def still_high(triggers: Mapping[str, TriggerSeen]) -> list[str]:
    """Name the streams in which the line is known to be high."""
    return [name for name, seen in triggers.items() if seen.high]


def propose(
    trial: TrialPlan,
    take: TakeRecord,
    problems: tuple[str, ...],
    repeat_on: Literal["red", "amber", "never"],
) -> Proposal:
    """Propose to accept a take, or to repeat it.

    What the recorder or the trigger lacks always speaks against it; of quality, what
    `repeat_on` says. Where nobody walks only the streams themselves are judged, not
    what is or is not in them.
    """
    lacks = list(dict.fromkeys([*problems, *take.problems]))
    against = {"red": ("red",), "amber": ("red", "amber"), "never": ()}[repeat_on]
    poor = [
        f"{finding.stream}: {finding.text}"
        for finding in take.all_findings
        if finding.level in against and not trial.is_calibration
    ]
    reasons = (*lacks, *poor)
    return Proposal("repeat" if reasons else "accept", reasons)
