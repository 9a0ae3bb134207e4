"""Cut arrays into chunks and deflate them, as HDF5 would, only faster.

HDF5 deflates with zlib. libdeflate writes the same format in a quarter of the time,
and the same bytes on every processor; the chunks go to the file as they are.
"""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from deflate import zlib_compress
from numpy.typing import NDArray

CHUNK_LIMIT_BYTES = 64 * 1024
GZIP_LEVEL = 1
PROBE_BYTES = 4_096
WORTH_IT = 0.93  #: of the probe's size, that a chunk must shrink to
DEFLATED, AS_IT_IS = 0b0, 0b1  #: filter masks of a chunk: a set bit, a filter left out


@functools.lru_cache(maxsize=256)
def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Halve the longest side until one chunk holds at most 64 kB."""
    chunk = list(shape)
    size = int(np.prod(chunk)) * itemsize
    while size > CHUNK_LIMIT_BYTES:
        longest = max(range(len(chunk)), key=chunk.__getitem__)
        chunk[longest] = -(-chunk[longest] // 2)
        size = int(np.prod(chunk)) * itemsize
    return tuple(chunk)


def chunks(
    stored: NDArray[Any], chunk: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield where each chunk begins and its bytes, zeros beyond the array's end."""
    starts = (range(0, n, step) for n, step in zip(stored.shape, chunk, strict=True))
    for at in itertools.product(*starts):
        part = stored[tuple(slice(k, k + n) for k, n in zip(at, chunk, strict=True))]
        if part.shape != chunk:
            whole = np.zeros(chunk, stored.dtype)
            whole[tuple(slice(0, n) for n in part.shape)] = part
            part = whole
        yield at, part.tobytes()


def deflate(raw: bytes) -> tuple[int, bytes | bytearray]:
    """Return a chunk's filter mask and its bytes in the file.

    A chunk whose first part does not shrink (sEMG) is stored as it is, which HDF5
    allows chunk by chunk.
    """
    probe = raw[:PROBE_BYTES]
    if len(zlib_compress(probe, GZIP_LEVEL)) > WORTH_IT * len(probe):
        return AS_IT_IS, raw
    return DEFLATED, zlib_compress(raw, GZIP_LEVEL)
