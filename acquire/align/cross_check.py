"""What pyxdf makes of the same file, beside our clocks."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.align import Alignment


def pyxdf_stamps(path: Path) -> dict[str, NDArray[np.float64]] | None:
    """Return the corrected stamps pyxdf gives each stream; None without pyxdf."""
    try:
        pyxdf = importlib.import_module("pyxdf")
    except ImportError:
        return None
    streams, _ = pyxdf.load_xdf(str(path), verbose=False)
    found: dict[str, NDArray[np.float64]] = {}
    for stream in streams:
        name = str(stream["info"]["name"][0])
        found.setdefault(name, np.asarray(stream["time_stamps"], dtype=np.float64))
    return found


def compare_stamps(
    alignment: Alignment, stamps: Mapping[str, NDArray[np.float64]]
) -> list[dict[str, Any]]:
    """Return per stream how far other stamps are from the aligned times, in ms.

    Each difference is relative to that of the reference stream, so that a common origin
    does not count. Streams of another number of rows are left out.
    """
    base = _difference(alignment, stamps, alignment.reference)
    zero = float(np.nanmedian(base)) if base is not None else 0.0
    rows = []
    for name in alignment.streams:
        apart = _difference(alignment, stamps, name)
        if apart is None or not np.isfinite(apart).any():
            continue
        apart = (apart - zero) * 1e3
        rows.append(
            {
                "stream": name,
                "median_ms": float(np.nanmedian(apart)),
                "max_ms": float(np.nanmax(np.abs(apart))),
                "span_ms": float(np.nanmax(apart) - np.nanmin(apart)),
            }
        )
    return rows


def _difference(
    alignment: Alignment, stamps: Mapping[str, NDArray[np.float64]], name: str
) -> NDArray[np.float64] | None:
    clock, other = alignment.streams.get(name), stamps.get(name)
    if clock is None or other is None or other.size != clock.time_s.size:
        return None
    return np.asarray(other - clock.time_s) if other.size else None
