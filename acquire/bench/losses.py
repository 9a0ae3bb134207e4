"""What a recording of the load lacks, by the counters in the file alone.

Made for files of ours and of LabRecorder, which leaves out most stamps; in memory of
one block, so that hours can be counted too.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.stream_header import StreamHeader, parse_header
from acquire.storage.xdf_feed import ChunkFeed, read_blocks, stamped_rows

Rows = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass
class CountedStream:
    """One stream of the load, as far as its file was read."""

    header: StreamHeader
    n_samples: int = 0
    n_lost: int = 0
    n_repeated: int = 0
    t_first: float = float("nan")
    t_last: float = float("nan")
    _last: int | None = None

    def add(self, content: bytes) -> Rows:
        """Take a Samples chunk; return its numbers and stamps in s, shape (n,)."""
        numbers, stamps = self._rows(content)
        if numbers.size:
            first = numbers[0] - 1 if self._last is None else self._last
            steps = np.diff(numbers, prepend=first)
            if self.header.dtype != "string":
                steps %= self.header.counter.modulus
            self.n_lost += int(np.maximum(steps - 1, 0).sum())
            self.n_repeated += int((steps < 1).sum())
            self._last = int(numbers[-1])
            if not self.n_samples:
                self.t_first = float(stamps[0])
            self.t_last = float(stamps[-1])
            self.n_samples += numbers.size
        return numbers, stamps

    def _rows(self, content: bytes) -> Rows:
        if self.header.dtype == "string":
            return self._texts(content)
        layout = xdf.row_dtype(
            self.header.dtype, len(self.header.channels), stamped=True
        )
        rows = stamped_rows(content, layout)
        if rows is not None:
            return rows["values"][:, 0].astype(np.int64), rows["t"].astype(np.float64)
        return self._mixed(content, layout["values"])

    def _mixed(self, content: bytes, values: np.dtype[Any]) -> Rows:
        """Read rows of which some have a stamp and the others follow at the rate."""
        n, at = xdf.read_varlen(content, 4, len(content))
        one = struct.Struct("<" + values.base.char)
        numbers, stamps = np.empty(n, np.int64), np.empty(n)
        t = self.t_last
        for k in range(n):
            width = content[at]
            t = _stamp(content, at) if width else t + 1.0 / self.header.rate_hz
            (number,) = one.unpack_from(content, at + 1 + width)
            numbers[k], stamps[k] = number, t
            at += 1 + width + values.itemsize
        return numbers, stamps

    def _texts(self, content: bytes) -> Rows:
        n, at = xdf.read_varlen(content, 4, len(content))
        numbers, stamps = np.empty(n, np.int64), np.empty(n)
        for k in range(n):
            width = content[at]
            stamps[k] = _stamp(content, at) if width else np.nan
            length, begin = xdf.read_varlen(content, at + 1 + width, len(content))
            at = begin + length
            numbers[k] = json.loads(content[begin:at])["n"]
        return numbers, stamps


class LoadFile:
    """The streams of the load in an XDF file, read from its bytes as they come."""

    def __init__(self) -> None:
        self.streams: dict[str, CountedStream] = {}
        self._feed = ChunkFeed()
        self._by_id: dict[int, CountedStream] = {}

    def feed(self, block: bytes) -> list[tuple[CountedStream, Rows]]:
        """Return stream, numbers and stamps of every Samples chunk now complete."""
        seen = []
        for tag, content in self._feed.feed(block):
            if tag not in (xdf.STREAM_HEADER, xdf.SAMPLES):
                continue
            (stream_id,) = struct.unpack_from("<I", content)
            if tag == xdf.SAMPLES and stream_id in self._by_id:
                stream = self._by_id[stream_id]
                seen.append((stream, stream.add(content)))
            elif tag == xdf.STREAM_HEADER:
                header = parse_header(content[4:])
                if header.name.startswith("load-"):
                    stream = CountedStream(header)
                    self._by_id[stream_id] = self.streams[header.name] = stream
        return seen


def count_losses(path: Path) -> dict[str, CountedStream]:
    """Return the streams of the load in `path` by name."""
    file = LoadFile()
    for block in read_blocks(path):
        file.feed(block)
    return file.streams


def total_lost(path: Path) -> int:
    """Return how many samples of the load `path` lacks or holds twice."""
    streams = count_losses(path).values()
    return sum(stream.n_lost + stream.n_repeated for stream in streams)


def _stamp(content: bytes, at: int) -> float:
    (t,) = struct.unpack_from("<d", content, at + 1)
    return float(t)
