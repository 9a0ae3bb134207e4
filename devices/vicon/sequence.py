"""Is this frame the next one? Losses, repeats and restarts told from the number."""

from dataclasses import dataclass
from typing import Literal

RECENT_FRAMES = 100
MAX_REPEATS = 20

Verdict = Literal["first", "next", "gap", "duplicate", "restart"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a frame number means; `n_lost` frames are missing before it."""

    verdict: Verdict
    n_lost: int = 0
    previous: int | None = None

    @property
    def accepted(self) -> bool:
        return self.verdict != "duplicate"


class FrameSequence:
    """Follows the numbers of one server.

    A number up to `RECENT_FRAMES` behind the newest repeats a frame (or brings one
    too late to be published in order) and is refused. A run of more than
    `MAX_REPEATS` rising ones, or a number further behind, means that numbering
    began anew.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._last_refused = -1
        self._n_refused = 0
        self._paused = self._reconnected = False

    @property
    def newest(self) -> int | None:
        return self._newest

    def pause(self) -> None:
        """Forgive the next jump forward: nothing had been asked for."""
        self._paused = True

    def reconnect(self) -> None:
        """Take a number that is lower than the last one for a restart."""
        self._reconnected = True

    def step(self, number: int) -> Step:
        previous = self._newest
        verdict = self._verdict(number, previous)
        if verdict == "duplicate":
            rising = number > self._last_refused
            self._n_refused = self._n_refused + 1 if rising else 1
            self._last_refused = number
            return Step(verdict, previous=previous)
        self._n_refused, self._last_refused = 0, -1
        self._newest, self._paused, self._reconnected = number, False, False
        n_lost = 0
        if verdict == "gap" and previous is not None:
            n_lost = number - previous - 1
        return Step(verdict, n_lost, previous)

    def _verdict(self, number: int, previous: int | None) -> Verdict:
        if previous is None:
            return "first"
        if number == previous + 1 or (number > previous and self._paused):
            return "next"
        if number > previous:
            return "gap"
        if previous - number >= RECENT_FRAMES:
            return "restart"
        if self._reconnected and number < previous:
            return "restart"
        if self._n_refused >= MAX_REPEATS and number > self._last_refused:
            return "restart"
        return "duplicate"
