"""Tells what a process lists in its snapshots once."""

from collections.abc import Sequence
from typing import Any


class News:
    """Knows how much of a growing list has been heard.

    What is there when the first snapshot comes is old. A process that counts less than
    before was started anew, and everything of it is new.
    """

    def __init__(self) -> None:
        self._heard: int | None = None

    def of(
        self, n_listed: int, newest: Sequence[dict[str, Any]]
    ) -> Sequence[dict[str, Any]]:
        """Return the entries not heard yet: `n_listed` so far, the `newest` at hand."""
        heard, self._heard = self._heard, n_listed
        if heard is None:
            return ()
        n_new = n_listed - heard if n_listed >= heard else n_listed
        return newest[-n_new:] if n_new else ()
