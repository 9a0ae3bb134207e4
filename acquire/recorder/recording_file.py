"""One file of a recording: the streams as they came, and what the recorder adds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.lsl.inlet import Offset
from acquire.recorder.stream import Samples, StreamWorker
from acquire.storage.stream_description import header_xml
from acquire.storage.xdf import XdfWriter
from devices.stream import Channel, StreamSpec

OFFSETS = StreamSpec(
    "kinemuse-offsets",
    "ClockOffsets",
    0.0,
    (
        Channel("stream_id"),
        Channel("local_time", "s"),
        Channel("offset", "s"),
        Channel("rtt", "s"),
    ),
    dtype="float64",
)
NOTES = StreamSpec(
    "kinemuse-recorder", "Markers", 0.0, (Channel("event", "", "JSON"),), dtype="string"
)


@dataclass
class WrittenStream:
    """What went into a file from one stream."""

    stream_id: int
    worker: StreamWorker
    n_samples: int = 0
    n_offsets: int = 0
    offset: Offset | None = None  #: the latest


class RecordingFile:
    """Puts streams, clock offsets and notes of the recorder into one XDF file."""

    def __init__(
        self,
        path: Path,
        *,
        t_created_s: float,
        simulated: bool = False,
        make_writer: Callable[[Path], XdfWriter] = XdfWriter,
    ) -> None:
        self.path = path
        self.written: dict[str, WrittenStream] = {}
        self.xdf = make_writer(path)
        own = {"device": "recorder", "kind": "recorder", "simulated": simulated}
        self._offsets_id = self._add_own(OFFSETS, own, t_created_s)
        self._notes_id = self._add_own(NOTES, own, t_created_s)

    def begin_like(self, earlier: "RecordingFile") -> None:
        """Have all streams of an earlier file, with their latest clock offsets."""
        for written in earlier.written.values():
            self.add_stream(written.worker)
            if written.offset is not None:
                self.add_offset(written.worker, written.offset)

    def add_stream(self, stream: StreamWorker) -> WrittenStream:
        """Have a stream in the file, even if it never sends a sample."""
        if stream.key not in self.written:
            header = stream.header
            stream_id = self.xdf.add_stream(
                stream.header_xml, header.dtype, len(header.channels), header.rate_hz
            )
            self.written[stream.key] = WrittenStream(stream_id, stream)
        self.written[stream.key].worker = stream  # another inlet may have taken over
        return self.written[stream.key]

    def add_samples(
        self, stream: StreamWorker, samples: Samples, stamps: NDArray[np.float64]
    ) -> None:
        written = self.add_stream(stream)
        rows = _rows(samples, len(stream.header.channels))
        self.xdf.write_samples(written.stream_id, rows, stamps)
        written.n_samples += len(stamps)

    def add_offset(self, stream: StreamWorker, offset: Offset) -> None:
        """Store a measurement as XDF knows it, and its round trip beside it."""
        written = self.add_stream(stream)
        local_time_s = offset.remote_time_s + offset.offset_s
        self.xdf.write_offset(written.stream_id, offset.remote_time_s, offset.offset_s)
        row = [written.stream_id, local_time_s, offset.offset_s, offset.rtt_s]
        self.xdf.write_samples(
            self._offsets_id, np.array([row], dtype=np.float64), [local_time_s]
        )
        written.n_offsets += 1
        written.offset = offset

    def add_note(self, t_s: float, text: str) -> None:
        """Store an event of the recorder itself, JSON."""
        self.xdf.write_samples(self._notes_id, [text], [t_s])

    def _add_own(
        self, spec: StreamSpec, own: Mapping[str, Any], t_created_s: float
    ) -> int:
        xml = header_xml(spec, **own, created_at_s=t_created_s)
        return self.xdf.add_stream(xml, spec.dtype, len(spec.channels), spec.rate_hz)


def next_path(first: Path) -> Path:
    """Return the first free name for a file that goes on with `first`.

    ``walk.xdf`` is followed by ``walk_part2.xdf``, ``walk_part3.xdf``...
    """
    for number in count(2):
        path = first.with_stem(f"{first.stem}_part{number}")
        if not path.exists():
            return path
    raise AssertionError("numbers do not end")


def _rows(samples: Samples, n_channels: int) -> Any:  # noqa: ANN401 (as XdfWriter)
    if not isinstance(samples, list) or n_channels == 1:
        return samples
    return [samples[k : k + n_channels] for k in range(0, len(samples), n_channels)]
