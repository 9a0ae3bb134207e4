"""A quality metric is a declared object: name, unit, limits, advice, computation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from acquire.live.stream import StreamStats
from acquire.quality.limits import DEFAULT_LIMITS, Limits

Level = Literal["ok", "amber", "red"]
WALKING_MPS = 0.1  #: slower belts count as standing
RANK: Mapping[str, int] = {"ok": 0, "amber": 1, "red": 2}


@dataclass(frozen=True, eq=False)
class Window:
    """The last seconds of one stream, and what is known around it.

    `samples` has shape (n, n_channels), `stamps` (n,) in seconds. `counter` names the
    channel that counts samples, `helpers` every channel that is no signal (counter,
    trigger). `context` may hold ``belt_mps``, ``walking_s`` (how long the belts have
    run), ``body_weight_n`` and ``emg_rail_uv``.
    """

    stream: str
    rate_hz: float
    labels: tuple[str, ...]
    samples: NDArray[Any]
    stamps: NDArray[np.float64]
    stats: StreamStats | None = None
    counter: str = ""
    counter_modulus: int = 2**24
    helpers: frozenset[str] = frozenset()
    context: Mapping[str, float] = field(default_factory=dict)
    _memo: dict[str, Any] = field(default_factory=dict)

    def signals(self) -> tuple[str, ...]:
        """Labels of the channels that carry a signal."""
        return tuple(label for label in self.labels if label not in self.helpers)

    def columns(self, labels: tuple[str, ...], seconds: float) -> NDArray[np.float64]:
        """Return the last `seconds` of some channels as float64, (n, len(labels))."""
        picked = [self.labels.index(label) for label in labels]
        return np.asarray(self.samples[-self.rows(seconds) :][:, picked], np.float64)

    def rows(self, seconds: float) -> int:
        """Return how many rows `seconds` are, at least one."""
        return max(1, round(seconds * self.rate_hz))

    def covers(self, seconds: float) -> bool:
        """Whether (nine tenths of) so much has been received."""
        return len(self.stamps) >= 0.9 * self.rows(seconds)

    def walked(self, seconds: float) -> bool:
        """Whether the belts have been running for so long."""
        if abs(self.context.get("belt_mps", 0.0)) <= WALKING_MPS:
            return False
        return self.context.get("walking_s", np.inf) >= seconds

    def memo(self, key: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Compute something several metrics need once per window."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]


Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named number an operator can act on.

    `compute` returns a value per subject (a channel, a plate, a probe; ``""`` is the
    stream itself); NaN means that it cannot be told now, and raises no alarm.
    """

    name: str
    unit: str
    better: Literal["low", "high"]
    advice: str
    compute: Callable[[Window], Values]
    enter_s: float = 2.0
    leave_s: float = 5.0
    override: Limits | None = None

    @property
    def limits(self) -> Limits:
        """Limits in force: its own, or those of the shipped file."""
        return self.override or DEFAULT_LIMITS[self.name]

    def level(self, value: float) -> Level:
        """Judge one value, without hysteresis."""
        if not np.isfinite(value):
            return "ok"
        if self._beyond(value, self.limits.red):
            return "red"
        return "amber" if self._beyond(value, self.limits.amber) else "ok"

    def _beyond(self, value: float, limit: float | None) -> bool:
        if limit is None:
            return False
        return value > limit if self.better == "low" else value < limit


def per_subject(subjects: tuple[str, ...], values: NDArray[np.float64]) -> Values:
    """Name the elements of an array, shape (len(subjects),)."""
    return dict(zip(subjects, values.tolist(), strict=True))


def unknown(subjects: tuple[str, ...] = ("",)) -> Values:
    """NaN for every subject: cannot be told now."""
    return dict.fromkeys(subjects, float("nan"))
