"""The result of a clock fit: device samples to seconds on the reference clock."""

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Status = Literal["ok", "degraded", "ambiguous", "failed"]
Method = Literal["edges", "stamps", "strikes", "exact", "none"]
EXTRAPOLATION_S = 30.0

_WORST: dict[Status, int] = {"ok": 0, "degraded": 1, "ambiguous": 2, "failed": 3}


def worst(*states: Status) -> Status:
    """Return the worst of some states; ``ok`` of none."""
    return max(states, key=_WORST.__getitem__, default="ok")


class Clock(Protocol):
    """Offset from nominal device seconds to reference seconds, with its bounds."""

    def offset_s(self, x: Array) -> Array: ...
    def half_width_s(self, x: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class Run:
    """One stretch of one clock.

    `first` and `last` are the indices of its first and last matched edge, `begin` and
    `end` those between which it holds. `residuals`, shape (n_matched,), are reference
    less fitted seconds of the matched edges, whose indices are `matched_index`; each
    is true to ± `matched_half_width` seconds.
    Near a border of which only a neighbourhood is known, within `begin_blur` or
    `end_blur` samples of it, the interval grows by `begin_jump_s` or `end_jump_s`.
    """

    first: float
    last: float
    begin: float
    end: float
    n_matched: int
    n_missed: int
    n_extra: int
    residuals: Array
    matched_index: Array
    offset_s: float
    skew_ppm: float
    skew_half_width_ppm: float
    clock: Clock
    rate_hz: float
    begin_blur: float = 0.0
    end_blur: float = 0.0
    begin_jump_s: float = 0.0
    end_jump_s: float = 0.0
    matched_half_width: Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Step:
    """A jump of the clock by `size_s` between the device indices `after`, `before`.

    `n_lost` is (least, likeliest, most) samples where a loss explains the jump.
    """

    after: float
    before: float
    size_s: float
    half_width_s: float
    n_lost: tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class ClockFit:
    """Maps device sample indices to reference seconds.

    t_ref = offset_s + index / rate_hz · (1 + skew_ppm·1e-6) in the run with most
    matches; `time_s` follows every run. `status` is ``ok``, ``degraded`` (usable, but
    read `reasons`), ``ambiguous`` (several offsets fit equally: no time is given) or
    ``failed``.
    """

    rate_hz: float
    status: Status
    reasons: tuple[str, ...]
    runs: tuple[Run, ...] = ()
    steps: tuple[Step, ...] = ()
    method: Method = "edges"
    ambiguity: float = 0.0
    n_device: int = 0
    n_reference: int = 0
    applied_delay_s: float = 0.0
    extrapolation_s: float = field(default=EXTRAPOLATION_S)

    @property
    def main_run(self) -> Run | None:
        """The run with most matched edges."""
        return max(self.runs, key=lambda run: run.n_matched, default=None)

    @property
    def skew_ppm(self) -> float:
        return self.main_run.skew_ppm if self.main_run else float("nan")

    @property
    def skew_half_width_ppm(self) -> float:
        return self.main_run.skew_half_width_ppm if self.main_run else float("nan")

    @property
    def offset_s(self) -> float:
        return self.main_run.offset_s if self.main_run else float("nan")

    @property
    def n_matched(self) -> int:
        return sum(run.n_matched for run in self.runs)

    @property
    def n_missed(self) -> int:
        return sum(run.n_missed for run in self.runs)

    @property
    def n_extra(self) -> int:
        return sum(run.n_extra for run in self.runs)

    @property
    def residuals_s(self) -> Array:
        """Residuals of all runs, in order, shape (n_matched,)."""
        parts = [run.residuals for run in self.runs]
        return np.concatenate(parts) if parts else np.empty(0)

    def time_s(self, index: ArrayLike) -> Array:
        """Seconds on the reference clock, shape of `index`; NaN out of reach.

        Finite from 30 s before a run's first to 30 s after its last matched edge,
        within the borders of the run.
        """
        at = np.asarray(index, dtype=np.float64)
        out = np.full(at.shape, np.nan)
        for run, here in self._parts(at):
            x = at[here] / self.rate_hz
            out[here] = x + run.clock.offset_s(x)
        return out

    def half_width_s(self, index: ArrayLike) -> Array:
        """Half-width of the guaranteed interval in seconds, shape of `index`."""
        at = np.asarray(index, dtype=np.float64)
        out = np.full(at.shape, np.nan)
        for run, here in self._parts(at):
            width = run.clock.half_width_s(at[here] / self.rate_hz)
            width = width + run.begin_jump_s * (at[here] < run.begin + run.begin_blur)
            out[here] = width + run.end_jump_s * (at[here] > run.end - run.end_blur)
        return out

    def with_reasons(self, *reasons: str) -> "ClockFit":
        """Return the same fit with more to say."""
        return replace(self, reasons=(*self.reasons, *reasons))

    def _parts(self, at: Array) -> list[tuple[Run, NDArray[np.bool_]]]:
        reach = self.extrapolation_s * self.rate_hz
        parts = []
        for run in self.runs:
            here = (at >= run.begin) & (at < run.end)
            here &= (at >= run.first - reach) & (at <= run.last + reach)
            parts.append((run, here))
        return parts
