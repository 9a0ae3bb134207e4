"""Validate whatever a path leads to: recording, archive, subject file, dataset."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acquire.dataset.checks.archive import archive_findings
from acquire.dataset.checks.built import (
    flat_findings,
    sidecar_findings,
    stale_findings,
)
from acquire.dataset.checks.codes import found
from acquire.dataset.checks.completeness import (
    participant_findings,
    protocol_findings,
)
from acquire.dataset.checks.derived import (
    derived_findings,
    fresh_clocks,
    opened,
    stale_inputs,
)
from acquire.dataset.checks.physiology import physiology_findings
from acquire.dataset.checks.privacy import privacy_findings, subject_findings_of
from acquire.dataset.checks.recording import modality_findings, recording_findings
from acquire.dataset.checks.source import source_findings, source_tree_findings
from acquire.dataset.checks.subject import subject_findings
from acquire.dataset.checks.tree import HANDED_IN, tree_findings
from acquire.dataset.checks.watch import Watch
from acquire.dataset.selection import select
from acquire.findings import Finding, in_order
from acquire.storage.derived_file import Derived
from acquire.storage.layout import (
    MANIFEST,
    TrialKey,
    find_archives,
    find_participants,
)

Progress = Callable[[str], None]

OTHER_FORMATS = frozenset(
    (".json", ".tsv", ".csv", ".c3d", ".bdf", ".parquet", ".html")
)
"""Files that are only looked through for what they tell of people."""


def check_path(
    path: Path, watch: Watch | None = None, progress: Progress = lambda _: None
) -> list[Finding]:
    """Return every finding about a path, gravest first; nothing is changed.

    A folder with ``raw`` or ``ProcessedData`` is taken for a dataset, another one for
    an export, ``.mat`` for a subject file, ``….derived.h5`` for a derived file, tables
    and pages are looked through for private matters, anything else is a recording.
    `watch` says what must not be told; `progress` hears what is being checked.
    """
    watch = watch or Watch()
    if not path.exists():
        return [found("path-missing", str(path), "is not there")]
    if path.is_dir():
        if not any((path / name).is_dir() for name in ("raw", *HANDED_IN)):
            return in_order(_private(path, path, watch, progress))
        return in_order(_dataset(path, watch, progress))
    if path.suffix == ".mat":
        return in_order(_subject(path, path.name, watch))
    if path.name.endswith(".derived.h5"):
        return in_order(derived_findings(path))
    if path.suffix in OTHER_FORMATS:
        return in_order(list(privacy_findings(path, path.name, watch)))
    return in_order(_recording(path, watch))


def _recording(path: Path, watch: Watch) -> list[Finding]:
    """Check a recording or archive on its own."""
    derived = _derived_of(path) if path.suffix == ".h5" else None
    clocks = fresh_clocks(path, derived) if isinstance(derived, Derived) else None
    recording, findings = recording_findings(path, clocks)
    if recording is None:
        return findings
    findings += subject_findings_of(recording)
    if path.suffix == ".h5":
        findings += archive_findings(path, recording)
    return [*findings, *privacy_findings(path, path.name, watch, raw=True)]


def _derived_of(archive: Path) -> Derived | Finding | None:
    path = archive.with_name(f"{archive.stem}.derived.h5")
    return opened(path) if path.is_file() else None


def _subject(path: Path, where: str, watch: Watch) -> list[Finding]:
    """Check a subject file: structure first, and what it holds where that is sound."""
    findings = [*subject_findings(path), *sidecar_findings(path)]
    if not any(f.severity == "error" for f in findings):
        findings += physiology_findings(path)
    return [*findings, *privacy_findings(path, where, watch)]


def _dataset(root: Path, watch: Watch, progress: Progress) -> list[Finding]:
    """Check a dataset: folders, manifest, people, and every file in it."""
    progress("folders and manifest")
    findings = [*tree_findings(root), *participant_findings(root)]
    archives = find_archives(root)
    people = sorted({*find_participants(root), *(k.participant for k in archives)})
    for person in people:
        findings += protocol_findings(root, person)
        findings += source_tree_findings(root, person)
        accepted = select(root, person, own_conditions=True).archives
        for key, path in archives.items():
            if key.participant == person:
                progress(f"{person} {key.condition} {key.mode} {key.speed} {key.stem}")
                findings += _trial(root, key, path, watch, accepted=key in accepted)
    for path in sorted((root / "ProcessedData").glob("*.mat")):
        progress(path.name)
        own = _subject(path, path.relative_to(root).as_posix(), watch)
        findings += [*own, *stale_findings(root, path)]
        if not any(f.severity == "error" for f in own):
            findings += flat_findings(path)
    checked = set((root / "ProcessedData").glob("*.mat"))
    findings += _private(root, root, watch, progress, checked)
    return _one_of_raw(findings)


def _trial(
    root: Path, key: TrialKey, path: Path, watch: Watch, *, accepted: bool
) -> list[Finding]:
    """Check an archive, what was derived from it, and its source files."""
    derived = _derived_of(path)
    clocks = fresh_clocks(path, derived) if isinstance(derived, Derived) else None
    recording, own = recording_findings(path, clocks)
    if recording is None:
        return []  # told already
    own += subject_findings_of(recording)
    own += archive_findings(path, recording)
    own += modality_findings(recording)
    if isinstance(derived, Finding):
        own.append(derived)
    elif derived is not None:
        own += stale_inputs(derived)
    folder = path.parent.relative_to(root).as_posix()
    findings = [replace(f, where=f"{folder}/{f.where}") for f in own]
    where = path.relative_to(root).as_posix()
    findings += privacy_findings(path, where, watch, raw=True)
    if isinstance(derived, Derived) and clocks is not None and accepted:
        findings += source_findings(root, key, recording, derived)
    return findings


def _one_of_raw(findings: list[Finding]) -> list[Finding]:
    """Put what raw recordings tell of the laboratory into one remark."""
    told = [f for f in findings if f.code == "privacy-raw"]
    if not told:
        return findings
    text = f"{len(told)} files: {told[0].where} {told[0].message}"
    others = [f for f in findings if f.code != "privacy-raw"]
    return [*others, found("privacy-raw", "raw", text)]


def _private(
    folder: Path,
    root: Path,
    watch: Watch,
    progress: Progress,
    checked: frozenset[Path] | set[Path] = frozenset(),
) -> list[Finding]:
    """Look through all files that were not looked through yet."""
    findings: list[Finding] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(root)
        hidden = any(part.startswith(".") for part in name.parts)
        raw = name.parts[0] in ("raw", MANIFEST)  # which lists what is in raw
        if hidden or path in checked or (raw and path.suffix in (".h5", ".xdf")):
            continue
        progress(f"privacy: {name.name}")
        findings += privacy_findings(path, name.as_posix(), watch, raw=raw)
    return findings
