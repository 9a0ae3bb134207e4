"""Read a finished recording back in little memory, however long it is."""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.recorder.watch import CounterWatch
from acquire.storage import xdf_format as xdf
from acquire.storage.stream_header import StreamHeader, parse_header
from acquire.storage.xdf_feed import ChunkFeed, read_blocks, stamped_rows
from acquire.storage.xdf_journal import journal_path

_ROWS_AT_ONCE = 8192


@dataclass
class ReadStream:
    """What a file holds of one stream; losses are those its counter shows."""

    header: StreamHeader
    n_samples: int = 0
    n_offsets: int = 0
    has_footer: bool = False
    t_first: float = float("nan")
    t_last: float = float("nan")
    counter: CounterWatch = field(init=False)
    _layout: np.dtype[Any] | None = field(init=False)
    _column: int | None = field(init=False)
    _waiting: list[tuple[NDArray[Any], NDArray[np.float64]]] = field(
        default_factory=list
    )
    _n_waiting: int = 0

    def __post_init__(self) -> None:
        header = self.header
        self.counter = CounterWatch(header.counter, header.rate_hz)
        self._column = header.counter_column
        self._layout = (
            None
            if header.dtype == "string"
            else xdf.row_dtype(header.dtype, len(header.channels), stamped=True)
        )

    def add(self, content: bytes) -> None:
        """Take a Samples chunk; ValueError when it is none of ours."""
        n, _ = xdf.read_varlen(content, 4, len(content))
        self.n_samples += n
        if self._layout is None:
            return
        rows = stamped_rows(content, self._layout)
        if rows is None:
            raise ValueError(f"{self.header.name}: a chunk of samples is damaged")
        if not self.n_samples - n:
            self.t_first = float(rows["t"][0])
        self.t_last = float(rows["t"][-1])
        if self._column is not None:
            numbers = rows["values"][:, self._column].copy()
            self._waiting.append((numbers, rows["t"].copy()))
            self._n_waiting += n
            if self._n_waiting >= _ROWS_AT_ONCE:
                self.count()

    def count(self) -> None:
        """Bring `counter` up to the last row taken."""
        if self._waiting:
            values, stamps = zip(*self._waiting, strict=True)
            self.counter.add(np.concatenate(values), np.concatenate(stamps))
        self._waiting, self._n_waiting = [], 0


@dataclass
class Readback:
    """Streams of a file by name and uid, and what is wrong with the file itself."""

    streams: dict[tuple[str, str], ReadStream] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the file was closed, with a footer for every stream."""
        return bool(self.streams) and all(
            stream.has_footer for stream in self.streams.values()
        )


def read_back(
    path: Path, earlier: Mapping[tuple[str, str], CounterWatch] | None = None
) -> Readback:
    """Walk through a recording of ours, checking its journal where there is one.

    `earlier` has the counters of the file that this one goes on with: they go on too.
    """
    found = Readback()
    by_id: dict[int, ReadStream] = {}
    feed = ChunkFeed()
    try:
        for block in _checked_blocks(path, found.problems):
            for tag, content in feed.feed(block):
                _take(tag, content, by_id, found, earlier or {})
    except (ValueError, struct.error) as error:
        found.problems.append(str(error))
    if feed.rest:
        found.problems.append(f"cut off {feed.rest} bytes behind the last whole chunk")
    for stream in by_id.values():
        stream.count()
    return found


def _take(
    tag: int,
    content: bytes,
    by_id: dict[int, ReadStream],
    found: Readback,
    earlier: Mapping[tuple[str, str], CounterWatch],
) -> None:
    if tag in (xdf.FILE_HEADER, xdf.BOUNDARY):
        return
    (stream_id,) = struct.unpack_from("<I", content)
    if tag == xdf.STREAM_HEADER:
        header = parse_header(content[4:])
        key, stream = (header.name, header.uid), ReadStream(header)
        by_id[stream_id] = found.streams[key] = stream
        stream.counter = earlier.get(key, stream.counter)
        return
    if stream_id not in by_id:
        raise ValueError(f"stream id {stream_id} has no header")
    stream = by_id[stream_id]
    if tag == xdf.SAMPLES:
        stream.add(content)
    elif tag == xdf.CLOCK_OFFSET:
        stream.n_offsets += 1
    elif tag == xdf.STREAM_FOOTER:
        stream.has_footer = True


def _checked_blocks(path: Path, problems: list[str]) -> Iterator[bytes]:
    """Yield the file block by block, and say which bytes their journal denies."""
    lines = _journal(path)
    crc, start, at = 0, 0, 0
    line = next(lines, None)
    for block in read_blocks(path):
        done = 0
        while line is not None and line[0] <= at + len(block):
            part = memoryview(block)[done : line[0] - at]
            if zlib.crc32(part, crc) != line[1]:
                problems.append(f"bytes {start} to {line[0]} do not match their CRC32")
            done, crc, start = line[0] - at, 0, line[0]
            line = next(lines, None)
        crc = zlib.crc32(memoryview(block)[done:], crc)
        at += len(block)
        yield block
    if line is not None:
        problems.append(f"the file has {at} bytes, its journal knows of {line[0]}")


def _journal(path: Path) -> Iterator[tuple[int, int]]:
    sidecar = journal_path(path)
    if sidecar.exists():
        with sidecar.open() as file:
            for text in file:
                entry = json.loads(text)
                yield int(entry["length"]), int(entry["crc32"], 16)
