"""What the operator can do, as a table: verb, words, shortcut."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ActionInfo:
    """One request to the session. `confirmed`: it takes a second press."""

    verb: str
    text: str
    shortcut: str
    tip: str
    confirmed: bool = False


START = ActionInfo("start", "Start", "F5", "Begin the protocol")
PAUSE = ActionInfo(
    "pause", "Pause", "F8", "Stop the belts and wait; the trial is repeated afterwards"
)
RESUME = ActionInfo("resume", "Resume", "F8", "Go on with the same trial")
SKIP = ActionInfo(
    "skip", "Skip", "F6", "Leave out what is under way or next", confirmed=True
)
REPEAT = ActionInfo(
    "repeat",
    "Repeat",
    "F7",
    "Reject the take under way, or the last one, and record it again",
    confirmed=True,
)
NOTE = ActionInfo("note", "Note", "F9", "Write a note for the record")
ADVERSE_EVENT = ActionInfo(
    "adverse_event",
    "Adverse event",
    "F12",
    "Stop the belts now, as an abort does, and wait; then say what happened",
)
ABORT = ActionInfo(
    "abort",
    "ABORT",
    "Esc",
    "Stop the belts now and end the run; the deck stays where it is",
)
ANSWER_SHORTCUT = "F2"
ACTIONS = (START, PAUSE, RESUME, SKIP, REPEAT, NOTE, ADVERSE_EVENT, ABORT)
