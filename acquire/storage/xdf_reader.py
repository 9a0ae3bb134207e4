"""Read XDF files raw, whole or torn: what was recorded, as it was recorded."""

import mmap
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.stream_header import (
    StreamHeader,
    StreamHeaderError,
    parse_header,
)
from acquire.storage.xdf_journal import CheckedFile, check_file
from acquire.storage.xdf_samples import Decoded, SampleDecoder
from acquire.storage.xdf_scan import ChunkAt, scan, zero_pages

OFFSETS_STREAM = "kinemuse-offsets"  #: stream id, local time, offset, round trip (s)
_GZIP = b"\x1f\x8b"
_SAME_TIME_S = 1e-6


@dataclass
class _Found:
    """What a file holds of one stream id."""

    header: StreamHeader | None = None
    header_xml: str = ""
    chunks: list[tuple[ChunkAt, bool]] = field(default_factory=list)
    offsets: list[tuple[float, float]] = field(default_factory=list)
    footer_count: int | None = None
    has_footer: bool = False


def read_xdf(path: Path) -> Recording:
    """Read every stream of an XDF (or gzipped XDFZ) file, without any correction.

    Stamps and clock offsets are those of the file; stamps that the writer left out
    are deduced from the nominal rate as every XDF reader does. Nothing is sorted,
    smoothed or synchronised.

    A file that was cut off or damaged yields every sample that is still whole; what
    was wrong is listed in `problems`, and `complete` is False. Where a journal lies
    beside the file (``<file>.journal``) it decides what can be trusted: samples from
    bytes it does not vouch for are returned too, but counted as *unverified* in
    `problems`. Samples that touch a page of zeros, which is what a power cut leaves
    of a lost write, are returned only if the journal vouches for them, or if there is
    no journal and the file was closed with a footer for every stream.

    Raises
    ------
    NotARecordingError
        The file is no XDF file.
    """
    buffer = _buffer(path)
    checked = check_file(path, buffer)
    walk = scan(buffer)
    problems = [*(checked.problems if checked else ()), *walk.problems]
    found = _sort_chunks(buffer, walk.chunks, checked, problems)
    zeros = _suspect_pages(buffer, found, journalled=checked is not None)
    streams: list[RecordedStream] = []
    ids: list[int] = []
    for stream_id, parts in found.items():
        if parts.header is None:
            problems.append(
                f"stream id {stream_id} has no readable header; "
                f"{len(parts.chunks)} chunks of samples are unusable"
            )
            continue
        decoded = _decode(buffer, parts, zeros, walk.damage_ends)
        problems += _sample_problems(parts, decoded, journalled=checked is not None)
        streams.append(_stream(parts, decoded))
        ids.append(stream_id)
    complete = (
        bool(found)
        and not problems
        and all(parts.has_footer for parts in found.values())
        and (checked is None or checked.closed)
    )
    return Recording(
        path,
        tuple(_with_round_trips(streams, ids)),
        complete=complete,
        attributes={"simulated": any(stream.simulated for stream in streams)},
        problems=tuple(problems),
    )


def _buffer(path: Path) -> xdf.Buffer:
    with path.open("rb") as file:
        start = file.read(2)
        if start == _GZIP:
            file.seek(0)
            return zlib.decompressobj(wbits=31).decompress(file.read())
        if not start:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _suspect_pages(
    buffer: xdf.Buffer, found: dict[int, _Found], *, journalled: bool
) -> NDArray[np.int64]:
    """Return the pages of zeros that may stand for lost writes rather than for data."""
    closed = bool(found) and all(parts.has_footer for parts in found.values())
    if closed and not journalled:
        return np.empty(0, np.int64)
    return zero_pages(buffer)


def _sort_chunks(
    buffer: xdf.Buffer,
    chunks: Sequence[ChunkAt],
    checked: CheckedFile | None,
    problems: list[str],
) -> dict[int, _Found]:
    """Distribute chunks over stream ids, in order of first appearance."""
    found: dict[int, _Found] = {}
    for chunk in chunks:
        if chunk.tag in (xdf.FILE_HEADER, xdf.BOUNDARY):
            continue
        if chunk.cut and chunk.tag != xdf.SAMPLES:
            continue
        if chunk.stop - chunk.content < 4:
            continue
        (stream_id,) = struct.unpack_from("<I", buffer, chunk.content)
        if chunk.tag == xdf.SAMPLES and stream_id not in found and chunk.cut:
            continue
        parts = found.setdefault(stream_id, _Found())
        if chunk.tag == xdf.SAMPLES:
            verified = checked is not None and checked.covers(chunk.start, chunk.stop)
            parts.chunks.append((chunk, verified))
        elif chunk.tag == xdf.CLOCK_OFFSET:
            parts.offsets.append(struct.unpack_from("<dd", buffer, chunk.content + 4))
        else:
            xml = bytes(buffer[chunk.content + 4 : chunk.stop]).decode(errors="replace")
            if chunk.tag == xdf.STREAM_HEADER:
                _read_header(parts, stream_id, xml, problems)
            else:
                parts.has_footer = True
                parts.footer_count = _footer_count(xml, stream_id, problems)
    return found


