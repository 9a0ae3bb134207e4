"""Publish one stream of a device."""

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from acquire.lsl.binding import pylsl
from acquire.storage.stream_description import LSL_FORMAT, describe, source_id
from devices.stream import Chunk, StreamSpec

MAX_BUFFERED_S = 360


class Outlet:
    """A stream on the network from construction to `close`.

    One thread pushes and closes. A slow reader never blocks it: what is older than
    `MAX_BUFFERED_S` is dropped for that reader, and the counter shows it.
    """

    def __init__(
        self,
        spec: StreamSpec,
        *,
        device: str,
        kind: str,
        simulated: bool,
        waveform: str = "unknown",
    ) -> None:
        self.spec = spec
        self.source_id = source_id(spec, device)
        info = pylsl.StreamInfo(
            spec.name,
            spec.type,
            len(spec.channels),
            spec.rate_hz,
            LSL_FORMAT[spec.dtype],
            self.source_id,
        )
        desc = describe(
            spec, device=device, kind=kind, simulated=simulated, waveform=waveform
        )
        _copy(desc, info.desc())
        self._outlet: Any = pylsl.StreamOutlet(info, 0, MAX_BUFFERED_S)
        self.uid = str(self._outlet.get_info().uid())
        self._dtype = None if spec.dtype == "string" else np.dtype(spec.dtype)

    def push(self, chunk: Chunk) -> None:
        """Send a chunk; its stamp belongs to the last sample.

        Earlier samples follow at 1/rate. An array of another sample type or width
        is an error: converting in silence could wrap integers.
        """
        if self._outlet is None:
            raise ValueError(f"{self.spec.name}: the outlet is closed")
        n_channels = len(self.spec.channels)
        if chunk.samples.shape[1] != n_channels:
            raise ValueError(
                f"{self.spec.name}: a chunk has {chunk.samples.shape[1]} channels, "
                f"the stream has {n_channels}"
            )
        if not len(chunk.samples):
            return
        if self._dtype is None:
            texts = [str(value) for row in chunk.samples for value in row]
            self._outlet.push_chunk(texts, chunk.t_last)
            return
        if chunk.samples.dtype != self._dtype:
            raise ValueError(
                f"{self.spec.name}: a chunk holds {chunk.samples.dtype}, "
                f"the stream {self._dtype}"
            )
        self._outlet.push_chunk(chunk.samples, chunk.t_last)

    def push_text(self, text: str, t_s: float) -> None:
        """Send one sample of a string stream, stamped `t_s`."""
        if self._outlet is None:
            raise ValueError(f"{self.spec.name}: the outlet is closed")
        if self._dtype is not None or len(self.spec.channels) != 1:
            raise ValueError(f"{self.spec.name} is not a stream of single texts")
        self._outlet.push_chunk([text], t_s)

    def have_consumers(self) -> bool:
        """Whether anybody reads the stream."""
        return self._outlet is not None and bool(self._outlet.have_consumers())

    def close(self) -> None:
        """Take the stream off the network; legal twice."""
        self._outlet = None  # pylsl destroys it with the last reference


def _copy(source: ET.Element, target: Any) -> None:  # noqa: ANN401 (pylsl is untyped)
    for child in source:
        if len(child):
            _copy(child, target.append_child(child.tag))
        else:
            target.append_child_value(child.tag, child.text or "")
