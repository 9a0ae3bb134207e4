"""Which trials an export takes, and where it may write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acquire.dataset.participants import Participant, read_participants
from acquire.dataset.selection import select
from acquire.session_clocks import SessionClocks
from acquire.storage.layout import TrialKey


class ExportError(ValueError):
    """There is nothing to export, or the place to write to is taken."""


@dataclass
class ExportResult:
    """What was written, and what the format has no place for."""

    files: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def describe(self, out: Path) -> str:
        """Say in a few lines what was written."""
        size = sum(path.stat().st_size for path in self.files) / 1e6
        lines = [f"{out}: {len(self.files)} files, {size:.1f} MB"]
        return "\n".join([*lines, *(f"  {remark}" for remark in self.remarks)])

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {"files": [str(path) for path in self.files], "remarks": self.remarks}


@dataclass(frozen=True)
class AcceptedTrial:
    """One accepted take, whose it is, and the clocks of its session."""

    key: TrialKey
    archive: Path
    person: Participant
    session: SessionClocks

    @property
    def name(self) -> str:
        key = self.key
        return f"{key.participant} {key.condition} {key.mode} {key.speed} {key.stem}"


def accepted_trials(
    dataset: Path, participants: Sequence[str]
) -> Iterator[AcceptedTrial]:
    """Yield the accepted trials of `participants` in the subject file's order.

    Raises
    ------
    ExportError
        There is none at all.
    """
    people = read_participants(dataset)
    n = 0
    for name in participants:
        session = SessionClocks()
        person = people.get(name, Participant(name))
        for key, archive in select(dataset, name).archives.items():
            n += 1
            yield AcceptedTrial(key, archive, person, session)
    if n == 0:
        who = ", ".join(participants) or "anybody"
        raise ExportError(f"{dataset} holds no accepted trial of {who}")


def new_folder(out: Path) -> Path:
    """Make the folder to write into.

    Raises
    ------
    FileExistsError
        It is there and not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    return out
