"""C3D files that were processed in Nexus, found by the names of their trials.

Names of captures are either those the runner gives (``P43_Ideal_LG_0_1.0_mps_trial_1``)
or the published ones (``P43+Ideal+LG+0+1+1``); or the folders are those of `raw`
(``Ideal/LG_0/S_1/Trial_1.c3d``). A take may follow: ``_take2``.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from acquire.storage import labels
from acquire.storage.errors import LayoutError
from acquire.storage.layout import TrialKey

NEXUS: Final = "nexus:"  #: goes before their names among the inputs of a derived file
_SPEED = r"(?P<speed>\d+(?:[.x]\d+)?)"
_TAKE = r"(?:[_ +]take(?P<take>\d+))?"
_NAMES: Final = tuple(
    re.compile(pattern + _TAKE, re.IGNORECASE)
    for pattern in (
        r"(?P<who>P\d+)\+(?P<condition>[A-Za-z-]+)\+(?P<mode>LG|AS|DS)\+"
        rf"(?P<angle>\d+)\+{_SPEED}\+(?P<trial>\d+)",
        r"(?P<who>P\d+)_(?P<condition>[A-Za-z-]+)_(?P<mode>LG|AS|DS)_"
        rf"(?P<angle>\d+)_{_SPEED}_mps_trial_(?P<trial>\d+)",
    )
)
_TRIAL = re.compile(rf"Trial_(?P<trial>\d+){_TAKE}", re.IGNORECASE)

Name = tuple[str, str, str, int]


class NexusError(ValueError):
    """A processed file cannot stand in for our outputs; the message says why."""


@dataclass(frozen=True)
class NexusFolder:
    """Processed files by condition, mode, speed and trial; the takes of each."""

    path: Path
    files: dict[Name, dict[int | None, list[Path]]] = field(default_factory=dict)

    def of(self, key: TrialKey) -> Path | None:
        """Return the file of a trial; None where there is none.

        A file that names a take is for that take alone.

        Raises
        ------
        NexusError
            Several files have the trial's name.
        """
        takes = self.files.get((key.condition, key.mode, key.speed, key.trial), {})
        found = takes.get(key.take) or takes.get(None) or []
        if len(found) > 1:
            raise NexusError(
                f"{self.path}: {' and '.join(sorted(p.name for p in found))} are both "
                f"{key.condition} {key.mode} {key.speed} trial {key.trial}"
            )
        return found[0] if found else None

    @property
    def names(self) -> list[str]:
        """Names of all files, sorted."""
        return sorted(
            path.name
            for takes in self.files.values()
            for paths in takes.values()
            for path in paths
        )


def nexus_folder(folder: Path, participant: str) -> NexusFolder:
    """Find a participant's processed files in a folder and below it.

    Files whose names say no trial (static ones) or another participant are left out.

    Raises
    ------
    NexusError
        There is no such folder, or no file of this participant in it.
    """
    if not folder.is_dir():
        raise NexusError(f"{folder} is not a folder of processed C3D files")
    found = NexusFolder(folder)
    every = sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".c3d")
    for path in every:
        named = _named(path.relative_to(folder), participant)
        if named is not None:
            name, take = named
            found.files.setdefault(name, {}).setdefault(take, []).append(path)
    if not found.files:
        raise NexusError(
            f"{folder} has no trial of {participant} among "
            f"{', '.join(p.name for p in every[:5]) or 'no C3D files'}; expected names "
            f"such as {participant}+Ideal+LG+0+1+1.c3d"
        )
    return found


def _named(path: Path, participant: str) -> tuple[Name, int | None] | None:
    for pattern in _NAMES:
        match = pattern.fullmatch(path.stem)
        if match and match["who"].upper() == participant:
            mode = f"{match['mode'].upper()}_{match['angle']}"
            speed = f"S_{match['speed'].replace('.', 'x')}"
            return _key(match["condition"], mode, speed, match)
    match = _TRIAL.fullmatch(path.stem)
    if match and len(path.parts) >= 4:
        condition, mode, speed = path.parts[-4:-1]
        return _key(condition, mode, speed, match)
    return None


def _key(
    condition: str, mode: str, speed: str, match: re.Match[str]
) -> tuple[Name, int | None] | None:
    try:
        known = (
            labels.condition_label(condition),
            labels.mode_label(labels.slope_deg(mode)),
            labels.speed_label(labels.speed_mps(speed)),
        )
    except LayoutError:
        return None
    take = match["take"]
    return (*known, int(match["trial"])), int(take) if take else None