def _read_header(parts: _Found, stream_id: int, xml: str, problems: list[str]) -> None:
    if parts.header is not None:
        problems.append(f"stream id {stream_id} has a second header, ignored")
        return
    try:
        parts.header, parts.header_xml = parse_header(xml), xml
    except StreamHeaderError as error:
        problems.append(f"header of stream id {stream_id}: {error}")


def _footer_count(xml: str, stream_id: int, problems: list[str]) -> int | None:
    try:
        root = ET.fromstring(xml)  # noqa: S314 (expat of today caps entity expansion)
        return int(root.findtext("sample_count", ""))
    except (ET.ParseError, ValueError):
        problems.append(f"footer of stream id {stream_id} is not readable")
        return None


def _decode(
    buffer: xdf.Buffer,
    parts: _Found,
    zeros: NDArray[np.int64],
    damage_ends: Sequence[int],
) -> Decoded:
    header = parts.header
    assert header is not None  # noqa: S101 (the caller has looked)
    decoder = SampleDecoder(
        buffer,
        header.dtype,
        len(header.channels),
        header.rate_hz,
        zeros=zeros,
        damage_ends=damage_ends,
    )
    return decoder.decode(parts.chunks)


def _sample_problems(parts: _Found, decoded: Decoded, *, journalled: bool) -> list[str]:
    name = parts.header.name if parts.header else ""
    problems = [f"{name}: {problem}" for problem in decoded.problems]
    if decoded.n_dropped:
        problems.append(f"{name}: {decoded.n_dropped} samples are damaged and left out")
    if journalled and decoded.n_unverified:
        problems.append(f"{name}: {decoded.n_unverified} samples are unverified")
    n = len(decoded.t)
    if parts.footer_count is not None and parts.footer_count != n:
        problems.append(
            f"{name}: the footer counts {parts.footer_count} samples, {n} were read"
        )
    return problems


def _stream(parts: _Found, decoded: Decoded) -> RecordedStream:
    header = parts.header
    assert header is not None  # noqa: S101 (the caller has looked)
    offsets = np.full((len(parts.offsets), 3), np.nan)
    if parts.offsets:
        offsets[:, :2] = parts.offsets
    return RecordedStream(
        name=header.name,
        type=header.type,
        source_id=header.source_id,
        uid=header.uid,
        rate_hz=header.rate_hz,
        dtype=header.dtype,
        channels=header.channels,
        data=decoded.data,
        t_lsl=decoded.t,
        offsets=offsets,
        header_xml=parts.header_xml,
        counter=header.counter,
        trigger=header.trigger,
        waveform=header.waveform,
        simulated=header.simulated,
        hostname=header.hostname,
        generation=header.generation,
    )


def _with_round_trips(
    streams: list[RecordedStream], ids: list[int]
) -> list[RecordedStream]:
    """Fill the third column of `offsets` from the recorder's own stream."""
    own = [stream for stream in streams if stream.name == OFFSETS_STREAM]
    if len(own) != 1 or len(own[0].channels) != 4 or own[0].dtype == "string":
        return streams
    measured = np.asarray(own[0].data, dtype=np.float64)
    for stream, stream_id in zip(streams, ids, strict=True):
        mine = measured[measured[:, 0] == stream_id]
        if not len(mine) or not len(stream.offsets):
            continue
        collected = mine[:, 1] - mine[:, 2]
        order = np.argsort(collected)
        collected = collected[order]
        at = np.searchsorted(collected, stream.offsets[:, 0] - _SAME_TIME_S)
        at = np.minimum(at, len(collected) - 1)
        same = np.abs(collected[at] - stream.offsets[:, 0]) <= _SAME_TIME_S
        stream.offsets[same, 2] = mine[order][at[same], 3]
    return streams
