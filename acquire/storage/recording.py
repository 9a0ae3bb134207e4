"""A recording in memory: what the XDF reader and the archive reader both return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.stream import Channel, Counter, TriggerInput


@dataclass(frozen=True, eq=False)
class RecordedStream:
    """One stream as recorded: raw stamps, raw offsets, nothing corrected.

    `data` has shape (n_samples, n_channels) in the recorded dtype; for string
    streams it is an object array of shape (n_samples, 1). `t_lsl`, shape
    (n_samples,), holds the stamps of the source's clock as sent. `offsets` has
    columns collection time (source clock), offset and round-trip time in seconds;
    the round-trip time is NaN where the file does not hold it.
    """

    name: str
    type: str
    source_id: str
    uid: str
    rate_hz: float
    dtype: str
    channels: tuple[Channel, ...]
    data: NDArray[Any]
    t_lsl: NDArray[np.float64]
    offsets: NDArray[np.float64]
    header_xml: str
    counter: Counter = field(default_factory=lambda: Counter("none"))
    trigger: TriggerInput | None = None
    waveform: str = "unknown"  #: level | level+pulses | unknown
    simulated: bool = False
    hostname: str = ""
    generation: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(channel.label for channel in self.channels)

    def column(self, label: str) -> NDArray[Any]:
        """Return one channel, shape (n_samples,)."""
        try:
            return np.asarray(self.data[:, self.labels.index(label)])
        except ValueError:
            raise KeyError(
                f"{self.name} has no channel {label!r}; it has {list(self.labels)[:20]}"
            ) from None


@dataclass(frozen=True, eq=False)
class Recording:
    """All streams of one file, in file order.

    A stream that closed and came back with another marker set appears once per
    generation. `complete` is False for a recording that was cut off; `attributes`
    hold what the file says of the trial (participant, condition, take...).
    """

    path: Path
    streams: tuple[RecordedStream, ...]
    complete: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()  #: damage found while reading, in words

    def __getitem__(self, name: str) -> RecordedStream:
        found = [stream for stream in self.streams if stream.name == name]
        if not found:
            have = [stream.name for stream in self.streams]
            raise KeyError(f"{self.path.name} has no stream {name!r}; it has {have}")
        return found[0]

    def __contains__(self, name: object) -> bool:
        return any(stream.name == name for stream in self.streams)
