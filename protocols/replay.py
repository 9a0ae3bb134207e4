"""What a session's journal tells of its run: where it was, and what is done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from protocols.fatigue import Indices
from protocols.states import State

DONE = "step_done"
AGAIN = "step_again"
GROUP_ENDED = "group_ended"
FATIGUE = "fatigue"
TAKE_KEYS = ("participant", "session", "condition", "mode", "speed", "trial", "take")


@dataclass
class Progress:
    """How far a run is, by its journal alone."""

    state: State = State.IDLE
    trial: str = ""
    """Name of the trial the run was in; empty where it was in none."""
    done: dict[str, str] = field(default_factory=dict)
    """Entries that are over, and how: done, accepted, rejected, skipped."""
    ended_groups: set[str] = field(default_factory=set)
    baselines: dict[str, Indices] = field(default_factory=dict)
    line_high: str = ""
    """Name of the trial whose capture raised the line, if nothing lowered it."""
    unjudged: dict[str, Any] = field(default_factory=dict)
    """Key of a take that was recorded to its end, but not judged."""
    unjudged_trial: str = ""
    problems: tuple[str, ...] = ()
    """What was said of that take."""

    @property
    def begun(self) -> bool:
        """Whether the run had begun."""
        return self.state is not State.IDLE


def replay(lines: Iterable[Mapping[str, Any]]) -> Progress:
    """Read a journal's lines in their order; lines of others change nothing."""
    progress = Progress()
    for line in lines:
        _READERS.get(str(line.get("event")), _other)(progress, line)
    return progress


def _other(progress: Progress, line: Mapping[str, Any]) -> None:
    del progress, line


def _state(progress: Progress, line: Mapping[str, Any]) -> None:
    try:
        progress.state = State(str(line.get("state")))
    except ValueError:
        return  # of another version
    progress.trial = str(line.get("trial") or "")
    if progress.state is State.RAISING:  # written before the line is asked to rise
        progress.line_high = progress.trial


def _done(progress: Progress, line: Mapping[str, Any]) -> None:
    progress.done[str(line.get("step"))] = str(line.get("outcome"))


def _again(progress: Progress, line: Mapping[str, Any]) -> None:
    progress.done.pop(str(line.get("step")), None)


def _group(progress: Progress, line: Mapping[str, Any]) -> None:
    progress.ended_groups.add(str(line.get("group")))


def _fatigue(progress: Progress, line: Mapping[str, Any]) -> None:
    indices = line.get("indices")
    if isinstance(indices, Mapping):
        progress.baselines.setdefault(
            str(line.get("condition")),
            {name: (float(v[0]), float(v[1])) for name, v in indices.items()},
        )


def _capture(progress: Progress, line: Mapping[str, Any]) -> None:
    raised = line.get("event") == "trial_start"
    progress.line_high = str(line.get("trial") or "") if raised else ""


def _armed(progress: Progress, line: Mapping[str, Any]) -> None:
    del line
    progress.unjudged, progress.unjudged_trial, progress.problems = {}, "", ()


def _take_done(progress: Progress, line: Mapping[str, Any]) -> None:
    if line.get("state") == "verified" and progress.state in _UNJUDGED:
        progress.unjudged = {key: line[key] for key in TAKE_KEYS if key in line}
        progress.unjudged_trial = progress.trial
        progress.problems = tuple(str(text) for text in line.get("problems") or ())


def _verdict(progress: Progress, line: Mapping[str, Any]) -> None:
    progress.unjudged, progress.unjudged_trial, progress.problems = {}, "", ()
    name = str(line.get("trial_name"))
    if line.get("accepted"):
        progress.done[name] = "accepted"
    elif progress.done.get(name) == "accepted":  # taken back
        del progress.done[name]


_UNJUDGED = (State.CLOSING, State.JUDGING)
_READERS = {
    "state": _state,
    DONE: _done,
    AGAIN: _again,
    GROUP_ENDED: _group,
    FATIGUE: _fatigue,
    "trial_start": _capture,
    "trial_stop": _capture,
    "trial_armed": _armed,
    "trial_done": _take_done,
    "verdict": _verdict,
}
