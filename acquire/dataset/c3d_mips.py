"""C3D files written on SGI workstations (MIPS), turned into Intel's byte order.

The library that reads C3D leaves these out. Only the order of bytes changes.
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np

MIPS: Final = 86
INTEL: Final = 84
BLOCK: Final = 512
_WIDTHS: Final = {-1: 1, 1: 1, 2: 2, 4: 4}


def is_mips(path: Path) -> bool:
    """Tell whether a file is C3D in MIPS order."""
    with path.open("rb") as file:
        head = file.read(2)
        if len(head) < 2 or head[1] != 0x50 or head[0] < 1:
            return False
        file.seek((head[0] - 1) * BLOCK + 3)
        return file.read(1) == bytes([MIPS])


def intel_bytes(path: Path) -> bytes:
    """Return the file's content in Intel's order.

    Raises
    ------
    ValueError
        The parameters run beyond the file.
    """
    made = bytearray(path.read_bytes())
    parameters = (made[0] - 1) * BLOCK
    _swap(made, 2, 2, 5)  # points, analogs, first and last frame, gap
    _swap(made, 12, 4, 1)
    _swap(made, 16, 2, 2)
    _swap(made, 20, 4, 1)
    made[24:BLOCK] = bytes(BLOCK - 24)  # events of the header: EVENT holds them too
    scale, start = struct.unpack_from("<fH", made, 12)
    _parameters(made, parameters)
    data = (start - 1) * BLOCK
    width = 4 if scale < 0 else 2
    _swap(made, data, width, (len(made) - data) // width)
    made[parameters + 3] = INTEL
    return bytes(made)


def _parameters(made: bytearray, start: int) -> None:
    at = start + 4
    while True:
        if at + 4 > len(made):
            raise ValueError("its parameters run beyond the end of the file")
        name, group = abs(struct.unpack_from("b", made, at)[0]), made[at + 1]
        link = at + 2 + name
        if name == 0:
            return
        _swap(made, link, 2, 1)
        following = struct.unpack_from("<h", made, link)[0]
        if group < 128:  # a parameter; groups have negative numbers
            kind, n_dims = struct.unpack_from("bB", made, link + 2)
            dims = made[link + 4 : link + 4 + n_dims]
            width = _WIDTHS.get(kind, 1)
            count = int(np.prod(np.array(list(dims), dtype=np.int64)))
            _swap(made, link + 4 + n_dims, width, count)
        if following <= 0:
            return
        at = link + following


def _swap(made: bytearray, at: int, width: int, count: int) -> None:
    """Turn the bytes of `count` numbers of a width round, in place."""
    if width == 1 or count == 0:
        return
    part = np.frombuffer(bytes(made[at : at + width * count]), dtype=f">u{width}")
    made[at : at + width * count] = part.astype(f"<u{width}").tobytes()
