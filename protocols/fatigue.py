"""How a participant tires: sEMG against the first trial, ratings, and stop rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from protocols.engine import Muscle
from protocols.steps import StopRules
from protocols.timeline import TrialPlan

Indices = dict[str, tuple[float, float]]  #: muscle: median frequency (Hz), RMS (µV)


@dataclass(frozen=True, slots=True)
class Change:
    """A muscle against its first trial: falling frequency and rising RMS, in %."""

    median_frequency_drop_percent: float
    rms_rise_percent: float


def condition_of(trial: TrialPlan) -> str:
    """Name what trials must share to be compared."""
    return f"{trial.mode} {trial.speed_mps:g}"


@dataclass
class Fatigue:
    """Baselines by mode and speed, the newest changes, and the newest rating."""

    baselines: dict[str, Indices] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    rating: float | None = None
    _sums: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def begin(self) -> None:
        """Forget what was measured in a take that has ended."""
        self._sums.clear()

    def measure(self, muscles: Mapping[str, Muscle]) -> None:
        """Take what is read during a recording."""
        for name, now in muscles.items():
            values = (now.median_frequency_hz, now.rms_uv)
            self._sums.setdefault(name, []).append(values)

    def means(self) -> Indices:
        """Return each muscle's means over the take, rounded for the journal."""
        return {
            name: (
                round(sum(v[0] for v in values) / len(values), 2),
                round(sum(v[1] for v in values) / len(values), 3),
            )
            for name, values in self._sums.items()
        }

    def take_in(self, condition: str, indices: Indices) -> None:
        """Compare an accepted trial with the first of its mode and speed."""
        baseline = self.baselines.setdefault(condition, dict(indices))
        self.changes = {
            name: Change(
                100.0 * (1.0 - indices[name][0] / first_hz),
                100.0 * (indices[name][1] / first_uv - 1.0),
            )
            for name, (first_hz, first_uv) in baseline.items()
            if name in indices and first_hz > 0 and first_uv > 0
        }

    def reason_to_stop(self, rules: StopRules | None) -> str:
        """Say which stop rule applies now; nothing where none does."""
        if rules is None:
            return ""
        least = rules.borg_at_least
        if least is not None and self.rating is not None and self.rating >= least:
            return f"rating of effort {self.rating:g}, stop rule {least:g}"
        changes = self.changes.values()
        for what, limit, values in (
            (
                "median frequency fell by more than",
                rules.median_frequency_drop_percent,
                [each.median_frequency_drop_percent for each in changes],
            ),
            (
                "RMS rose by more than",
                rules.rms_rise_percent,
                [each.rms_rise_percent for each in changes],
            ),
        ):
            n_muscles = _beyond(values, limit)
            if n_muscles >= rules.muscles:
                return f"in {n_muscles} muscles the {what} {limit:g} %"
        return ""


def _beyond(values: Iterable[float], limit: float | None) -> int:
    return 0 if limit is None else sum(value > limit for value in values)
