"""Judges live windows: one verdict per stream, with hysteresis."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from acquire.quality import amode, emg, force, markers, person, stream
from acquire.quality.hysteresis import Hysteresis
from acquire.quality.limits import Limits, merged
from acquire.quality.metric import RANK, Level, Metric, Window

BY_TYPE: Mapping[str, tuple[Metric, ...]] = {
    "EMG": (*emg.METRICS, *person.EMG),
    "Force": (*force.METRICS, *person.FORCE),
    "MoCap": (*markers.METRICS, *person.MARKERS),
    "Ultrasound": amode.METRICS,
}
SILENT_TYPES = frozenset({"Markers", "Quality"})  #: may say nothing for minutes


@dataclass(frozen=True)
class Finding:
    """One metric of one subject beyond its limit, and what to do about it."""

    stream: str
    metric: str
    subject: str
    level: Level
    value: float
    limit: float
    unit: str
    age_s: float  #: since the level was entered
    advice: str
    clearing: bool = False  #: better again, but not for long enough yet

    @property
    def text(self) -> str:
        """A line an operator can read: ``R_TA baseline rms 31 µV (limit 20)``."""
        what = self.metric.partition(".")[2].replace("_", " ")
        subject = f"{self.subject} " if self.subject else ""
        value = in_words(self.value, self.unit)
        state = "better again, limit" if self.clearing else "limit"
        return f"{subject}{what} {value} ({state} {self.limit:g})"


def in_words(value: float, unit: str) -> str:
    """Three digits and the unit, without exponents: ``5000 ms``, ``0.31 %``."""
    if math.isnan(value):
        return "not known now"
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()


@dataclass(frozen=True)
class StreamVerdict:
    """The worst of a stream's findings, worst first; `values` holds every number."""

    stream: str
    level: Level
    findings: tuple[Finding, ...]
    values: Mapping[str, float]  #: ``metric`` or ``metric:subject`` → value


class Monitor:
    """Evaluates windows and remembers how long each level has lasted."""

    def __init__(
        self, now: Callable[[], float], overrides: Mapping[str, Limits] | None = None
    ) -> None:
        self._now = now
        self._limits = merged(overrides or {})
        self._states: dict[tuple[str, str, str], Hysteresis] = {}

    def evaluate(self, windows: Sequence[tuple[str, Window]]) -> list[StreamVerdict]:
        """Judge windows, each with the LSL type of its stream."""
        return [self._judge(kind, window) for kind, window in windows]

    def metrics(self, kind: str) -> tuple[Metric, ...]:
        """Metrics that apply to a stream of this type, with the limits in force."""
        if kind in SILENT_TYPES:
            return ()
        return tuple(
            replace(metric, override=self._limits[metric.name])
            for metric in (*stream.METRICS, *BY_TYPE.get(kind, ()))
        )

    def _judge(self, kind: str, window: Window) -> StreamVerdict:
        findings: list[Finding] = []
        values: dict[str, float] = {}
        for metric in self.metrics(kind):
            for subject, value in metric.compute(window).items():
                values[f"{metric.name}:{subject}".rstrip(":")] = value
                finding = self._finding(window.stream, metric, subject, value)
                if finding is not None:
                    findings.append(finding)
        findings.sort(key=lambda finding: (-RANK[finding.level], finding.age_s))
        level = findings[0].level if findings else "ok"
        return StreamVerdict(window.stream, level, tuple(findings), values)

    def _finding(
        self, name: str, metric: Metric, subject: str, value: float
    ) -> Finding | None:
        key = (name, metric.name, subject)
        state = self._states.get(key)
        if state is None:
            state = Hysteresis(metric.enter_s, metric.leave_s)
            self._states[key] = state
        now_s = self._now()
        raw = metric.level(value)
        shown = state.update(raw, now_s)
        if shown == "ok":
            return None
        limit = metric.limits.red if shown == "red" else metric.limits.amber
        return Finding(
            stream=name,
            metric=metric.name,
            subject=subject,
            level=shown,
            value=value,
            limit=float("nan") if limit is None else limit,
            unit=metric.unit,
            age_s=now_s - state.since_s,
            advice=metric.advice,
            clearing=RANK[raw] < RANK[shown],
        )
