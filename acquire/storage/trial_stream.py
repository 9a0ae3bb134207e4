"""One stream as a group of the trial archive, and back."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import hdf5
from acquire.storage.recording import RecordedStream
from devices.stream import Channel, Counter, TriggerInput
from sync.counters import unwrap_counter
from sync.gaps import find_gaps

_PLAIN = (
    "name",
    "type",
    "source_id",
    "uid",
    "rate_hz",
    "dtype",
    "hostname",
    "generation",
    "simulated",
    "waveform",
    "header_xml",
)
_IRREGULAR_CHUNK_ROWS = 256
_OFFSET_COLUMNS = ("collection_time", "offset", "round_trip_time")
_GAP_COLUMNS = ("first_missing_index", "n_missing")


def running_index(stream: RecordedStream) -> NDArray[np.float64]:
    """Return the running sample number of every row, shape (n_samples,).

    It comes from the stream's counter, unwrapped; a stream without one is counted by
    its rows.
    """
    if stream.counter.source == "none" or stream.counter.channel not in stream.labels:
        return np.arange(len(stream.data), dtype=np.float64)
    values = stream.column(stream.counter.channel)
    return unwrap_counter(values, stream.counter.modulus)


def write_stream(group: Any, stream: RecordedStream) -> None:  # noqa: ANN401
    """Fill a group with data, stamps, running index, gaps, offsets and attributes."""
    for name in _PLAIN:
        hdf5.set_attribute(group, name, getattr(stream, name))
    _put_parts(group, "counter", stream.counter)
    if stream.trigger is not None:
        _put_parts(group, "trigger", stream.trigger)
    hdf5.set_text_list(group, "labels", stream.labels)
    hdf5.set_text_list(group, "units", [channel.unit for channel in stream.channels])
    rows = max(1, round(stream.rate_hz)) if stream.rate_hz else _IRREGULAR_CHUNK_ROWS
    t = hdf5.put_scale(group, "t_lsl", stream.t_lsl, chunk_rows=rows, unit="s")
    channel = hdf5.put_text_scale(group, "channel", stream.labels)
    for name in ("unit", "type"):
        values = np.array([getattr(c, name) for c in stream.channels], dtype=object)
        hdf5.put_text(group, f"channel_{name}", values, axes=[channel])
    put = hdf5.put_text if stream.dtype == "string" else hdf5.put
    put(group, "data", stream.data, axes=[t, channel], chunk_rows=rows)
    index = running_index(stream)
    hdf5.put(group, "index", index, axes=[t], chunk_rows=rows)
    gaps = [(gap.first_missing_index, gap.n) for gap in find_gaps(index)]
    _put_table(group, "gap", np.array(gaps, dtype=np.float64), _GAP_COLUMNS)
    _put_table(group, "offset", stream.offsets, _OFFSET_COLUMNS)


def read_stream(group: Any) -> RecordedStream:  # noqa: ANN401
    """Return the stream that `write_stream` put into a group."""
    values = {name: hdf5.get_attribute(group, name) for name in _PLAIN}
    columns = zip(
        *(
            hdf5.read_text(group[name]).tolist()
            for name in ("channel", "channel_unit", "channel_type")
        ),
        strict=True,
    )
    text = values["dtype"] == "string"
    return RecordedStream(
        **values,
        channels=tuple(Channel(*column) for column in columns),
        data=hdf5.read_text(group["data"]) if text else group["data"][()],
        t_lsl=group["t_lsl"][()],
        offsets=group["offsets"][()],
        counter=Counter(**_get_parts(group, "counter", Counter)),
        trigger=(
            TriggerInput(**_get_parts(group, "trigger", TriggerInput))
            if "trigger_kind" in group.attrs
            else None
        ),
    )


def _put_parts(group: Any, prefix: str, value: Counter | TriggerInput) -> None:  # noqa: ANN401
    for part in fields(value):
        hdf5.set_attribute(group, f"{prefix}_{part.name}", getattr(value, part.name))


def _get_parts(group: Any, prefix: str, kind: type) -> dict[str, Any]:  # noqa: ANN401
    return {
        part.name: hdf5.get_attribute(group, f"{prefix}_{part.name}")
        for part in fields(kind)
    }


def _put_table(
    group: Any,  # noqa: ANN401
    name: str,
    table: NDArray[np.float64],
    columns: tuple[str, ...],
) -> None:
    table = table.reshape(-1, len(columns))
    number = hdf5.put_scale(group, f"{name}_number", np.arange(len(table)))
    column = hdf5.put_text_scale(group, f"{name}_column", columns)
    hdf5.put(group, f"{name}s", table, axes=[number, column])
