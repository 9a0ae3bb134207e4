"""Sidecar of a recording in progress: what of it is known to be on the disk."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquire.storage.durable import AppendFile
from acquire.storage.xdf_format import Buffer


def journal_path(path: Path) -> Path:
    """Name of the sidecar of a recording: ``<file>.journal``."""
    return path.with_name(path.name + ".journal")


class SyncJournal:
    """Writes one synced line per sync of the recording it stands beside.

    A line holds the length of the file and the CRC32 of the bytes since the line
    before: ``{"length": 81920, "crc32": "9a0c41f2"}``. The last line of a recording
    that was closed also has ``"closed": true``.
    """

    def __init__(self, path: Path) -> None:
        self._file = AppendFile(journal_path(path))

    def append(self, length: int, crc32: int, *, closed: bool = False) -> None:
        line: dict[str, Any] = {"length": length, "crc32": f"{crc32:08x}"}
        if closed:
            line["closed"] = True
        self._file.write([json.dumps(line).encode() + b"\n"])
        self._file.sync()

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class CheckedFile:
    """Which bytes of a recording its journal vouches for.

    `ranges` are half-open, ascending and merged; `problems` tell of all other bytes.
    `closed` says that the last line was written when the recording was closed.
    """

    ranges: tuple[tuple[int, int], ...]
    closed: bool
    problems: tuple[str, ...]

    @property
    def length(self) -> int:
        """End of what can be trusted without interruption from the start."""
        return self.ranges[0][1] if self.ranges and self.ranges[0][0] == 0 else 0

    def covers(self, start: int, stop: int) -> bool:
        return any(first <= start and stop <= last for first, last in self.ranges)


def check_file(path: Path, data: Buffer) -> CheckedFile | None:
    """Compare a recording's bytes with its journal; None when there is no journal."""
    sidecar = journal_path(path)
    try:
        text = sidecar.read_bytes()
    except FileNotFoundError:
        return None
    ranges: list[tuple[int, int]] = []
    problems: list[str] = []
    start, closed = 0, False
    for length, crc32, is_last in _lines(text):
        if length < start:
            break
        closed = is_last
        good = length <= len(data) and zlib.crc32(data[start:length]) == crc32
        if good and ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], length)
        elif good:
            ranges.append((start, length))
        else:
            problems.append(
                f"bytes {start} to {length} are unverified: "
                f"they do not match their CRC32 in {sidecar.name}"
            )
        start = length
    if start < len(data):
        problems.append(
            f"bytes {start} to {len(data)} are unverified: "
            f"{sidecar.name} does not vouch for them"
        )
    return CheckedFile(tuple(ranges), closed, tuple(problems))


def _lines(text: bytes) -> Iterator[tuple[int, int, bool]]:
    for line in text.split(b"\n")[:-1]:
        try:
            entry = json.loads(line)
            yield (
                int(entry["length"]),
                int(entry["crc32"], 16),
                entry.get("closed") is True,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return
