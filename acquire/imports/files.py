"""Which files of a folder belong to which trial, by a profile's patterns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acquire.dataset.source_tree.names import N_PROBES
from acquire.imports.errors import ProfileError
from acquire.imports.patterns import PatternError, trial_labels
from acquire.imports.profile import ImportProfile

SUFFIXES = {".c3d", ".mat", ".csv", ".txt", ".asc"}


@dataclass(frozen=True, order=True)
class TrialName:
    """A trial as its files name it."""

    participant: str
    condition: str
    mode: str
    speed: str
    trial: int

    def __str__(self) -> str:
        parts = (self.participant, self.condition, self.mode, self.speed)
        return " ".join((*parts, f"trial {self.trial}"))


@dataclass
class TrialFiles:
    """The files of one trial; `ultrasound` by probe, from 1."""

    c3d: Path | None = None
    emg: Path | None = None
    ultrasound: dict[int, Path] = field(default_factory=dict)

    def all(self) -> list[Path]:
        probes = [self.ultrasound[k] for k in sorted(self.ultrasound)]
        return [path for path in (self.c3d, self.emg, *probes) if path is not None]


@dataclass
class Found:
    """What a folder holds: trials, static trials by participant and condition, rest.

    `problems` say of a file why it belongs to no trial; `others` are participants who
    were not asked for; `unmatched` fit no pattern.
    """

    trials: dict[TrialName, TrialFiles] = field(default_factory=dict)
    statics: dict[tuple[str, str], list[Path]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    unmatched: list[str] = field(default_factory=list)


def find_files(
    folder: Path, profile: ImportProfile, participant: str | None = None
) -> Found:
    """Sort a folder's files into trials; `participant` picks one, by our name.

    Raises
    ------
    ProfileError
        No file fits, or none of the participant asked for.
    """
    found = Found()
    for path in _data_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            matched = _sort(path, name, profile, found, participant)
        except PatternError as error:
            found.problems[name] = str(error)
            continue
        if not matched:
            found.unmatched.append(name)
    if not found.trials and found.others:
        raise ProfileError(
            f"no file in {folder} is of {participant}; there are files of "
            f"{', '.join(sorted(found.others))}"
        )
    if not found.trials and not found.problems:
        raise ProfileError(
            f"no file in {folder} fits {', '.join(profile.vicon.files)}; there are "
            f"{', '.join(found.unmatched[:5]) or 'no data files'}"
        )
    return found


def _data_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(p.startswith(".") for p in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden:
            yield path


def _sort(
    path: Path,
    name: str,
    profile: ImportProfile,
    found: Found,
    participant: str | None,
) -> bool:
    """Put one file where it belongs; False when no pattern fits it."""
    said = _said(name, profile.vicon.static, profile)
    if said is not None:
        place = trial_labels({"mode": "LG_0", "speed": "S_1", "trial": "1", **said})
        who, condition = str(place["participant"]), str(place["condition"])
        if participant in (None, who):
            found.statics.setdefault((who, condition), []).append(path)
        return True
    parts = {
        "c3d": profile.vicon.files,
        "emg": profile.emg.files if profile.emg else (),
        "ultrasound": profile.ultrasound.files if profile.ultrasound else (),
    }
    for kind, patterns in parts.items():
        said = _said(name, patterns, profile)
        if said is None:
            continue
        trial = TrialName(**trial_labels(said))  # type: ignore[arg-type]
        if participant in (None, trial.participant):
            _place(path, kind, said, found.trials.setdefault(trial, TrialFiles()))
        else:
            found.others.add(trial.participant)
        return True
    return False


def _place(path: Path, kind: str, said: Mapping[str, str], files: TrialFiles) -> None:
    if kind == "ultrasound":
        digits = "".join(c for c in said.get("channel", "") if c.isdigit())
        probe = int(digits or 0)
        if not 1 <= probe <= N_PROBES:
            raise PatternError(
                f"channel {said.get('channel', 'none')!r}: probes are 1 to {N_PROBES}"
            )
        taken = files.ultrasound.setdefault(probe, path)
    elif kind == "emg":
        taken = files.emg = files.emg or path
    else:
        taken = files.c3d = files.c3d or path
    if taken != path:
        raise PatternError(f"{taken.name} is already the {kind} file of this trial")


def _said(
    name: str, patterns: tuple[str, ...], profile: ImportProfile
) -> dict[str, str] | None:
    for text in patterns:
        said = profile.pattern(text).match(name)
        if said is not None:
            return {**profile.defaults, **said}
    return None
