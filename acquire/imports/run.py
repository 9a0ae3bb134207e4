"""Import a folder: each trial becomes an archive of an imported session, accepted.

Trials that rest on the same static trial share a session, as its calibration serves
all of them; a folder imported again adds only what is new.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from acquire.dataset.participants import add_participant, read_participants
from acquire.dataset.selection import verdicts
from acquire.dataset.source_tree.vicon import ASIS_NAMES
from acquire.imports.errors import SourceFileError
from acquire.imports.files import Found, TrialFiles, TrialName, find_files
from acquire.imports.profile import ImportProfile
from acquire.imports.trial import ImportedTrial, read_trial_files
from acquire.storage.durable import make_directory, write_text_atomically
from acquire.storage.errors import NotARecordingError
from acquire.storage.journal import Journal
from acquire.storage.labels import CALIBRATION
from acquire.storage.layout import (
    TrialKey,
    claim_dataset,
    find_archives,
    next_session,
    next_take,
    session_folder,
)
from acquire.storage.manifest import append_to_manifest
from acquire.storage.provenance import sha256
from acquire.storage.trial_file import read_provenance, write_trial

log = logging.getLogger("kinemuse.import")

Progress = Callable[[str], None]
SessionFiles = tuple[str, dict[TrialName, TrialFiles], list[Path]]
AS_NEXUS_LEFT = "processing: {marker_smoothing: none, derivative_window_s: 0.08}\n"
SOURCES = "import_files"  #: provenance: path below the folder → SHA-256, as JSON


@dataclass
class ImportResult:
    """What was imported, what was there already, and what could not be, and why."""

    imported: dict[TrialKey, list[str]] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """Say in a few lines what became of the folder."""
        lines = [f"{len(self.imported)} trials imported"]
        lines += [f"{len(self.known)} were there already"] if self.known else []
        for key, remarks in self.imported.items():
            place = f"{key.participant} {key.condition} {key.mode} {key.speed}"
            lines.append(f"  {place.rstrip()} {key.stem}")
            lines += [f"    {remark}" for remark in remarks]
        lines += [f"  refused: {name}: {why}" for name, why in self.refused.items()]
        return "\n".join([*lines, *(f"  {remark}" for remark in self.remarks)])

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {
            "imported": [
                {**key.attributes(), "remarks": remarks}
                for key, remarks in self.imported.items()
            ],
            "known": self.known,
            "refused": self.refused,
            "remarks": self.remarks,
        }


def import_folder(
    folder: Path,
    dataset: Path,
    profile: ImportProfile,
    progress: Progress = lambda _: None,
    *,
    participant: str | None = None,
    today: date | None = None,
) -> ImportResult:
    """Make archives of all trials that a folder's files hold.

    A file that is not as declared refuses its trial, not the folder. `participant`
    picks one, by our name; `today` names the sessions.

    Raises
    ------
    ProfileError
        Nothing in the folder fits the profile.
    MixedDatasetError
        The dataset holds the other of virtual and real.
    """
    found = find_files(folder, profile, participant)
    claim_dataset(dataset, simulated=profile.simulated)
    result = ImportResult(refused=dict(found.problems))
    if found.unmatched:
        some = ", ".join(found.unmatched[:3])
        result.remarks.append(f"{len(found.unmatched)} files fit no pattern: {some}")
    run = _Run(folder, dataset, profile, progress, result, today or date.today())
    for session in _sessions(found):
        run.session(*session)
    return result


def _sessions(
    found: Found,
) -> list[tuple[str, dict[TrialName, TrialFiles], list[Path]]]:
    """Group trials by participant and by the static trials they rest on."""
    groups: dict[tuple[str, tuple[str, ...]], dict[TrialName, TrialFiles]] = {}
    statics: dict[tuple[str, tuple[str, ...]], list[Path]] = {}
    for name, files in sorted(found.trials.items()):
        paths = found.statics.get((name.participant, name.condition), [])
        digests = tuple(sorted(sha256(path) for path in paths))
        other_day = ("",) if not paths and name.condition == "InterDay" else ()
        group = (name.participant, digests + other_day)
        groups.setdefault(group, {})[name] = files
        statics.setdefault(group, paths)
    return [(group[0], trials, statics[group]) for group, trials in groups.items()]


@dataclass
class _Run:
    folder: Path
    dataset: Path
    profile: ImportProfile
    progress: Progress
    result: ImportResult
    today: date

    def session(
        self, participant: str, trials: dict[TrialName, TrialFiles], statics: list[Path]
    ) -> None:
        """Import one session's static trials and trials, those that are new."""
        todo = [
            (TrialName(participant, CALIBRATION, "Static", "", k), TrialFiles(path))
            for k, path in enumerate(statics, 1)
        ]
        known = self._known(participant)
        rest = []
        for name, files in [*todo, *trials.items()]:
            sources = self._sources(files)
            key = known.get(tuple(sorted(sources.values())))
            if key is None:
                rest.append((name, files, sources))
            else:
                self.result.known.append(str(name))
                self._accept_again(key)
        if not rest:
            return
        session = self._session_of(participant, todo, known)
        for name, files, sources in rest:
            self.progress(str(name))
            try:
                made = read_trial_files(files, self.profile, name.mode)
            except SourceFileError as error:
                self.result.refused[str(name)] = str(error)
                continue
            self._write(name, session, made, sources)

    def _write(
        self,
        name: TrialName,
        session: str,
        made: ImportedTrial,
        sources: dict[str, str],
    ) -> None:
        key = next_take(
            self.dataset,
            TrialKey(
                name.participant,
                session,
                name.condition,
                name.mode,
                name.speed,
                name.trial,
            ),
        )
        self._make_session(key)
        path = key.h5(self.dataset)
        make_directory(path.parent)
        archive = write_trial(
            made.recording,
            path,
            {**key.attributes(), "facing": made.facing, "imported": True},
            provenance={
                SOURCES: json.dumps(sources, indent=1),
                "import_profile": self.profile.model_dump_json(indent=1),
                "import_clocks": json.dumps(made.clocks, indent=1),
                **({"rig": AS_NEXUS_LEFT} if self.profile.vicon.smoothed else {}),
            },
        )
        append_to_manifest(self.dataset, archive)
        self._judge(key)
        self._body(key, made.measures)
        clocks = [
            f"{s}: {how}" for s, how in made.clocks.items() if s in ("semg", "amode")
        ]
        self.result.imported[key] = [*clocks, *made.recording.problems]

    def _known(self, participant: str) -> dict[tuple[str, ...], TrialKey]:
        """Return archives imported earlier, by the hashes of their files."""
        found = {}
        for key, path in find_archives(self.dataset, participant).items():
            try:
                text = read_provenance(path).get(SOURCES)
            except NotARecordingError:
                continue
            if text:
                found[tuple(sorted(json.loads(text).values()))] = key
        return found

    def _session_of(
        self,
        participant: str,
        statics: list[tuple[TrialName, TrialFiles]],
        known: dict[tuple[str, ...], TrialKey],
    ) -> str:
        """Return the session whose static trial this is, or a new one."""
        for _, files in statics:
            key = known.get(tuple(sorted(self._sources(files).values())))
            if key is not None:
                return key.session
        return next_session(self.dataset, participant, self.today)

    def _sources(self, files: TrialFiles) -> dict[str, str]:
        return {
            path.relative_to(self.folder).as_posix(): sha256(path)
            for path in files.all()
        }

    def _make_session(self, key: TrialKey) -> None:
        folder = session_folder(self.dataset, key.participant, key.session)
        if (folder / "session.json").is_file():
            return
        make_directory(folder)
        facts = {
            "participant": key.participant,
            "session": key.session,
            "imported": True,
            "profile": self.profile.name,
            "simulated": self.profile.simulated,
        }
        write_text_atomically(
            folder / "session.json", json.dumps(facts, indent=1) + "\n"
        )

    def _accept_again(self, key: TrialKey) -> None:
        """Judge an archive whose verdict a crash cut off."""
        if not key.is_calibration and key not in verdicts(
            self.dataset, key.participant
        ):
            self._judge(key)

    def _judge(self, key: TrialKey) -> None:
        folder = session_folder(self.dataset, key.participant, key.session)
        with Journal(folder / "journal.jsonl", lambda: 0.0) as journal:
            journal.append(
                "verdict",
                **key.attributes(),
                trial_name=key.stem,
                accepted=True,
                reason="imported",
            )

    def _body(self, key: TrialKey, measures: dict[str, float]) -> None:
        """List a participant who is not, with the measures the C3D file holds.

        What a walk's file says of the pelvis may stem from another static trial.
        """
        if key.participant in read_participants(self.dataset) or not measures:
            return
        taken = {
            k: v
            for k, v in measures.items()
            if key.is_calibration or k not in ASIS_NAMES
        }
        add_participant(self.dataset, {"participant": key.participant, **taken})
        self.result.remarks.append(
            f"{key.participant} was not listed: measures taken from the C3D file"
        )
