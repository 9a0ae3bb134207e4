"""What the archives of a session know of each other's clocks, worked out once."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from acquire.align import SharedSkew, TrialEvidence, align, evidence_of, shared_skews
from acquire.storage.errors import LayoutError, StorageError
from acquire.storage.layout import dataset_root, find_archives, parse_path
from acquire.storage.provenance import sha256
from acquire.storage.trial_file import read_trial

log = logging.getLogger("kinemuse.derive")

Skews = Mapping[str, SharedSkew]


def session_archives(archive: Path) -> dict[str, Path]:
    """Return the archives of an archive's session, by path within the dataset.

    All takes count, rejected ones and calibrations too: their clocks ran on as well.
    Empty where the archive lies in no dataset.
    """
    root = dataset_root(archive)
    try:
        key = parse_path(archive)
    except LayoutError:
        return {}
    if root is None:
        return {}
    return {
        path.relative_to(root).as_posix(): path
        for other, path in find_archives(root, key.participant).items()
        if other.session == key.session
    }


@dataclass(eq=False)
class SessionClocks:
    """The skews that trials of one session give each other.

    One trial at a time is in memory, and each is read once, when first needed;
    `progress` hears which. Make a new one to take in new archives.
    """

    progress: Callable[[str], None] = lambda _: None
    _members: dict[Path, dict[str, Path]] = field(default_factory=dict)
    _digests: dict[Path, str] = field(default_factory=dict)
    _skews: dict[Path, Skews] = field(default_factory=dict)

    def inputs(self, archive: Path) -> dict[str, str]:
        """Return the hashes of the session's other archives, by path in the dataset."""
        return {
            name: self._digest(path)
            for name, path in self._session(archive).items()
            if path != archive
        }

    def skews(self, archive: Path) -> Skews:
        """Return what the session's other trials know of an archive's clocks."""
        if archive not in self._skews:
            self._skews[archive] = {}
            self._work_out(self._session(archive))
        return self._skews[archive]

    def _session(self, archive: Path) -> dict[str, Path]:
        if archive not in self._members:
            members = session_archives(archive)
            self._members.update(dict.fromkeys(members.values(), members))
            self._members.setdefault(archive, {})
        return self._members[archive]

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = sha256(path)
        return self._digests[path]

    def _work_out(self, members: Mapping[str, Path]) -> None:
        if len(members) < 2:
            return
        known: list[TrialEvidence] = []
        for name, path in members.items():
            self.progress(f"clocks of {name}")
            try:
                recording = read_trial(path)
            except (StorageError, OSError) as error:
                log.warning("%s tells nothing of the session's clocks: %s", name, error)
                continue
            known.append(evidence_of(name, recording, align(recording)))
        known.sort(key=lambda trial: np.nan_to_num(trial.first_stamp_s, nan=np.inf))
        for trial, skews in zip(known, shared_skews(known), strict=True):
            self._skews[members[trial.name]] = skews
