"""Clocks, times and edges as the groups of a derived file."""

import json

import numpy as np

from acquire.align import Alignment, StreamClock
from acquire.storage.derived_file import Group


def clock_group(clock: StreamClock) -> Group:
    """Return one stream's fit: the report's numbers, segments, gaps and edges."""
    attributes: dict[str, str | int | float | bool] = {
        name: float("nan") if value is None else value
        for name, value in clock.row().items()
    }
    attributes |= {"rate_hz": clock.fit.rate_hz, "offset_s": clock.fit.offset_s}
    attributes["has_trigger"] = clock.has_trigger
    attributes["fit_trials"] = json.dumps(clock.shared.trials if clock.shared else [])
    runs = clock.fit.runs
    columns = ("first", "last", "offset_s", "skew_ppm", "n_matched")
    segments = {
        name: np.array([getattr(run, name) for run in runs], dtype=np.float64)
        for name in columns
    }
    gaps = {
        "first_missing_index": np.array([g.first_missing_index for g in clock.gaps]),
        "n": np.array([gap.n for gap in clock.gaps], dtype=np.int64),
        "kind": np.array([gap.kind for gap in clock.gaps], dtype=object),
        "n_half_width": np.array([g.n_half_width for g in clock.gaps], dtype=np.int64),
    }
    edges = {
        "index": clock.edges.index,
        "rising": clock.edges.rising,
        "half_width": clock.edges.half_width,
    }
    return Group(
        attributes=attributes,
        groups={
            "segments": Group(segments),
            "gaps": Group(gaps),
            "edges": Group(edges, units={"index": "samples", "half_width": "samples"}),
        },
    )


def time_group(alignment: Alignment, t0_s: float) -> Group:
    """Return the trial time of every recorded row of every stream."""
    times = {name: clock.time_s - t0_s for name, clock in alignment.streams.items()}
    return Group(times, units=dict.fromkeys(times, "s"))


def interval_group(alignment: Alignment) -> Group:
    """Return the half-width of the interval of every row's time, per stream."""
    widths = {
        name: np.asarray(clock.fit.half_width_s(clock.index), dtype=np.float32)
        for name, clock in alignment.streams.items()
    }
    return Group(widths, units=dict.fromkeys(widths, "s"))


def edge_group(alignment: Alignment, t0_s: float) -> Group:
    """Return the trigger line's edges as the reference clock saw them, trial time."""
    edges = alignment.edges
    return Group(
        {
            "time_s": edges.index - t0_s,
            "rising": edges.rising,
            "half_width_s": edges.half_width,
        },
        units={"time_s": "s", "half_width_s": "s"},
    )
