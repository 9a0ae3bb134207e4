"""What of a protocol is still to do."""

from collections.abc import Sequence

from protocols.replay import Progress
from protocols.timeline import Entry, TrialPlan


class Course:
    """The entries left, in order; those that `progress` calls done are passed over."""

    def __init__(self, entries: Sequence[Entry], progress: Progress) -> None:
        self._left = [
            entry
            for entry in entries
            if entry.id not in progress.done
            and not progress.ended_groups.intersection(entry.groups)
        ]
        self.n_trials = sum(_is_trial(entry) for entry in entries)
        self.n_done = sum(
            progress.done.get(entry.id) == "accepted"
            for entry in entries
            if _is_trial(entry)
        )
        self.last: tuple[Entry, str] | None = None
        """The trial judged last in this run, and how."""

    @property
    def head(self) -> Entry | None:
        """What is next or under way; None when nothing is left."""
        return self._left[0] if self._left else None

    @property
    def left(self) -> tuple[str, ...]:
        """Ids of what is left."""
        return tuple(entry.id for entry in self._left)

    def advance(self, outcome: str) -> Entry:
        """Go past the head; `outcome` is done, accepted, rejected or skipped."""
        entry = self._left.pop(0)
        if _is_trial(entry):
            self.n_done += outcome == "accepted"
            self.last = (entry, outcome)
        return entry

    def put_back(self) -> tuple[Entry, str] | None:
        """Have the trial judged last done again; None where there is none."""
        last, self.last = self.last, None
        if last is not None:
            self._left.insert(0, last[0])
            self.n_done -= last[1] == "accepted"
        return last

    def end_group(self, group: str) -> None:
        """Leave out what is left of a cycle or of an optional part."""
        self._left = [entry for entry in self._left if group not in entry.groups]
        if self.last is not None and group in self.last[0].groups:
            self.last = None  # a trial of what is over is not done again

    def find(self, entry_id: str) -> Entry | None:
        """Return an entry that is left."""
        return next((entry for entry in self._left if entry.id == entry_id), None)


def _is_trial(entry: Entry) -> bool:
    return isinstance(entry.action, TrialPlan) and entry.action.recorded
