"""What the operator can do, as a table: verb, words, shortcut, when it is allowed."""

from collections.abc import Callable
from dataclasses import dataclass

from gui.models.session import SessionView


@dataclass(frozen=True)
class ActionInfo:
    """One command of the session. `allowed` decides whether its button is enabled."""

    verb: str
    text: str
    shortcut: str
    tip: str
    allowed: Callable[[SessionView], bool]


START = ActionInfo(
    "start", "Start", "F5", "Begin the protocol", lambda view: view.may_start
)
PAUSE = ActionInfo(
    "pause",
    "Pause",
    "F8",
    "Stop the belts and wait; the trial is repeated afterwards",
    lambda view: view.may_pause and not view.paused,
)
RESUME = ActionInfo(
    "resume", "Resume", "F8", "Go on with the same trial", lambda view: view.paused
)
ABORT = ActionInfo(
    "abort",
    "ABORT",
    "Esc",
    "Stop the belts now and end the run; the deck stays where it is",
    lambda _view: True,
)
