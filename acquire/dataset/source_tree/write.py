"""Write a participant's source files from the accepted takes, again and again alike.

A file is written to the side first. The same bytes leave the file there as it is; one
that this product wrote before is replaced; one that came from elsewhere, or was
changed since, stays, and is told.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from acquire.dataset.participants import Participant, read_participants
from acquire.dataset.placed_trial import PlacedTrial, placed_trial
from acquire.dataset.selection import Selection, select
from acquire.dataset.source_tree import names
from acquire.dataset.source_tree.elonxi import elonxi_texts
from acquire.dataset.source_tree.noraxon import noraxon_mat
from acquire.dataset.source_tree.vicon import write_vicon
from acquire.findings import Finding
from acquire.model_basis import STATIC, calibration_trials
from acquire.session_clocks import SessionClocks
from acquire.storage.durable import make_directory, write_atomically
from acquire.storage.layout import TrialKey
from acquire.storage.manifest import (
    append_to_manifest,
    drop_from_manifest,
    read_manifest,
)
from acquire.storage.provenance import sha256

log = logging.getLogger("kinemuse.source_tree")

State = Literal["new", "unchanged", "rebuilt", "kept"]
Progress = Callable[[str], None]
Made = tuple[PurePosixPath, bytes]


@dataclass(frozen=True)
class SourceResult:
    """What became of each file, by its path in the dataset, and what to know of it."""

    files: dict[str, State] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def count(self, state: State) -> int:
        return sum(found == state for found in self.files.values())

    def describe(self) -> str:
        """Say in a few lines what was written."""
        told = [f"{self.count('new')} new", f"{self.count('unchanged')} as they were"]
        told += [f"{n} rebuilt" for n in [self.count("rebuilt")] if n]
        told += [f"{n} removed" for n in [len(self.removed)] if n]
        lines = [f"{names.FOLDER}: {len(self.files)} files, {', '.join(told)}"]
        lines += [f"  {f.severity}: {f.where}: {f.message}" for f in self.findings]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {
            "files": self.files,
            "removed": self.removed,
            "findings": [finding.to_json() for finding in self.findings],
        }


def write_source_tree(
    dataset: Path,
    participant_id: str,
    progress: Progress = lambda _: None,
    *,
    own_conditions: bool = False,
) -> SourceResult:
    """Write a participant's source files and list them in the manifest.

    See `write_source_files`.
    """
    result = write_source_files(
        dataset, participant_id, progress, own_conditions=own_conditions
    )
    list_source_files(dataset, result)
    return result


def list_source_files(dataset: Path, result: SourceResult) -> None:
    """List what was written in the manifest, and no longer what was removed."""
    drop_from_manifest(dataset, [dataset / name for name in result.removed])
    for name, state in result.files.items():
        if state != "kept":
            append_to_manifest(dataset, dataset / name)


def write_source_files(
    dataset: Path,
    participant_id: str,
    progress: Progress = lambda _: None,
    *,
    own_conditions: bool = False,
) -> SourceResult:
    """Write ``SourceData/{Vicon,ELONXI,Noraxon}/P43/…`` from all accepted takes.

    One trial at a time is in memory. Files of trials that are no longer accepted are
    removed, unless somebody changed them. `progress` hears what is being done.
    """
    chosen = select(dataset, participant_id, own_conditions=own_conditions)
    person = read_participants(dataset).get(participant_id)
    earlier = read_manifest(dataset)
    result, session = SourceResult(), SessionClocks()
    for key, archive in chosen.archives.items():
        progress(f"source files of {key.condition} {key.mode} {key.speed} {key.stem}")
        for path, content in trial_files(key, placed_trial(archive, session), person):
            _put(dataset, path, content, earlier, result)
    for path, archive in _statics(dataset, chosen).items():
        _put(
            dataset, path, _c3d(placed_trial(archive, session), person), earlier, result
        )
    _remove_stale(dataset, participant_id, earlier, result)
    log.info("%s", result.describe())
    return result


def trial_files(
    key: TrialKey, trial: PlacedTrial, person: Participant | None
) -> Iterator[Made]:
    """Yield path and bytes of every source file that a trial's streams can fill."""
    if "vicon-markers" in trial.recording and trial.n_frames:
        yield names.vicon_file(key), _c3d(trial, person)
    if "semg" in trial.recording:
        yield names.noraxon_file(key), noraxon_mat(key, trial)
    if "amode" in trial.recording:
        for probe, text in enumerate(elonxi_texts(trial), 1):
            yield names.elonxi_file(key, probe), text


def _c3d(trial: PlacedTrial, person: Participant | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_vicon(Path(folder) / "trial.c3d", trial, person).read_bytes()


def _statics(dataset: Path, chosen: Selection) -> dict[PurePosixPath, Path]:
    """Return the static trials that the chosen ones rest on, by condition."""
    found: dict[tuple[str, str], list[Path]] = {}
    for key in chosen.archives:
        known = found.setdefault((key.participant, key.condition), [])
        for archive in calibration_trials(dataset, key, STATIC)[-1:]:
            if archive not in known:
                known.append(archive)
    return {
        names.static_file(*place, number): archive
        for place, archives in found.items()
        for number, archive in enumerate(sorted(archives), 1)
    }


def _put(
    dataset: Path,
    path: PurePosixPath,
    content: bytes,
    earlier: Mapping[str, str],
    result: SourceResult,
) -> None:
    target, name = dataset / path, str(path)
    state: State = "new"
    if target.is_file():
        if target.read_bytes() == content:
            state = "unchanged"
        elif earlier.get(name) == sha256(target):
            state = "rebuilt"
        else:
            state = "kept"
            text = (
                "differs from what the archive gives and is not as it was written "
                "here; it stays. Move it away to have it written anew"
            )
            result.findings.append(Finding("source-foreign", "warning", name, text))
    if state in ("new", "rebuilt"):
        make_directory(target.parent)
        write_atomically(target, content)
    result.files[name] = state


def _remove_stale(
    dataset: Path, participant_id: str, earlier: Mapping[str, str], result: SourceResult
) -> None:
    for name, digest in earlier.items():
        parts = PurePosixPath(name).parts
        ours = parts[0] == names.FOLDER and parts[2:3] == (participant_id,)
        path = dataset / name
        if not ours or name in result.files or not path.is_file():
            continue
        if sha256(path) == digest:
            path.unlink()
            result.removed.append(name)
        else:
            text = "belongs to no accepted trial, but was changed by others; it stays"
            result.findings.append(Finding("source-foreign", "warning", name, text))
