"""Edges of the trigger line as each stream recorded it, kept in the trial archive."""

from typing import Any

import numpy as np

from acquire.storage import hdf5
from acquire.storage.recording import RecordedStream
from acquire.storage.trial_stream import running_index
from sync import NO_EDGES, Edges, find_edges, find_resets

_MIN_WIDTH_S = 0.02  #: shorter states are contact bounce


def recorded_edges(stream: RecordedStream) -> Edges:
    """Return the edges in a stream's trigger channel, in running sample numbers.

    Nothing is corrected: no line delay, no start latency of a gated stream. Where the
    device restarted its count, edges follow one stretch after the other.
    """
    if stream.trigger is None or stream.trigger.channel not in stream.labels:
        return NO_EDGES
    level = stream.column(stream.trigger.channel)
    index = running_index(stream)
    width = max(1.0, _MIN_WIDTH_S * stream.rate_hz)
    stretches = [
        find_edges(level[rows], min_width_samples=width, index=index[rows])
        for rows in np.split(np.arange(index.size), find_resets(index))
        if rows.size
    ]
    return Edges(
        np.concatenate([np.empty(0), *(part.index for part in stretches)]),
        np.concatenate([np.empty(0, bool), *(part.rising for part in stretches)]),
        np.concatenate([np.empty(0), *(part.half_width for part in stretches)]),
    )


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
