"""All names of a dataset folder: where a trial's files lie, and back from a path."""

import datetime as dt
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from acquire.storage import labels
from acquire.storage.durable import make_directory, write_text_atomically
from acquire.storage.errors import LayoutError, MixedDatasetError

LAYOUT_VERSION: Final = 1
KIND_FILE: Final = "dataset.json"
MANIFEST: Final = "manifest-sha256.txt"

_SESSION = re.compile(r"\d{4}-\d{2}-\d{2}_\d+")
_TRIAL = re.compile(r"Trial_(\d+)_take(\d+)")
_SUFFIXES = (".derived.h5", ".xdf.journal", ".xdf", ".h5")


@dataclass(frozen=True, order=True)
class TrialKey:
    """Names one take of one trial.

    A calibration trial has `condition` ``Calibration``, its kind (``Static``, ``MVC``
    ...) as `mode` and an empty `speed`.
    """

    participant: str  #: P43
    session: str  #: day and number of the visit that day: 2026-11-22_1
    condition: str  #: Ideal, Fatigue... or Calibration
    mode: str  #: LG_0, AS_5... or the kind of calibration
    speed: str  #: S_0x5, S_1... or empty
    trial: int
    take: int = 1

    def __post_init__(self) -> None:
        labels.participant_label(self.participant)
        session_label(self.session)
        if self.trial < 1 or self.take < 1:
            raise LayoutError(
                f"trial {self.trial}, take {self.take}: both are counted from 1"
            )
        if not self.is_calibration:
            if labels.condition_label(self.condition) != self.condition:
                raise LayoutError(f"condition {self.condition!r} is spelled InterDay")
            labels.slope_deg(self.mode)
            labels.speed_mps(self.speed)
        elif self.mode not in labels.CALIBRATION_KINDS or self.speed:
            raise LayoutError(
                f"calibration {self.mode!r}, speed {self.speed!r}: expected one of "
                f"{', '.join(labels.CALIBRATION_KINDS)} and no speed"
            )

    @property
    def is_calibration(self) -> bool:
        return self.condition == labels.CALIBRATION

    @property
    def stem(self) -> str:
        return f"Trial_{self.trial}_take{self.take}"

    def folder(self, dataset: Path) -> Path:
        """Folder of the trial's files."""
        parts = [self.condition, self.mode, *([self.speed] if self.speed else [])]
        return session_folder(dataset, self.participant, self.session).joinpath(*parts)

    def xdf(self, dataset: Path) -> Path:
        return self.folder(dataset) / f"{self.stem}.xdf"

    def h5(self, dataset: Path) -> Path:
        return self.folder(dataset) / f"{self.stem}.h5"

    def derived(self, dataset: Path) -> Path:
        return self.folder(dataset) / f"{self.stem}.derived.h5"

    def attributes(self) -> dict[str, str | int]:
        """Return what the trial archive says of itself at its root."""
        return {
            "participant": self.participant,
            "session": self.session,
            "condition": self.condition,
            "mode": self.mode,
            "speed": self.speed,
            "trial": self.trial,
            "take": self.take,
        }


def session_label(text: str) -> str:
    """Return a session's name if it is one: ``2026-11-22_1``."""
    if not _SESSION.fullmatch(text):
        raise LayoutError(
            f"session {text!r}: expected the day and the number of the visit that "
            "day, as in 2026-11-22_1"
        )
    return text


def session_folder(dataset: Path, participant: str, session: str) -> Path:
    """Return where a session's files and trials lie."""
    return dataset / "raw" / participant / session


def next_session(dataset: Path, participant: str, day: dt.date) -> str:
    """Name a participant's next session of that day.

    The day is in the name because operators look for it; `raw` is the laboratory's
    own record. Nothing built for publication carries session names.
    """
    labels.participant_label(participant)
    prefix = f"{day.isoformat()}_"
    taken = [
        int(folder.name.removeprefix(prefix))
        for folder in (dataset / "raw" / participant).glob(f"{prefix}*")
        if _SESSION.fullmatch(folder.name)
    ]
    return f"{prefix}{max(taken, default=0) + 1}"


