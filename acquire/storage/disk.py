"""How long a disk lasts for a recording."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

RESERVE_BYTES = 100_000_000  #: left alone, for footers, journals and the manifest
MIN_FREE_BYTES = 500_000_000  #: with less a recording is not started
MIN_MINUTES = 5.0  #: nor with room for less

_STAMP_BYTES = 9  #: width and stamp of every sample in XDF
_ARCHIVE_SHARE = 1.0  #: room for the archive beside the recording


class Stream(Protocol):
    """What must be known of a stream to say how much it takes."""

    @property
    def dtype(self) -> str: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def channels(self) -> Sequence[object]: ...


def bytes_per_s(streams: Iterable[Stream], *, archived: bool = True) -> float:
    """Return what a recording of these streams needs, in bytes per second.

    `archived` adds the archive that is made beside it.
    """
    rate = 0.0
    for stream in streams:
        if stream.dtype != "string":
            row = np.dtype(stream.dtype).itemsize * len(stream.channels)
            rate += stream.rate_hz * (row + _STAMP_BYTES)
    return rate * (1.0 + _ARCHIVE_SHARE * archived)


def free_bytes(path: Path) -> int:
    """Return the free space of the disk that `path` is or will be on."""
    return shutil.disk_usage(_existing(path)).free


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder: permission, and no read-only disk."""
    return os.access(_existing(folder), os.W_OK)


def minutes_left(path: Path, rate_bytes_per_s: float) -> float:
    """Return for how many minutes of recording the disk has room; inf at no rate."""
    if rate_bytes_per_s <= 0:
        return float("inf")
    return free_bytes(path) / rate_bytes_per_s / 60.0


def room_reasons(folder: Path, rate_bytes_per_s: float = 0.0) -> list[str]:
    """Return why a recording of streams that need so much may not be started here."""
    if not is_writable(folder):
        return [f"nothing can be written to {folder}: it is read-only"]
    free, minutes = free_bytes(folder), minutes_left(folder, rate_bytes_per_s)
    if free >= MIN_FREE_BYTES and minutes >= MIN_MINUTES:
        return []
    room = f", room for {minutes:.1f} min" if np.isfinite(minutes) else ""
    return [f"only {free / 1e6:.0f} MB free at {folder}{room}"]


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
