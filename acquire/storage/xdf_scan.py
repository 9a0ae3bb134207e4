"""Walk the chunks of an XDF file, damaged or cut off as it may be."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf
from acquire.storage.errors import NotARecordingError

PAGE = 4096
_SHORTEST = {
    xdf.FILE_HEADER: 2,
    xdf.STREAM_HEADER: 6,
    xdf.SAMPLES: 8,
    xdf.CLOCK_OFFSET: 22,
    xdf.BOUNDARY: 18,
    xdf.STREAM_FOOTER: 6,
}


@dataclass(frozen=True, slots=True)
class ChunkAt:
    """One chunk: bytes `start` to `stop` of the file, its content from `content` on.

    `cut` says that the file ends before the chunk does; `stop` is then the file's end.
    """

    tag: int
    start: int
    content: int
    stop: int
    cut: bool = False


@dataclass
class Scan:
    """The chunks of one file, in file order, and what was wrong between them."""

    chunks: list[ChunkAt] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    damage_ends: list[int] = field(default_factory=list)  #: bytes, ascending
    cut: bool = False


def scan(buffer: xdf.Buffer) -> Scan:
    """Find all chunks; behind damage, go on at the next boundary chunk."""
    found = Scan()
    size = len(buffer)
    if size < len(xdf.MAGIC) and xdf.MAGIC.startswith(buffer[:size]):
        found.cut = True
        found.problems.append(f"the file ends after {size} bytes")
        return found
    position = len(xdf.MAGIC)
    if buffer[:position] != xdf.MAGIC:
        position = _behind_boundary(buffer, 0)
        if position < 0:
            raise NotARecordingError("not an XDF file: it does not begin with XDF:")
        found.problems.append(f"bytes 0 to {position} are damaged")
        found.damage_ends.append(position)
    while position < size:
        chunk = _chunk_at(buffer, position, size)
        if chunk is not None and not chunk.cut:
            found.chunks.append(chunk)
            position = chunk.stop
            continue
        behind = _behind_boundary(buffer, position)
        if behind >= 0:
            found.problems.append(f"bytes {position} to {behind} are damaged")
            found.damage_ends.append(behind)
            position = behind
            continue
        found.cut = True
        if chunk is not None:
            found.chunks.append(chunk)
        found.problems.append(
            f"cut off, or damaged to the end, from byte {position} of {size}"
        )
        break
    return found


def _chunk_at(buffer: xdf.Buffer, position: int, size: int) -> ChunkAt | None:
    try:
        length, content = xdf.read_varlen(buffer, position, size)
    except ValueError:
        return None
    if content + 2 > size:
        return None
    (tag,) = struct.unpack_from("<H", buffer, content)
    shortest = _SHORTEST.get(tag)
    if shortest is None or length < shortest:
        return None
    if tag in (xdf.CLOCK_OFFSET, xdf.BOUNDARY) and length != shortest:
        return None
    stop = content + length
    if stop > size:
        return ChunkAt(tag, position, content + 2, size, cut=True)
    if tag == xdf.BOUNDARY and buffer[content + 2 : stop] != xdf.BOUNDARY_UUID:
        return None
    return ChunkAt(tag, position, content + 2, stop)


def _behind_boundary(buffer: xdf.Buffer, position: int) -> int:
    found: int = buffer.find(xdf.BOUNDARY_UUID, position)
    return found + len(xdf.BOUNDARY_UUID) if found >= 0 else -1


def zero_pages(buffer: xdf.Buffer) -> NDArray[np.int64]:
    """Return where pages of nothing but zeros start: what lost writes leave."""
    n_whole = len(buffer) // PAGE
    words = np.frombuffer(buffer, "<u8", count=n_whole * (PAGE // 8))
    empty = [
        first + np.flatnonzero(~block.reshape(-1, PAGE // 8).any(axis=1))
        for first, block in _blocks(words)
    ]
    starts = np.concatenate([*empty, np.empty(0, np.int64)]).astype(np.int64) * PAGE
    tail = bytes(buffer[n_whole * PAGE :])
    if len(tail) >= 64 and not any(tail):
        starts = np.append(starts, n_whole * PAGE)
    return starts


def _blocks(
    words: NDArray[np.uint64], n_pages: int = 4096
) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    step = n_pages * (PAGE // 8)
    for first in range(0, words.size, step):
        yield first // (PAGE // 8), words[first : first + step]
