"""A level that is shown only once it has lasted, and stays a while."""

from dataclasses import dataclass, field

from acquire.quality.metric import RANK, Level


@dataclass
class Hysteresis:
    """Enters a level after `enter_s` at or above it, leaves after `leave_s` below.

    Time is whatever the caller passes, in seconds and never decreasing.
    """

    enter_s: float
    leave_s: float
    shown: Level = "ok"
    since_s: float = float("nan")  #: when the shown level was entered
    _above: dict[str, float] = field(default_factory=dict)
    _below: dict[str, float] = field(default_factory=dict)
    _on: dict[str, bool] = field(default_factory=dict)

    def update(self, raw: Level, now_s: float) -> Level:
        """Take the level judged now; return the level to show."""
        levels: tuple[Level, ...] = ("amber", "red")
        for level in levels:
            reached = RANK[raw] >= RANK[level]
            begun, ended = (
                (self._above, self._below) if reached else (self._below, self._above)
            )
            begun.setdefault(level, now_s)
            ended.pop(level, None)
            lasted = now_s - begun[level]
            if reached and lasted >= self.enter_s:
                self._on[level] = True
            elif not reached and lasted >= self.leave_s:
                self._on[level] = False
        shown: Level = "ok"
        for level in levels:
            shown = level if self._on.get(level) else shown
        if shown != self.shown:
            self.shown, self.since_s = shown, now_s
        return shown
