"""How long a disk lasts for a recording."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from devices.stream import StreamSpec

_STAMP_BYTES = 9  #: width and stamp of every sample in XDF
_ARCHIVE_SHARE = 1.0  #: room for the archive beside the recording


def bytes_per_s(streams: Iterable[StreamSpec]) -> float:
    """Return what recording and archive of these streams need, in bytes per second."""
    rate = 0.0
    for stream in streams:
        if stream.dtype != "string":
            row = np.dtype(stream.dtype).itemsize * len(stream.channels)
            rate += stream.rate_hz * (row + _STAMP_BYTES)
    return rate * (1.0 + _ARCHIVE_SHARE)


def free_bytes(path: Path) -> int:
    """Return the free space of the disk that `path` is or will be on."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def minutes_left(path: Path, rate_bytes_per_s: float) -> float:
    """Return for how many minutes of recording the disk has room; inf at no rate."""
    if rate_bytes_per_s <= 0:
        return float("inf")
    return free_bytes(path) / rate_bytes_per_s / 60.0
