"""Write recordings as XDF 1.0: append-only, every sample with its raw stamp."""

import contextlib
import math
import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.durable import AppendFile, Mark, Part
from acquire.storage.stream_header import parse_header
from acquire.storage.xdf_journal import SyncJournal, journal_path


@dataclass
class _Stream:
    dtype: str
    n_channels: int
    n_samples: int = 0
    first_t: float = 0.0
    last_t: float = 0.0
    offsets: "array[float]" = field(default_factory=lambda: array("d"))  #: pairs
    layout: np.dtype[Any] | None = None  #: of a row, numeric streams only
    values: np.dtype[Any] | None = None

    def __post_init__(self) -> None:
        if self.dtype != "string":
            self.layout = xdf.row_dtype(self.dtype, self.n_channels, stamped=True)
            self.values = xdf.value_dtype(self.dtype)


class XdfWriter:
    """One recording on its way to the disk; one thread makes all calls but one.

    `write_*` queue bytes in memory, `flush_to_file` hands them to the system in one
    write (they then survive the death of this process), `sync` forces them to the disk
    (they then survive a power cut), adds a boundary to resynchronise at and writes the
    journal line. `close` writes the footers. An existing file is never overwritten.
    After a `StorageFullError` all is still queued: call again once there is room.
    """

    def __init__(self, path: Path, journal: bool = True) -> None:
        self.path = path
        self._file = AppendFile(path)
        try:
            self._journal = SyncJournal(path) if journal else None
        except OSError:
            self._file.close()
            path.unlink()  # made a moment ago, and empty
            raise
        self._queue: list[Part] = []
        self._streams: dict[int, _Stream] = {}
        self._closed = self._released = False
        self._queue += [
            xdf.MAGIC,
            xdf.chunk(xdf.FILE_HEADER, xdf.VERSION_XML.encode()),
        ]
        try:
            self.sync()  # an XDF file, whatever happens next
        except OSError:
            with contextlib.suppress(OSError):
                self.abandon()
            with contextlib.suppress(OSError):  # made a moment ago, without a sample
                path.unlink()
                journal_path(path).unlink(missing_ok=True)
            raise

    @property
    def size(self) -> int:
        """Bytes in the file and in the queue."""
        queued = sum(len(part) for part in self._queue)
        return self._file.size + self._file.unwritten + queued

    @property
    def synced_size(self) -> int:
        """Bytes known to be on the disk."""
        return self._file.synced_size

    def n_samples(self, stream_id: int) -> int:
        """Return how many samples of one stream were written."""
        return self._streams[stream_id].n_samples

    def add_stream(
        self, header_xml: str, dtype: str, n_channels: int, rate_hz: float
    ) -> int:
        """Write a stream's header as it was received; return the id for its samples."""
        _check_header(header_xml, dtype, n_channels, rate_hz)
        stream_id = len(self._streams) + 1
        self._streams[stream_id] = _Stream(dtype, n_channels)
        self._put(xdf.STREAM_HEADER, stream_id, header_xml.encode())
        return stream_id

    def write_samples(
        self,
        stream_id: int,
        samples: NDArray[Any] | Sequence[str] | Sequence[Sequence[str]],
        stamps: ArrayLike,
    ) -> None:
        """Queue samples, shape (n, n_channels), or strings, with stamps (n,) in s."""
        stream = self._streams[stream_id]
        t = np.asarray(stamps, dtype=np.float64)
        if stream.dtype == "string":
            rows = [[row] if isinstance(row, str) else list(row) for row in samples]
            body = b"".join(map(_text_row, t, rows)) if len(rows) == t.size else b""
            shape = (len(rows), len(rows[0]) if rows else stream.n_channels)
            if any(len(row) != shape[1] for row in rows):
                raise ValueError(f"stream {stream_id}: rows differ in length")
        else:
            values = np.asarray(samples)
            shape = values.shape if values.ndim == 2 else (-1, -1)
            body = _pack(values, t, stream) if shape[0] == t.size else b""
        if t.ndim != 1 or shape != (t.size, stream.n_channels):
            raise ValueError(
                f"stream {stream_id}: samples of shape {shape} with stamps of shape "
                f"{t.shape}; expected ({t.size}, {stream.n_channels})"
            )
        if not t.size:
            return
        self._put(xdf.SAMPLES, stream_id, xdf.varlen(t.size), body)
        if not stream.n_samples:
            stream.first_t = float(t[0])
        stream.last_t = float(t[-1])
        stream.n_samples += t.size

    def write_offset(
        self, stream_id: int, collection_time: float, offset: float
    ) -> None:
        """Queue one clock offset; both in seconds, collection time of the source."""
        pair = (float(collection_time), float(offset))
        self._streams[stream_id].offsets.extend(pair)
        body = struct.pack("<dd", *pair)
        self._put(xdf.CLOCK_OFFSET, stream_id, body)

    def write_boundary(self) -> None:
        """Queue a mark at which readers find their way back after damage."""
        self._queue.append(xdf.chunk(xdf.BOUNDARY, xdf.BOUNDARY_UUID))

    def flush_to_file(self) -> None:
        """Hand everything queued to the system in one write."""
        queue, self._queue = self._queue, []
        self._file.write(queue)

    def sync(self, *, closed: bool = False) -> None:
        """Add a boundary, force everything to the disk, write the journal line."""
        self.finish_sync(self.begin_sync(), closed=closed)

    def begin_sync(self) -> Mark:
        """Write a boundary and all that is queued; return up to where to sync."""
        self.write_boundary()
        self.flush_to_file()
        return self._file.mark()

    def finish_sync(self, mark: Mark, *, closed: bool = False) -> None:
        """Force everything up to `mark` to the disk, then write the journal line.

        In any thread, while another goes on writing; marks one after the other.
        """
        self._file.sync_to(mark)
        if self._journal is not None:
            self._journal.append(mark.size, mark.crc32, closed=closed)

    def close(self, footers: Mapping[int, Mapping[str, Any]] | None = None) -> None:
        """Write the footers (with `footers` as further elements), sync, close.

        When the disk is full it raises and stays open: close again, or `abandon`.
        """
        if self._released:
            return
        if not self._closed:
            for stream_id, stream in self._streams.items():
                more = (footers or {}).get(stream_id, {})
                self._put(xdf.STREAM_FOOTER, stream_id, _footer(stream, more))
            self._closed = True
        self.sync(closed=True)
        self.abandon()

    def abandon(self) -> None:
        """Close without footers: the file stays readable, and incomplete."""
        if self._released:
            return
        self._closed = self._released = True
        try:
            self.flush_to_file()
        finally:
            try:
                self._file.close()
            finally:
                if self._journal is not None:
                    self._journal.close()

    def _put(self, tag: int, stream_id: int, *content: bytes) -> None:
        if self._closed:
            raise ValueError(f"{self.path} is closed")
        self._queue.append(xdf.chunk(tag, struct.pack("<I", stream_id), *content))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self.abandon()


