"""Red findings in words, each said once while it lasts."""

from collections.abc import Iterable

from acquire.quality.monitor import StreamVerdict


class FaultsSaid:
    """Remembers which red findings were said; one that comes back is said again."""

    def __init__(self) -> None:
        self._said: frozenset[tuple[str, str, str]] = frozenset()

    def news(self, verdicts: Iterable[StreamVerdict]) -> list[str]:
        """Return what is red now and was not at the last call."""
        red = {
            (finding.stream, finding.metric, finding.subject): finding
            for verdict in verdicts
            for finding in verdict.findings
            if finding.level == "red"
        }
        fresh = [finding for key, finding in red.items() if key not in self._said]
        self._said = frozenset(red)
        return [f"{each.stream}: {each.text}. {each.advice}" for each in fresh]
