"""Checks of a dataset's folders: names, kind, what is archived, what is foreign."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import h5py

from acquire.dataset.checks.codes import found
from acquire.dataset.selection import verdicts
from acquire.findings import Finding
from acquire.processing import FILE as PROCESSING
from acquire.storage.errors import LayoutError
from acquire.storage.labels import participant_label
from acquire.storage.layout import (
    KIND_FILE,
    MANIFEST,
    TrialKey,
    dataset_kind,
    find_archives,
    find_trials,
    parse_path,
    session_label,
)
from acquire.storage.manifest import read_manifest, verify_manifest

HANDED_IN: Final = ("SourceData", "ProcessedData")
TOP: Final = re.compile(
    rf"raw|{'|'.join(HANDED_IN)}|reports|participants\.(tsv|json|xlsx)|truth.*\.jsonl"
    rf"|{re.escape(KIND_FILE)}|{re.escape(MANIFEST)}|{re.escape(PROCESSING)}"
    r"|(README|CHANGES|LICEN[CS]E)(\..*)?|dataset_description\.json|\..*"
)
OF_SESSION: Final = re.compile(
    r"(session\.json|journal\.jsonl|protocol\.yaml|rig.*\.yaml|\..*)"
)
OF_TRIAL: Final = re.compile(r"Trial_.*|\..*")


def tree_findings(root: Path) -> Iterator[Finding]:
    """Check names, strays, kind, takes without archive or verdict, and the manifest."""
    kind = dataset_kind(root)
    if kind is None:
        text = "does not say whether it is virtual or real"
        yield found("dataset-kind", root.name, text)
    yield from _strays(root)
    archives, trials = find_archives(root), find_trials(root)
    for key in trials:
        if key not in archives:
            where = _name(root, key.xdf(root))
            text = "was recorded but not archived; kinemuse recover does it"
            yield found("dataset-unarchived", where, text)
    yield from _unjudged(root, archives)
    for path in archives.values():
        yield from _of_kind(path, kind, root)
    yield from _manifest(root, bool(trials))


def _strays(root: Path) -> Iterator[Finding]:
    for path in sorted(root.iterdir()):
        if not TOP.fullmatch(path.name):
            yield found("dataset-stray", path.name, "is nothing of the layout's")
    for folder in sorted((root / "raw").glob("*/*")):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not OF_SESSION.fullmatch(path.name):
                text = "is nothing of a session's"
                yield found("dataset-stray", _name(root, path), text)
        try:
            participant_label(folder.parent.name)
            session_label(folder.name)
        except LayoutError as error:
            yield found("dataset-name", _name(root, folder), str(error))
            continue
        yield from _trial_files(root, folder)


def _trial_files(root: Path, session: Path) -> Iterator[Finding]:
    for path in sorted(p for p in session.rglob("*") if p.is_file()):
        if path.parent == session:
            continue
        if not OF_TRIAL.fullmatch(path.name):
            text = "is nothing of a trial's"
            yield found("dataset-stray", _name(root, path), text)
            continue
        try:
            if not path.name.startswith("."):
                parse_path(path)
        except LayoutError as error:
            yield found("dataset-name", _name(root, path), str(error))


def _unjudged(root: Path, archives: Mapping[TrialKey, Path]) -> Iterator[Finding]:
    people = sorted({key.participant for key in archives})
    judged = {key for person in people for key in verdicts(root, person)}
    for key, path in archives.items():
        if key not in judged and not key.is_calibration:
            text = "was neither accepted nor rejected"
            yield found("trial-unjudged", _name(root, path), text)


def _of_kind(path: Path, kind: str | None, root: Path) -> Iterator[Finding]:
    """Check that an archive opens and is of the dataset's kind."""
    where = _name(root, path)
    try:
        with h5py.File(path, "r") as file:
            simulated = bool(file.attrs["simulated"])
    except (OSError, KeyError) as error:
        yield found("archive-format", where, f"cannot be read: {error}")
        return
    mine = "virtual" if simulated else "real"
    if kind is not None and mine != kind:
        yield found("dataset-mixed", where, f"is {mine} in a {kind} dataset")


def _manifest(root: Path, has_trials: bool) -> Iterator[Finding]:
    if not (root / MANIFEST).is_file():
        if has_trials:
            yield found("dataset-manifest", root.name, "has no manifest")
        return
    yield from verify_manifest(root)
    listed = read_manifest(root)
    for folder in HANDED_IN:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and _name(root, path) not in listed:
                yield found("manifest-unlisted", _name(root, path), "is not listed")


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
