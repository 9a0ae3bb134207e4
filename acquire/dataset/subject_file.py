"""Read a K2MUSE subject file, ours or a published one, one trial at a time.

    with open_subject(Path("P43.mat")) as subject:
        for name in subject.trials:
            emg = subject[name].original.emg_uv

MAT-files v7.3, v7 and v5 are read; conditions, modes and speeds in every spelling
that the published files and their description use (`S_1` and `S_1x0`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from acquire.dataset.mat_tree import MatNode, MatReadError, open_mat
from acquire.dataset.subject_trial import NormalizedTrial, OriginalTrial
from acquire.storage import labels
from acquire.storage.errors import LayoutError

TREES: Final = ("OriginalData", "NormalizedData")


@dataclass(frozen=True, slots=True)
class TrialName:
    """Which trial: words as K2MUSE spells them, whatever the file does."""

    condition: str
    mode: str
    speed: str
    trial: int

    def __str__(self) -> str:
        return f"{self.condition}/{self.mode}/{self.speed}/Trial_{self.trial}"


@dataclass(frozen=True, eq=False)
class SubjectTrial:
    """One trial in both trees of a subject file."""

    name: TrialName
    original: OriginalTrial
    normalized: NormalizedTrial


@dataclass(frozen=True, eq=False)
class Subject:
    """An open subject file; valid until the file is closed.

    `unread` names fields that are no condition, mode, speed or trial.
    """

    path: Path
    name: str
    unread: tuple[str, ...]
    _places: MappingProxyType[TrialName, str]
    _node: MatNode

    @property
    def trials(self) -> tuple[TrialName, ...]:
        """All trials, in the file's order."""
        return tuple(self._places)

    def __getitem__(self, name: TrialName) -> SubjectTrial:
        if name not in self._places:
            near = [str(t) for t in self._places if t.condition == name.condition]
            raise KeyError(
                f"{self.path.name} has no trial {name}; "
                f"{f'of {name.condition} it' if near else 'it'} has "
                f"{', '.join(near or [str(t) for t in self._places][:12])}"
            )
        place = self._places[name]
        first, second = (_at(self._node, f"{tree}.{place}") for tree in TREES)
        return SubjectTrial(name, OriginalTrial(first), NormalizedTrial(second))

    def trial(
        self, condition: str, mode: str, speed: str | float, trial: int
    ) -> SubjectTrial:
        """Return one trial; `speed` as a label in any spelling, or in m/s."""
        mps = labels.speed_mps(speed) if isinstance(speed, str) else float(speed)
        return self[
            TrialName(
                labels.condition_label(condition),
                labels.mode_label(labels.slope_deg(mode)),
                labels.speed_label(mps),
                trial,
            )
        ]


@contextmanager
def open_subject(path: Path | str) -> Iterator[Subject]:
    """Open a subject file for reading.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    MatReadError
        The file is no MAT-file, or holds no subject.
    """
    path = Path(path)
    with open_mat(path) as found:
        subjects = [node for node in found if all(tree in node for tree in TREES)]
        if len(subjects) != 1:
            raise MatReadError(
                f"{path}: expected one variable with {' and '.join(TREES)}; it has "
                f"{', '.join(f'{v.path} {v.fields[:6]}' for v in found) or 'none'}"
            )
        places, unread = _scan(subjects[0])
        yield Subject(
            path, subjects[0].path, unread, MappingProxyType(places), subjects[0]
        )


def _scan(subject: MatNode) -> tuple[dict[TrialName, str], tuple[str, ...]]:
    """Return where every trial lies that both trees hold, and what is none."""
    places: dict[TrialName, str] = {}
    unread: list[str] = []
    original, normalized = (subject[tree] for tree in TREES)
    for condition in original.fields:
        for mode in original[condition].fields:
            speeds = original[condition][mode]
            for speed in speeds.fields:
                for trial in speeds[speed].fields:
                    place = f"{condition}.{mode}.{speed}.{trial}"
                    name = _name(condition, mode, speed, trial)
                    if name is None or not _holds(normalized, place):
                        unread.append(place)
                    else:
                        places[name] = place
    return places, tuple(unread)


def _name(condition: str, mode: str, speed: str, trial: str) -> TrialName | None:
    prefix, _, number = trial.partition("_")
    try:
        return TrialName(
            labels.condition_label(condition),
            labels.mode_label(labels.slope_deg(mode)),
            labels.speed_label(labels.speed_mps(speed)),
            int(number if prefix == "Trial" else ""),
        )
    except (LayoutError, ValueError):
        return None


def _holds(node: MatNode, place: str) -> bool:
    for name in place.split("."):
        if name not in node:
            return False
        node = node[name]
    return True


def _at(node: MatNode, place: str) -> MatNode:
    for name in place.split("."):
        node = node[name]
    return node
