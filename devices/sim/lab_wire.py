"""Messages between the lab and its clients: one JSON object per line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MAX_LINE_BYTES = 1 << 20


class LineError(ValueError):
    """A line that is not a message."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Return one line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the object of one line; anything else raises `LineError`."""
    shown = line[:80]
    try:
        message = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not a line of JSON ({error}): {shown!r}") from error
    if not isinstance(message, dict):
        raise LineError(f"not a JSON object but a {type(message).__name__}: {shown!r}")
    return message


class LineBuffer:
    """Cuts received bytes into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines completed by `data`, without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            size, self._rest = len(self._rest), b""
            raise LineError(f"a line of more than {size} bytes without an end")
        yield from (line for line in lines if line.strip())


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
