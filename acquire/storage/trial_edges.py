"""Edges of the trigger line as each stream recorded it, kept in the trial archive."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import hdf5
from acquire.storage.recording import RecordedStream
from acquire.storage.trial_stream import running_index
from sync import NO_EDGES, Edges, find_edges, find_resets

_MIN_WIDTH_S = 0.003  #: shorter states of an analog line are contact bounce


def recorded_edges(stream: RecordedStream) -> Edges:
    """Return the edges a stream's recorded trigger shows, in running sample numbers.

    Nothing is corrected: no delay of the line is removed. Of a stream that the line
    gates, start and end of the flow stand for rise and fall. Where a device restarted
    its count, edges follow one stretch after the other.
    """
    trigger, index = stream.trigger, running_index(stream)
    if trigger is None or not index.size:
        return NO_EDGES
    if trigger.role == "gates":
        ends = np.array([np.nanmin(index) - 0.5, np.nanmax(index) + 0.5])
        late = trigger.start_latency_max_s * stream.rate_hz
        return Edges(ends, np.array([True, False]), np.array([0.5 + late, 0.5]))
    if trigger.channel not in stream.labels:
        return NO_EDGES
    level = stream.column(trigger.channel).astype(np.float64)
    analog = trigger.kind == "analog"
    width = max(2.0, _MIN_WIDTH_S * stream.rate_hz) if analog else 1.0
    stretches = [
        find_edges(level[rows], min_width_samples=width, index=index[rows])
        for rows in _stretches(index)
    ]
    return Edges(
        np.concatenate([np.empty(0), *(part.index for part in stretches)]),
        np.concatenate([np.empty(0, bool), *(part.rising for part in stretches)]),
        np.concatenate([np.empty(0), *(part.half_width for part in stretches)]),
    )


def _stretches(index: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """Yield rows between restarts of the count, repeated samples left out."""
    for rows in np.split(np.arange(index.size), find_resets(index)):
        count = index[rows]
        fresh = np.diff(np.fmax.accumulate(count), prepend=-np.inf) > 0
        if fresh.any():
            yield rows[fresh]


def write_edges(parent: Any, name: str, stream: RecordedStream) -> None:  # noqa: ANN401
    """Write the edges of a stream that has a trigger; others get no group."""
    if stream.trigger is None:
        return
    group = parent.create_group(name)
    edges = recorded_edges(stream)
    at = hdf5.put_scale(group, "index", edges.index)
    hdf5.put(group, "rising", edges.rising, axes=[at])
    hdf5.put(group, "half_width", edges.half_width, axes=[at])


def read_edges(parent: Any, name: str) -> Edges:  # noqa: ANN401
    """Return what `write_edges` wrote; no edges where the stream has no trigger."""
    if name not in parent:
        return NO_EDGES
    group = parent[name]
    return Edges(*(group[part][()] for part in ("index", "rising", "half_width")))
