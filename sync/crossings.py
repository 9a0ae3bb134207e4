"""Find the edges of a sampled trigger line."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sync.edges import NO_EDGES, Edges
from sync.levels import Levels, find_levels

_LOW_SHARE, _HIGH_SHARE = 0.3, 0.7  #: Schmitt thresholds between the levels
_SETTLED_SHARE = 0.15  #: a sample this far off both levels lies on a slope


def find_edges(
    level: ArrayLike, *, min_width_samples: float = 2, index: ArrayLike | None = None
) -> Edges:
    """Return the edges of a trigger line sampled as `level`, shape (n_samples,).

    Sample k is taken at index k, or at `index[k]` when given (unwrapped counts,
    increasing; an edge inside a gap gets the gap as its bounds). Works for analog and
    digital lines: the instant is the linearly interpolated crossing of the midpoint
    between the two levels, which for two settled samples is the middle between them;
    the half-width reaches to the samples on either side. A state shorter than
    `min_width_samples` is no state: a glitch vanishes, and contact bounce leaves its
    first edge, with bounds that reach to the last one. Samples that are NaN are
    bridged. A line that never moves between two levels has no edges (`find_levels`
    says why).
    """
    values = np.asarray(level, dtype=np.float64).reshape(-1)
    at = (
        np.arange(values.size, dtype=np.float64)
        if index is None
        else np.asarray(index, dtype=np.float64).reshape(-1)
    )
    if at.size != values.size:
        raise ValueError(f"{values.size} samples of level, but {at.size} indices")
    good = np.isfinite(values) & np.isfinite(at)
    values, at = values[good], at[good]
    levels = find_levels(values, min_samples=max(1, round(min_width_samples)))
    if levels.state != "ok":
        return NO_EDGES
    flips = _flips(values, levels)
    first, last, rising = _debounce(flips, values, at, min_width_samples, levels)
    if first.size == 0:
        return NO_EDGES
    centre, width = _crossing(values, at, first, rising, levels)
    late, late_width = _crossing(values, at, last, rising, levels)
    width = np.maximum(width, late + late_width - centre)
    return Edges(centre, rising, width)


def _flips(values: NDArray[np.float64], levels: Levels) -> NDArray[np.intp]:
    """Positions of the first sample of each new state under hysteresis."""
    state = np.zeros(values.size, dtype=np.int8)
    state[values >= levels.low + _HIGH_SHARE * levels.amplitude] = 1
    state[values <= levels.low + _LOW_SHARE * levels.amplitude] = -1
    known = np.flatnonzero(state)
    change = np.flatnonzero(np.diff(state[known])) + 1
    return known[change]


def _debounce(
    flips: NDArray[np.intp],
    values: NDArray[np.float64],
    at: NDArray[np.float64],
    min_width: float,
    levels: Levels,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """First and last flip of each lasting change of state, and its direction."""
    middle = levels.low + 0.5 * levels.amplitude
    starts = np.concatenate(([at[0]], at[flips]))
    ends = np.concatenate((at[flips], [at[-1] + 1.0]))
    lasting = np.flatnonzero(ends - starts >= min_width)
    if lasting.size < 2:
        empty = np.empty(0, dtype=np.intp)
        return empty, empty, np.empty(0, dtype=np.bool_)
    # state s starts with flip s - 1; states alternate, so parity tells the level
    before, after = lasting[:-1], lasting[1:]
    changed = (after - before) % 2 == 1
    first, last = flips[before[changed]], flips[after[changed] - 1]
    return first, last, values[last] > middle


def _crossing(
    values: NDArray[np.float64],
    at: NDArray[np.float64],
    flip: NDArray[np.intp],
    rising: NDArray[np.bool_],
    levels: Levels,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolated midpoint crossing before each flip, with its half-width."""
    middle = levels.low + 0.5 * levels.amplitude
    high = values >= middle
    up = np.flatnonzero(~high[:-1] & high[1:])
    down = np.flatnonzero(high[:-1] & ~high[1:])
    before = np.maximum(flip - 1, 0)
    for crossings, mask in ((up, rising), (down, ~rising)):
        if crossings.size == 0:
            continue
        found = np.searchsorted(crossings, flip, side="left") - 1
        usable = mask & (found >= 0)
        before = np.where(usable, crossings[np.maximum(found, 0)], before)
    after = np.minimum(before + 1, values.size - 1)
    step = values[after] - values[before]
    share = np.where(
        step != 0.0, (middle - values[before]) / np.where(step, step, 1), 0.5
    )
    share = np.clip(share, 0.0, 1.0)
    span = at[after] - at[before]
    centre = at[before] + share * span
    width = np.maximum(share, 1.0 - share) * span
    settled = np.minimum(
        np.minimum(abs(values[before] - levels.low), abs(values[before] - levels.high)),
        np.minimum(abs(values[after] - levels.low), abs(values[after] - levels.high)),
    )
    slope = np.abs(step) / np.where(span > 0, span, 1.0)
    wobble = 3.0 * levels.noise / np.where(slope > 0, slope, np.inf)
    on_slope = (settled > _SETTLED_SHARE * levels.amplitude) | (
        np.abs(step) < (1.0 - 2.0 * _SETTLED_SHARE) * levels.amplitude
    )
    return centre, width + np.where(on_slope, wobble, 0.0)
