"""Clock alignment: pure functions of arrays."""

from sync.breaks import find_stamp_steps
from sync.clock_fit import ClockFit, Run, Step, worst
from sync.counters import unwrap_counter
from sync.crossings import find_edges
from sync.edges import NO_EDGES, Edges
from sync.exact import exact_clock
from sync.fit import fit_clock
from sync.gaps import Gap, find_gaps, find_resets
from sync.hidden import ANY_SKEW, smallest_visible_loss
from sync.levels import Levels, find_levels
from sync.moved import moved
from sync.offsets import apply_offsets
from sync.runs import step_size_s
from sync.skews import skew_range, with_skews_within
from sync.stamps import fit_stamps, stamps_as_clock

__all__ = [
    "ANY_SKEW",
    "NO_EDGES",
    "ClockFit",
    "Edges",
    "Gap",
    "Levels",
    "Run",
    "Step",
    "apply_offsets",
    "exact_clock",
    "find_edges",
    "find_gaps",
    "find_levels",
    "find_resets",
    "find_stamp_steps",
    "fit_clock",
    "fit_stamps",
    "moved",
    "skew_range",
    "smallest_visible_loss",
    "stamps_as_clock",
    "step_size_s",
    "unwrap_counter",
    "with_skews_within",
    "worst",
]
