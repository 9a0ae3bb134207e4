"""What pyxdf makes of the same file, beside our clocks."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.align.alignment import Alignment

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrossCheck:
    """Rows of `compare_stamps` by stream, or why there are none."""

    rows: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    why_not: str = ""

    def words(self, stream: str) -> str:
        """Say it in one cell of a table."""
        if self.why_not:
            return self.why_not
        row = self.rows.get(stream)
        if row is None:
            return "-"
        return f"{row['median_ms']:+.1f}, max {row['max_ms']:.1f}"

    def to_json(self) -> dict[str, Any]:
        return {"streams": dict(self.rows), "why_not": self.why_not}


def cross_check(path: Path, alignment: Alignment) -> CrossCheck:
    """Compare an alignment with what pyxdf, if it is installed, makes of its file."""
    if path.suffix not in (".xdf", ".xdfz"):
        return CrossCheck(why_not="no XDF")
    try:
        stamps = pyxdf_stamps(path)
    except Exception as error:  # a file that it cannot read is a finding of its own
        return CrossCheck(why_not=f"pyxdf fails: {type(error).__name__}")
    if stamps is None:
        return CrossCheck(why_not="pyxdf not installed")
    found = compare_stamps(alignment, stamps)
    return CrossCheck({str(row.pop("stream")): row for row in found})


def pyxdf_stamps(path: Path) -> dict[str, Array] | None:
    """Return the corrected stamps pyxdf gives each stream; None without pyxdf."""
    try:
        pyxdf = importlib.import_module("pyxdf")
    except ImportError:
        return None
    streams, _ = pyxdf.load_xdf(str(path), verbose=False)
    found: dict[str, Array] = {}
    for stream in streams:
        name = str(stream["info"]["name"][0])
        found.setdefault(name, np.asarray(stream["time_stamps"], dtype=np.float64))
    return found


def compare_stamps(
    alignment: Alignment, stamps: Mapping[str, Array]
) -> list[dict[str, Any]]:
    """Return per stream how far other stamps are from the aligned times, in ms.

    Each difference is relative to that of the reference stream, row by row in time, so
    that neither origin nor skew of the two clocks counts. Streams of another number of
    rows are left out.
    """
    base = _difference(alignment, stamps, alignment.reference)
    rows = []
    for name in alignment.streams:
        apart = _difference(alignment, stamps, name)
        if apart is None or not np.isfinite(apart[1]).any():
            continue
        times, shift = apart
        if base is not None:
            shift = shift - np.interp(times, *_line(*base))
        shift = shift * 1e3
        rows.append(
            {
                "stream": name,
                "median_ms": float(np.nanmedian(shift)),
                "max_ms": float(np.nanmax(np.abs(shift))),
                "span_ms": float(np.nanmax(shift) - np.nanmin(shift)),
            }
        )
    return rows


def _difference(
    alignment: Alignment, stamps: Mapping[str, Array], name: str
) -> tuple[Array, Array] | None:
    clock, other = alignment.streams.get(name), stamps.get(name)
    if clock is None or other is None or other.size != clock.time_s.size:
        return None
    return (clock.time_s, other - clock.time_s) if other.size else None


def _line(times: Array, shift: Array) -> tuple[Array, Array]:
    """Return the ends of the straight line through what two clocks are apart."""
    known = np.isfinite(times) & np.isfinite(shift)
    if known.sum() < 2 or np.ptp(times[known]) == 0.0:
        middle = float(np.median(shift[known])) if known.any() else 0.0
        return np.array([-np.inf, np.inf]), np.array([middle, middle])
    x = times[known]
    centre = float(x.mean())
    slope = float(np.polyfit(x - centre, shift[known], 1)[0])
    level = float(np.median(shift[known] - slope * (x - centre)))
    ends = np.array([x.min() - 3600.0, x.max() + 3600.0])
    return ends, level + slope * (ends - centre)
