"""What the live buffers need of an inlet, whatever library it comes from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from acquire.storage.stream_header import StreamHeader


class Source(Protocol):
    """An open inlet; one thread makes every call."""

    facts: StreamHeader

    def pull(
        self, timeout_s: float
    ) -> tuple[NDArray[Any] | list[str], NDArray[np.float64]]:
        """Return what has arrived, at once or within the time; else empty."""
        ...

    def offset(self) -> tuple[float, float] | None:
        """Return clock offset and round-trip time in seconds, or None; never wait."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Candidate:
    """A stream seen on the network that can be opened; `uid` is this run of it."""

    name: str
    uid: str
    created_at_s: float
    open: Callable[[], Source]


class Finder(Protocol):
    """Sees streams come and go; `candidates` returns at once."""

    def candidates(self) -> Sequence[Candidate]: ...
    def close(self) -> None: ...
