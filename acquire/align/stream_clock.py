"""The aligned clock of one stream, in numbers and words for a report."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sync
from acquire.align.strike_check import StrikeCheck
from sync.clock_fit import Status

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SharedSkew:
    """Bounds of a clock's skew (no unit) by other trials of its session."""

    low: float
    high: float
    trials: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StreamClock:
    """The aligned clock of one stream.

    `index` and `time_s` have shape (n_rows,): the running sample index of every
    recorded row and its seconds on the reference clock (NaN where unknown).
    """

    name: str
    index: Array
    fit: sync.ClockFit
    time_s: Array
    gaps: tuple[sync.Gap, ...]
    edges: sync.Edges
    status: Status
    reasons: tuple[str, ...]
    counter_source: str = "none"
    has_trigger: bool = False
    edge_delay_s: float = 0.0
    start_aligned: bool = False  #: an imported file without the trigger line
    n_repeated: int = 0
    shared: SharedSkew | None = None  #: what the fit took from other trials
    strikes: StrikeCheck | None = None  #: what heel strikes say of the clock
    latency_source: str = ""

    @property
    def smallest_visible_loss(self) -> int | None:
        """The least number of samples that cannot be missing unseen; None: any may be.

        Between the first and the last edge, outside of the losses told. 1 where the
        device counts its samples.
        """
        if self.counter_source == "device":
            return 1
        if self.fit.method != "edges":
            return None
        known = (self.shared.low, self.shared.high) if self.shared else sync.ANY_SKEW
        return sync.smallest_visible_loss(self.fit, known)

    @property
    def n_lost(self) -> int:
        """Samples known to be missing, counted and inferred."""
        return sum(gap.n for gap in self.gaps)

    @property
    def completeness(self) -> str:
        """What is known of losses, in words."""
        inferred = [gap for gap in self.gaps if gap.kind == "inferred"]
        n_inferred = sum(gap.n for gap in inferred)
        width = sum(gap.n_half_width for gap in inferred)
        n_counted = self.n_lost - n_inferred
        parts = (
            [f"{n_counted} lost (counted)"] if self.counter_source == "device" else []
        )
        if inferred:
            parts.append(f"{with_bounds(n_inferred, width)} lost (inferred)")
        if self.counter_source != "device":
            least = self.smallest_visible_loss
            if least is None:
                parts += [] if inferred else ["losses: not known"]
            else:
                parts.append(f"fewer than {least} may be missing unseen between edges")
        return ", ".join(parts)

    def half_widths_s(self) -> tuple[float, float, float]:
        """Half-width of the interval at the first, middle and last row."""
        if self.index.size == 0:
            return (float("nan"),) * 3
        rows = self.index[[0, self.index.size // 2, -1]]
        start, middle, end = self.fit.half_width_s(rows).tolist()
        return start, middle, end

    def row(self) -> dict[str, Any]:
        """One line of the clock table."""
        start, middle, end = self.half_widths_s()
        residuals = np.abs(self.fit.residuals_s) * 1e3
        return {
            "stream": self.name,
            "status": self.status,
            "method": self.fit.method,
            "rows": int(self.index.size),
            "skew_ppm": known(self.fit.skew_ppm),
            "skew_half_width_ppm": known(self.fit.skew_half_width_ppm),
            "matched": self.fit.n_matched,
            "missed": self.fit.n_missed,
            "extra": self.fit.n_extra,
            "residual_median_ms": known(
                np.median(residuals) if residuals.size else np.nan
            ),
            "residual_p95_ms": known(
                np.quantile(residuals, 0.95) if residuals.size else np.nan
            ),
            "residual_max_ms": known(residuals.max() if residuals.size else np.nan),
            "half_width_start_ms": known(start * 1e3),
            "half_width_middle_ms": known(middle * 1e3),
            "half_width_end_ms": known(end * 1e3),
            "segments": len(self.fit.runs),
            "lost": self.n_lost,
            "repeated": self.n_repeated,
            "smallest_visible_loss": self.smallest_visible_loss,
            "completeness": self.completeness,
            "fit_of": f"session ({len(self.shared.trials) + 1} trials)"
            if self.shared
            else "trial",
            "edge_delay_ms": self.edge_delay_s * 1e3,
            "latency_source": self.latency_source,
            "strike_lag_ms": self.strikes.lag_s * 1e3 if self.strikes else None,
            "strike_half_width_ms": (
                self.strikes.half_width_s * 1e3 if self.strikes else None
            ),
            "strikes": self.strikes.words() if self.strikes else "",
            "reasons": "; ".join(self.reasons),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            **self.row(),
            "reasons": list(self.reasons),
            "offset_s": known(self.fit.offset_s),
            "ambiguity": self.fit.ambiguity,
            "shared_skew": {
                "low_ppm": self.shared.low * 1e6,
                "high_ppm": self.shared.high * 1e6,
                "trials": list(self.shared.trials),
            }
            if self.shared
            else None,
            "gaps": [
                {
                    "first_missing_index": gap.first_missing_index,
                    "n": gap.n,
                    "kind": gap.kind,
                    "n_half_width": gap.n_half_width,
                    "not_before": known(gap.not_before),
                    "not_after": known(gap.not_after),
                }
                for gap in self.gaps
            ],
            "segments": [
                {
                    "first": run.first,
                    "last": run.last,
                    "offset_s": run.offset_s,
                    "skew_ppm": run.skew_ppm,
                    "matched": run.n_matched,
                    "missed": run.n_missed,
                    "extra": run.n_extra,
                }
                for run in self.fit.runs
            ],
        }


def with_bounds(n: int, half_width: int) -> str:
    """Say a number, with its bounds unless it is certain."""
    return f"{n} ± {half_width}" if half_width else str(n)


def known(value: float) -> float | None:
    """Return a number as JSON has it: None where it is not known."""
    return float(value) if np.isfinite(value) else None