def next_take(dataset: Path, key: TrialKey) -> TrialKey:
    """Return the key with the first take that no file of this trial has used."""
    taken = [
        int(match[2])
        for path in key.folder(dataset).glob(f"Trial_{key.trial}_take*")
        if (match := _TRIAL.match(path.name)) and int(match[1]) == key.trial
    ]
    return replace(key, take=max(taken, default=0) + 1)


def parse_path(path: Path) -> TrialKey:
    """Read a trial's key from the path of any of its files.

    Raises
    ------
    LayoutError
        The path is not one that this layout gives; ``S_1x0`` and ``Inter-day`` are
        read as ``S_1`` and ``InterDay``.
    """
    name, parts = path.name, path.parts[:-1]
    suffix = next((s for s in _SUFFIXES if name.endswith(s)), "")
    match = _TRIAL.fullmatch(name.removesuffix(suffix)) if suffix else None
    if match is None:
        raise LayoutError(f"{name!r} is not Trial_<k>_take<n> with one of {_SUFFIXES}")
    numbers = int(match[1]), int(match[2])
    if "raw" not in parts:
        raise LayoutError(f"{path}: there is no folder raw above it")
    inner = parts[len(parts) - parts[::-1].index("raw") :]
    if len(inner) == 4 and inner[2] == labels.CALIBRATION:
        return TrialKey(inner[0], inner[1], inner[2], inner[3], "", *numbers)
    if len(inner) != 5:
        raise LayoutError(
            f"{path}: expected raw/<participant>/<session>/<condition>/<mode>/<speed>"
        )
    return TrialKey(
        inner[0],
        inner[1],
        labels.condition_label(inner[2]),
        inner[3],
        labels.speed_label(labels.speed_mps(inner[4])),
        *numbers,
    )


def find_trials(dataset: Path, participant: str | None = None) -> list[TrialKey]:
    """List every take that has a recording or an archive, sorted."""
    found = _find(dataset, participant, "Trial_*.xdf")
    return sorted({*found, *find_archives(dataset, participant)})


def find_participants(dataset: Path) -> list[str]:
    """List the participants that have recordings, sorted."""
    folders = (dataset / "raw").glob("P*/")
    return sorted(p.name for p in folders if find_trials(dataset, p.name))


def find_archives(
    dataset: Path, participant: str | None = None
) -> dict[TrialKey, Path]:
    """Return the trial archive of every take that has one, sorted by key."""
    found = _find(dataset, participant, "Trial_*.h5")
    return {
        key: path
        for key, path in sorted(found.items())
        if not path.name.endswith(".derived.h5")
    }


def _find(dataset: Path, participant: str | None, pattern: str) -> dict[TrialKey, Path]:
    folder = dataset / "raw" / participant if participant else dataset / "raw"
    found = {}
    for path in sorted(folder.rglob(pattern)):  # .derived.h5 sorts before .h5
        try:
            found[parse_path(path)] = path
        except LayoutError:
            continue
    return found


def dataset_root(path: Path) -> Path | None:
    """Return the dataset folder that a path lies in; None when it is in none."""
    parents = [path, *path.parents]
    for folder in parents:
        if (folder / KIND_FILE).is_file():
            return folder
    return next((p.parent for p in parents if p.name == "raw"), None)


def dataset_kind(dataset: Path) -> Literal["virtual", "real"] | None:
    """Say whether a dataset holds virtual or real recordings; None before the first."""
    marks = [dataset / KIND_FILE, *sorted(dataset.glob("raw/*/*/session.json"))]
    for mark in marks:
        simulated = _json(mark).get("simulated")
        if isinstance(simulated, bool):
            return "virtual" if simulated else "real"
    return None


def claim_dataset(dataset: Path, *, simulated: bool) -> None:
    """Make a dataset virtual or real, before its first trial, for good.

    Raises
    ------
    MixedDatasetError
        It is already the other of the two.
    """
    wanted = "virtual" if simulated else "real"
    kind = dataset_kind(dataset)
    if kind is not None and kind != wanted:
        raise MixedDatasetError(
            f"{dataset} holds {kind} recordings; {wanted} ones need another folder"
        )
    if kind is None or not (dataset / KIND_FILE).is_file():
        make_directory(dataset)
        mark = {"kinemuse_layout": LAYOUT_VERSION, "simulated": simulated}
        write_text_atomically(dataset / KIND_FILE, json.dumps(mark, indent=2) + "\n")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