def _pack(values: NDArray[Any], t: NDArray[np.float64], stream: _Stream) -> bytes:
    if values.shape[1] != stream.n_channels:
        return b""
    if values.dtype != stream.values:
        raise ValueError(f"samples are {values.dtype}, the stream is {stream.dtype}")
    rows = np.empty(t.size, stream.layout)
    rows["width"], rows["t"], rows["values"] = 8, t, values
    return rows.tobytes()


def _text_row(t: float, row: Sequence[str]) -> bytes:
    parts = [struct.pack("<Bd", 8, t)]
    for text in row:
        encoded = text.encode(errors="surrogateescape")
        parts += [xdf.varlen(len(encoded)), encoded]
    return b"".join(parts)


def _check_header(header_xml: str, dtype: str, n_channels: int, rate_hz: float) -> None:
    header = parse_header(header_xml)
    said = (header.dtype, len(header.channels))
    close = math.isclose(header.rate_hz, rate_hz, rel_tol=1e-9)  # text has 16 digits
    if said != (dtype, n_channels) or not close:
        raise ValueError(
            f"stream {header.name!r}: the header says {(*said, header.rate_hz)}, "
            f"the caller {(dtype, n_channels, rate_hz)}"
        )


def _footer(stream: _Stream, more: Mapping[str, Any]) -> bytes:
    offsets = "".join(
        f"<offset><time>{t!r}</time><value>{value!r}</value></offset>"
        for t, value in zip(stream.offsets[::2], stream.offsets[1::2], strict=True)
    )
    further = "".join(
        f"<{name}>{escape(str(value))}</{name}>" for name, value in more.items()
    )
    return (
        '<?xml version="1.0"?><info>'
        f"<first_timestamp>{stream.first_t!r}</first_timestamp>"
        f"<last_timestamp>{stream.last_t!r}</last_timestamp>"
        f"<sample_count>{stream.n_samples}</sample_count>"
        f"<clock_offsets>{offsets}</clock_offsets>{further}</info>"
    ).encode()
