"""The rows of the comparison with the truth, and when each of them is good."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MATCH_S = 0.05  #: a strike found further from a true one than this is another one
STRIKE_MEDIAN_MS = 10.0
STRIKE_MAX_MS = 25.0
FAST_HZ = 1000.0  #: promises: 1 ms from this rate on, 10 ms below, with pulses
FAST_MS, SLOW_MS = 1.0, 10.0
BESIDE_LOSS_S = 0.005  #: times less sure than this, and than most, lie beside a loss
ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class ClockError:
    """Aligned times of one stream beside the true ones, in ms.

    Where samples were lost unseen, only the two trigger edges around them are known;
    rows in between say so by a wide interval, and are summarised apart.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("trial", "stream", "status", "rows", "median ms", "max ms", "± ms"),
        *("beside loss", "max there", "truth inside"),
    )
    trial: str
    stream: str
    status: str
    rows: int
    median_ms: float
    max_ms: float
    stated_ms: float
    beside_rows: int
    beside_max_ms: float
    inside_share: float
    limit_ms: float | None

    @classmethod
    def of(
        cls,
        trial: str,
        stream: str,
        status: str,
        error_s: Floats,
        width_s: Floats,
        limit_ms: float | None = None,
    ) -> Self:
        """Summarise errors (n,) of rows whose times have half-widths (n,).

        `limit_ms` is the largest error promised, None where only the interval is.
        """
        known = np.isfinite(error_s) & np.isfinite(width_s)
        size, width = np.abs(error_s[known]), width_s[known]
        if not size.size:
            nan = float("nan")
            return cls(trial, stream, status, 0, nan, nan, nan, 0, nan, 0.0, limit_ms)
        beside = width > max(BESIDE_LOSS_S, 3 * float(np.median(width)))
        return cls(
            trial,
            stream,
            status,
            int(size.size),
            float(np.median(size) * 1e3),
            float(size[~beside].max() * 1e3),
            float(width[~beside].max() * 1e3),
            int(np.count_nonzero(beside)),
            float(size[beside].max() * 1e3) if beside.any() else float("nan"),
            float(np.mean(size <= width + ROUNDING_S)),
            limit_ms,
        )

    @property
    def ok(self) -> bool:
        """Whether every stated interval holds the truth, and the limit is kept."""
        kept = self.limit_ms is None or self.max_ms <= self.limit_ms
        return self.rows > 0 and self.inside_share == 1.0 and kept

    def cells(self) -> list[object]:
        inside = f"{100 * self.inside_share:.2f} % of rows"
        if self.inside_share == 1.0:
            inside = "yes"
        numbers = (self.median_ms, self.max_ms, self.stated_ms)
        shown = [f"{number:.3f}" for number in numbers]
        beside = [str(self.beside_rows), f"{self.beside_max_ms:.3f}"]
        beside = beside if self.beside_rows else ["0", ""]
        return [
            self.trial,
            self.stream,
            self.status,
            self.rows,
            *shown,
            *beside,
            inside,
        ]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def promised_ms(rate_hz: float, waveform: str) -> float | None:
    """Return the largest error promised of a stream, None where none is."""
    if waveform != "level+pulses":
        return None
    return FAST_MS if rate_hz >= FAST_HZ else SLOW_MS


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
        *("median ms", "max ms"),
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
