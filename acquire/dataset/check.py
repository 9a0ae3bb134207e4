"""Validate whatever a path leads to: recording, archive, subject file, dataset."""

import json
from pathlib import Path

import h5py

from acquire.align import align
from acquire.dataset.checks.subject import subject_findings
from acquire.findings import Finding, in_order
from acquire.model_basis import basis_inputs
from acquire.nexus_folder import NEXUS
from acquire.session_clocks import session_archives
from acquire.storage.derived_file import read_derived
from acquire.storage.errors import LayoutError, StorageError
from acquire.storage.layout import (
    MANIFEST,
    dataset_kind,
    find_archives,
    find_trials,
    parse_path,
)
from acquire.storage.manifest import verify_manifest
from acquire.storage.provenance import sha256
from acquire.storage.reader import open_recording
from acquire.storage.recorder_notes import STATE_TYPE, note_findings


def check_path(path: Path) -> list[Finding]:
    """Return every finding about a path, gravest first.

    A folder is taken for a dataset, ``.mat`` for a subject file, ``….derived.h5`` for a
    derived file, anything else for a recording.
    """
    if not path.exists():
        return [Finding("path-missing", "error", str(path), "is not there")]
    if path.is_dir():
        return in_order(_dataset(path))
    if path.suffix == ".mat":
        return in_order(subject_findings(path) + _sidecar(path))
    if path.name.endswith(".derived.h5"):
        return in_order(_derived(path))
    return in_order(_recording(path))


def _recording(path: Path) -> list[Finding]:
    """Check a recording or archive: damage, completeness, losses, clocks."""
    try:
        recording = open_recording(path)
    except StorageError as error:
        return [Finding("recording-format", "error", path.name, str(error))]
    found = [
        Finding("recording-damage", "warning", path.name, problem)
        for problem in recording.problems
    ]
    if not recording.complete:
        text = "was cut off: it has no proper end"
        found.append(Finding("recording-incomplete", "warning", path.name, text))
    kinds = {
        s.simulated
        for s in recording.streams
        if s.source_id.startswith("kinemuse") and s.type != STATE_TYPE
    }
    if len(kinds) > 1:
        text = "holds simulated and real streams"
        found.append(Finding("recording-mixed", "error", path.name, text))
    if not recording.streams:
        found.append(Finding("recording-empty", "error", path.name, "has no stream"))
        return found
    found += note_findings(recording)
    clocks = align(recording)
    for name, clock in clocks.streams.items():
        where = f"{path.name}:{name}"
        if clock.index.size == 0:
            found.append(Finding("stream-empty", "warning", where, "has no sample"))
            continue
        for gap in clock.gaps:
            at = f"{gap.first_missing_index:.0f}"
            text = f"{gap.n} samples are missing ({gap.kind}) at sample {at}"
            found.append(Finding("stream-gap", "warning", where, text))
        if clock.n_repeated:
            text = f"{clock.n_repeated} samples came twice"
            found.append(Finding("stream-repeat", "warning", where, text))
        if clock.has_trigger and clock.status != "ok":
            text = (
                f"clock {clock.status}: {'; '.join(clock.reasons) or 'no reason given'}"
            )
            severe = clock.status == "failed"
            found.append(
                Finding("clock-status", "error" if severe else "warning", where, text)
            )
    return found + [
        Finding("clock-reference", "warning", path.name, reason)
        for reason in clocks.reasons
    ]


def _derived(path: Path) -> list[Finding]:
    """Check that a derived file is readable and still of its archive."""
    try:
        derived = read_derived(path)
    except StorageError as error:
        return [Finding("derived-format", "error", path.name, str(error))]
    found = []
    rests_on = basis_inputs(path)
    session = session_archives(path)
    inputs = {k: v for k, v in derived.inputs.items() if not k.startswith(NEXUS)}
    others = {
        name: digest
        for name, digest in inputs.items()
        if ("/" in name or ":" in name) and not _serves(session.get(name), digest)
    } | {name: d for name, d in inputs.items() if name in rests_on}
    for name in sorted({*rests_on, *others}):
        if rests_on.get(name) != others.get(name):
            text = f"was made with another {name}, or without; derive it anew"
            found.append(Finding("derived-stale", "warning", path.name, text))
    for name, digest in inputs.items():
        if "/" in name or ":" in name:
            continue
        source = path.with_name(name)
        if not source.is_file():
            text = f"its archive {name} is not there"
            found.append(Finding("derived-orphan", "warning", path.name, text))
        elif sha256(source) != digest:
            text = f"was made from another {name}; derive it anew"
            found.append(Finding("derived-stale", "warning", path.name, text))
    return found


def _serves(source: Path | None, digest: str) -> bool:
    """Whether a trial of the session that clocks rest on is still the same."""
    return source is not None and source.is_file() and sha256(source) == digest


def _sidecar(path: Path) -> list[Finding]:
    sidecar = path.with_suffix(".json")
    try:
        told = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        text = "has no readable side-car: nothing says whether it is simulated"
        return [Finding("subject-sidecar", "warning", path.name, text)]
    if not isinstance(told, dict) or not isinstance(told.get("simulated"), bool):
        text = "does not say whether the data are simulated"
        return [Finding("subject-sidecar", "error", sidecar.name, text)]
    return []


def _dataset(root: Path) -> list[Finding]:
    """Check a dataset: names, pairs of files, manifest, kind, every file in it."""
    found: list[Finding] = []
    kind = dataset_kind(root)
    trials = find_trials(root)
    if kind is None:
        text = "does not say whether it is virtual or real"
        found.append(Finding("dataset-kind", "warning", root.name, text))
    for path in sorted((root / "raw").rglob("Trial_*")):
        try:
            parse_path(path)
        except LayoutError as error:
            where = path.relative_to(root).as_posix()
            found.append(Finding("dataset-name", "error", where, str(error)))
    archives = find_archives(root)
    for key in trials:
        if key not in archives:
            where = key.xdf(root).relative_to(root).as_posix()
            text = "was recorded but not archived; kinemuse recover does it"
            found.append(Finding("dataset-unarchived", "warning", where, text))
    for path in archives.values():
        found += _of_kind(path, kind, root)
        derived = path.with_name(path.name.removesuffix(".h5") + ".derived.h5")
        found += _derived(derived) if derived.is_file() else []
    for path in sorted((root / "ProcessedData").glob("*.mat")):
        found += subject_findings(path) + _sidecar(path)
    if (root / MANIFEST).is_file():
        found += verify_manifest(root)
    elif trials:
        found.append(
            Finding("dataset-manifest", "warning", root.name, "has no manifest")
        )
    return found


def _of_kind(path: Path, kind: str | None, root: Path) -> list[Finding]:
    """Check that an archive opens and is of the dataset's kind."""
    where = path.relative_to(root).as_posix()
    try:
        with h5py.File(path, "r") as file:
            simulated = bool(file.attrs["simulated"])
    except (OSError, KeyError) as error:
        return [Finding("archive-format", "error", where, f"cannot be read: {error}")]
    mine = "virtual" if simulated else "real"
    if kind is not None and mine != kind:
        text = f"is {mine} in a {kind} dataset"
        return [Finding("dataset-mixed", "error", where, text)]
    return []
