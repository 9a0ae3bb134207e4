"""The rows of the comparison with the truth, and when each of them is good."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MATCH_S = 0.05  #: a strike found further from a true one than this is another one
STRIKE_MEDIAN_MS = 10.0
STRIKE_MAX_MS = 25.0
ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class ClockError:
    """Aligned times of one stream beside the true ones, in ms."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("trial", "stream", "status", "rows", "median |error| ms", "max |error| ms"),
        *("stated ± ms", "truth inside"),
    )
    trial: str
    stream: str
    status: str
    rows: int
    median_ms: float
    max_ms: float
    stated_ms: float
    inside_share: float

    @classmethod
    def of(
        cls, trial: str, stream: str, status: str, error_s: Floats, width_s: Floats
    ) -> Self:
        """Summarise errors (n,) of rows whose times have half-widths (n,)."""
        known = np.isfinite(error_s) & np.isfinite(width_s)
        size, width = np.abs(error_s[known]), width_s[known]
        if not size.size:
            nan = float("nan")
            return cls(trial, stream, status, 0, nan, nan, nan, 0.0)
        return cls(
            trial,
            stream,
            status,
            int(size.size),
            float(np.median(size) * 1e3),
            float(size.max() * 1e3),
            float(width.max() * 1e3),
            float(np.mean(size <= width + ROUNDING_S)),
        )

    @property
    def ok(self) -> bool:
        """Whether the stated interval holds the truth at every row."""
        return self.rows > 0 and self.inside_share == 1.0

    def cells(self) -> list[object]:
        inside = "yes" if self.ok else f"{100 * self.inside_share:.2f} % of rows"
        numbers = (self.median_ms, self.max_ms, self.stated_ms)
        shown = [f"{number:.3f}" for number in numbers]
        return [self.trial, self.stream, self.status, self.rows, *shown, inside]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


@dataclass(frozen=True, slots=True)
class LossError:
    """Samples that never came: true number, counted and inferred."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("trial", "stream", "truly lost", "counted", "inferred", "recovered"),
    )
    trial: str
    stream: str
    true: int
    counted: int
    inferred: int
    inferred_half_width: int = 0

    @property
    def ok(self) -> bool:
        """Whether the losses found are the true ones, to the width stated."""
        found = self.counted + self.inferred
        return abs(found - self.true) <= self.inferred_half_width

    def cells(self) -> list[object]:
        inferred = str(self.inferred)
        if self.inferred_half_width:
            inferred += f" ± {self.inferred_half_width}"
        verdict = "yes" if self.ok else "no"
        head = [self.trial, self.stream, self.true, self.counted]
        return [*head, inferred, verdict]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


@dataclass(frozen=True, slots=True)
class StrikeError:
    """Heel strikes of one foot beside the true ones."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("trial", "foot", "true", "found", "missed", "false"),
        *("median error ms", "max |error| ms"),
    )
    trial: str
    side: str
    true: int
    found: int
    missed: int
    false: int
    median_ms: float
    max_ms: float

    @classmethod
    def of(
        cls, trial: str, side: str, found_s: Floats, true_s: Floats, span_s: Floats
    ) -> Self:
        """Match strikes within the span (start, end) of the trial, world seconds."""
        inside = (true_s >= span_s[0]) & (true_s <= span_s[1])
        wanted = true_s[inside]
        if not wanted.size or not found_s.size:
            nan = float("nan")
            return cls(trial, side, wanted.size, 0, wanted.size, 0, nan, nan)
        nearest = np.abs(wanted[:, None] - found_s[None, :]).argmin(axis=1)
        error = found_s[nearest] - wanted
        hit = np.abs(error) <= MATCH_S
        ours = found_s[(found_s >= span_s[0]) & (found_s <= span_s[1])]
        apart = np.abs(ours[:, None] - true_s[None, :]).min(axis=1, initial=np.inf)
        return cls(
            trial,
            side,
            int(wanted.size),
            int(hit.sum()),
            int((~hit).sum()),
            int((apart > MATCH_S).sum()),
            float(np.median(error[hit]) * 1e3) if hit.any() else float("nan"),
            float(np.abs(error[hit]).max() * 1e3) if hit.any() else float("nan"),
        )

    @property
    def ok(self) -> bool:
        """Whether none is missed or made up, and all are near."""
        if self.true == 0:
            return self.false == 0
        near = abs(self.median_ms) <= STRIKE_MEDIAN_MS and self.max_ms <= STRIKE_MAX_MS
        return self.missed == 0 and self.false == 0 and near

    def cells(self) -> list[object]:
        errors = [f"{self.median_ms:+.1f}", f"{self.max_ms:.1f}"]
        counts = (self.true, self.found, self.missed, self.false)
        return [self.trial, self.side, *counts, *errors]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}
