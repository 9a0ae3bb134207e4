"""The journal of a session: what happened, one synced line each."""

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from acquire.storage.durable import AppendFile

_OWN = ("seq", "wall", "t_lsl", "event")


class Journal:
    """Appends lines that are on the disk when `append` returns.

    A line is a JSON object: ``{"seq": 12, "wall": "2026-11-22T10:15:00.123456+00:00",
    "t_lsl": 8123.4, "event": "trial_start", ...}``. A journal that exists is
    continued; a last line torn by a crash is left as it is and numbered past. One
    process writes it, one thread at a time. `clock` is
    the host clock in seconds.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = path
        self._clock, self._wall = clock, wall
        earlier = path.read_bytes() if path.exists() else b""
        self._seq = max((entry["seq"] for entry in _entries(earlier)), default=0)
        self._file = AppendFile(path, resume=True)
        if earlier and not earlier.endswith(b"\n"):
            self._file.write([b"\n"])

    def append(self, event: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
        """Write one line; return it as written."""
        taken = sorted(set(facts) & set(_OWN))
        if taken:
            raise ValueError(f"event {event!r}: {taken} are the journal's own keys")
        line = {
            "seq": self._seq + 1,
            "wall": self._wall().isoformat(timespec="microseconds"),
            "t_lsl": self._clock(),
            "event": event,
            **facts,
        }
        text = json.dumps(_finite(line), ensure_ascii=False, allow_nan=False)
        self._seq += 1
        self._file.write([text.encode(errors="replace") + b"\n"])
        self._file.sync()
        return line

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Read a journal's lines; what a crash tore or lost is passed over.

    A journal that does not exist yet is empty.
    """
    try:
        return list(_entries(path.read_bytes()))
    except FileNotFoundError:
        return []


def _finite(value: Any) -> Any:  # noqa: ANN401
    """Replace what JSON cannot say (NaN, infinities) by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _entries(text: bytes) -> Iterator[dict[str, Any]]:
    for line in text.split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("seq"), int):
            yield entry
