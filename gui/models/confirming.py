"""A request that needs a second press, between the first and the second."""

from collections.abc import Callable

PRESS_AGAIN_S = 3.0
TYPING_S = 15.0  #: since the last key, when a reason is being typed


class Confirming:
    """At most one verb waits; it waits for what it was about, and not for long."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._touched_s = 0.0
        self.verb = ""  #: waits for its second press
        self.about = ""

    def press(self, verb: str, about: str) -> bool:
        """Take a press; return whether it was the second, which confirms."""
        if verb == self.verb and about == self.about:
            self.clear()
            return True
        self.verb, self.about = verb, about
        self.touch()
        return False

    def touch(self) -> None:
        """Wait on: the operator is typing the reason."""
        self._touched_s = self._now()

    def lapsed(self, *, typing: bool) -> bool:
        """Whether the second press comes too late."""
        limit_s = TYPING_S if typing else PRESS_AGAIN_S
        return bool(self.verb) and self._now() - self._touched_s > limit_s

    def clear(self) -> None:
        self.verb = self.about = ""
