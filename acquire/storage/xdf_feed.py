"""Take an XDF file apart as its bytes come, in memory of one block."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.storage import xdf_format as xdf

BLOCK_BYTES = 1 << 20
_LONGEST = 9  # a length of eight bytes and its width


class ChunkFeed:
    """Gives the chunks of an undamaged XDF file from blocks of any size.

    `rest` counts the bytes behind the last whole chunk.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    @property
    def rest(self) -> int:
        return len(self._rest)

    def feed(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield tag and content of every chunk that `block` completes.

        Raises
        ------
        ValueError
            What comes is no chunk.
        """
        data, position = self._rest + block, 0
        if not self._begun and len(data) >= len(xdf.MAGIC):
            if not data.startswith(xdf.MAGIC):
                raise ValueError("not an XDF file: it does not begin with XDF:")
            self._begun, position = True, len(xdf.MAGIC)
        while self._begun:
            try:
                length, content = xdf.read_varlen(data, position, len(data))
            except ValueError:
                if len(data) - position > _LONGEST:
                    raise
                break
            if content + length > len(data):
                break
            position = content + length
            tag = int.from_bytes(data[content : content + 2], "little")
            yield tag, data[content + 2 : position]
        self._rest = data[position:]


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def stamped_rows(content: bytes, layout: np.dtype[Any]) -> NDArray[Any] | None:
    """View the rows of a Samples chunk as `row_dtype` says; None if not all are so."""
    n, start = xdf.read_varlen(content, 4, len(content))
    if start + n * layout.itemsize != len(content):
        return None
    rows: NDArray[Any] = np.frombuffer(content, layout, count=n, offset=start)
    return rows if (rows["width"] == 8).all() else None
