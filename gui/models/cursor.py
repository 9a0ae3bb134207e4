"""A reader's place in a live stream: what is new since the last look."""

from dataclasses import dataclass

from acquire.live import LiveStreams
from acquire.live.ring import Rows
from acquire.storage.stream_header import StreamHeader


@dataclass(frozen=True, eq=False)
class News:
    """New rows; `restarted` when they follow nothing shown before."""

    header: StreamHeader
    rows: Rows
    restarted: bool


class Cursor:
    """Follows one stream; each `news` returns every row once."""

    def __init__(self, live: LiveStreams, name: str) -> None:
        self._live, self.name = live, name
        self._next, self._generation = 0, 0

    def news(self) -> News | None:
        """Return what came since the last call; None while there is no stream."""
        header, generation = (
            self._live.facts(self.name),
            self._live.generation(self.name),
        )
        if header is None:
            return None
        restarted = generation != self._generation
        if restarted:
            self._next, self._generation = 0, generation
        rows = self._live.since(self.name, self._next)
        if rows is None:
            return None
        self._next = rows.end
        return News(header, rows, restarted)
