"""Bytes of the XDF 1.0 container: chunk framing, tags and value formats."""

import mmap
import struct
from typing import Any, Final

import numpy as np

Buffer = bytes | mmap.mmap

MAGIC: Final = b"XDF:"
FILE_HEADER: Final = 1
STREAM_HEADER: Final = 2
SAMPLES: Final = 3
CLOCK_OFFSET: Final = 4
BOUNDARY: Final = 5
STREAM_FOOTER: Final = 6

BOUNDARY_UUID: Final = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
VERSION_XML: Final = '<?xml version="1.0"?><info><version>1.0</version></info>'

#: formats of fixed size, in our spelling (XDF's is in `stream_description`)
NUMERIC: Final = ("float32", "float64", "int8", "int16", "int32", "int64")


def chunk(tag: int, *content: bytes) -> bytes:
    """Frame content as ``[NumLengthBytes][Length][Tag][Content]``."""
    length = 2 + sum(len(part) for part in content)
    width = struct.pack("<BB", 1, length) if length < 256 else _wide(length)
    return b"".join((width, struct.pack("<H", tag), *content))


def varlen(value: int) -> bytes:
    """Encode a count as ``[NumLengthBytes][value]``."""
    return struct.pack("<BB", 1, value) if value < 256 else _wide(value)


def _wide(value: int) -> bytes:
    if value < 1 << 32:
        return struct.pack("<BI", 4, value)
    return struct.pack("<BQ", 8, value)


def read_varlen(buffer: Buffer, position: int, end: int) -> tuple[int, int]:
    """Return a count and the position behind it; ValueError when it is not one."""
    if position < end:
        width = buffer[position]
        behind = position + 1 + width
        if width in (1, 4, 8) and behind <= end:
            return int.from_bytes(buffer[position + 1 : behind], "little"), behind
    raise ValueError(f"no length at byte {position}")


def value_dtype(dtype: str) -> np.dtype[Any]:
    """Little-endian dtype of the values of one of our format names."""
    if dtype not in NUMERIC:
        raise ValueError(f"{dtype!r} is not one of the numeric formats {NUMERIC}")
    return np.dtype(dtype).newbyteorder("<")


def row_dtype(dtype: str, n_channels: int, *, stamped: bool) -> np.dtype[Any]:
    """Return the packed layout of one sample: width of stamp, stamp, values."""
    fields: list[Any] = [("width", "u1")]
    if stamped:
        fields.append(("t", "<f8"))
    fields.append(("values", value_dtype(dtype), (n_channels,)))
    return np.dtype(fields)
