"""What a device publishes: streams, described before the first sample arrives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

DType = Literal["float32", "float64", "int8", "int16", "int32", "int64", "string"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity of a stream; `unit` and `type` as the XDF metadata tables spell.

    `delay_s` says how much older than its sample's stamp the quantity is, where
    computing it took looking ahead.
    """

    label: str
    unit: str = ""
    type: str = ""
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Counter:
    """How samples are counted, so that losses can be counted too.

    `source` is ``device`` where the number comes over the wire and ``adapter`` where
    only the adapter counts what it received: then a loss upstream stays invisible.
    Consecutive samples differ by one, modulo `modulus`.
    """

    source: Literal["device", "adapter", "none"]
    channel: str = ""  #: label of the channel that holds it
    modulus: int = 2**24


@dataclass(frozen=True, slots=True)
class TriggerInput:
    """The channel in which this stream recorded the trigger line.

    `role` ``recorded``: data flow before, during and after; ``gates``: data flow only
    while the line is high, and the first sample may come up to `start_latency_max_s`
    after the rise. `edge_delay_s` is a known delay of the line itself (a filter, a
    receiver), removed from the edges before clocks are fitted.
    """

    channel: str = ""
    kind: Literal["analog", "digital"] = "analog"
    role: Literal["recorded", "gates"] = "recorded"
    edge_delay_s: float = 0.0
    start_latency_max_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """Channels that share a clock and a rate.

    `rate_hz` 0 means irregular. `serial` and `generation` make the LSL source id:
    ``kinemuse:<device>:<serial>:<stream>``, with ``:<generation>`` once it is not 0.
    `metadata` is nested text for the stream's XDF description (hardware, filters,
    synchronization, plates...).
    """

    name: str
    type: str
    rate_hz: float
    channels: tuple[Channel, ...]
    dtype: DType = "float32"
    serial: str = "0"
    generation: int = 0
    counter: Counter = field(default_factory=lambda: Counter("none"))
    trigger: TriggerInput | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = [channel.label for channel in self.channels]
        if len(set(labels)) < len(labels):
            doubled = sorted({label for label in labels if labels.count(label) > 1})
            raise ValueError(f"{self.name}: channel labels appear twice: {doubled}")
        for what, label in (
            ("counter", self.counter.channel),
            ("trigger", self.trigger.channel if self.trigger else ""),
        ):
            if label and label not in labels:
                raise ValueError(
                    f"{self.name}: {what} channel {label!r} is not one of {labels[:8]}"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive samples of one stream.

    `samples` has shape (n_samples, n_channels) and the spec's dtype. `t_last`, in
    seconds on the host clock given to the adapter, belongs to the last sample: the
    arrival of its last byte less the latency the device itself reports. Irregular
    streams send one sample per chunk.
    """

    stream: str
    samples: NDArray[Any]
    t_last: float

    def __post_init__(self) -> None:
        if self.samples.ndim != 2:
            raise ValueError(
                f"{self.stream}: samples have shape {self.samples.shape}, "
                "not (n_samples, n_channels)"
            )
        if not np.isfinite(self.t_last):
            raise ValueError(f"{self.stream}: t_last is {self.t_last}")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator or the record should know, beside the samples."""

    severity: Literal["info", "warning", "error"]
    code: str  #: stable, e.g. ``gap``, ``reconnected``, ``crc``
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
