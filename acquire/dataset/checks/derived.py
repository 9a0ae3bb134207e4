"""Checks of a derived file: is it readable, and still of its inputs."""

from pathlib import Path

from acquire.dataset.checks.codes import found
from acquire.dataset.checks.recording import ClockTable
from acquire.findings import Finding
from acquire.model_basis import basis_inputs
from acquire.nexus_folder import NEXUS
from acquire.session_clocks import session_archives
from acquire.storage.derived_file import (
    Derived,
    Group,
    read_derived,
    read_derived_attributes,
)
from acquire.storage.errors import StorageError
from acquire.storage.provenance import sha256


def derived_findings(path: Path) -> list[Finding]:
    """Check that a derived file is readable and still of its archive."""
    try:
        derived = read_derived(path)
    except StorageError as error:
        return [found("derived-format", path.name, str(error))]
    return _stale(path, derived)


def fresh_clocks(archive: Path) -> ClockTable | None:
    """Return the clock table of an archive's derived file; None without a fresh one."""
    path = archive.with_name(archive.name.removesuffix(".h5") + ".derived.h5")
    if not path.is_file():
        return None
    try:
        derived = read_derived(path)
        groups = derived["clock"].groups
    except (StorageError, KeyError):
        return None
    if derived.inputs.get(archive.name) != sha256(archive):
        return None
    reasons = str(read_derived_attributes(path).get("reasons", ""))
    return ClockTable(
        {name: dict(group.attributes) for name, group in groups.items()},
        {name: _gaps(group.groups["gaps"]) for name, group in groups.items()},
        [text for text in reasons.split("; ") if text],
    )


def _gaps(group: Group) -> list[tuple[float, int, str]]:
    columns = (group.arrays[k] for k in ("first_missing_index", "n", "kind"))
    return [(float(a), int(n), str(kind)) for a, n, kind in zip(*columns, strict=True)]


def _stale(path: Path, derived: Derived) -> list[Finding]:
    findings = []
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
            findings.append(found("derived-stale", path.name, text))
    for name, digest in inputs.items():
        if "/" in name or ":" in name:
            continue
        source = path.with_name(name)
        if not source.is_file():
            text = f"its archive {name} is not there"
            findings.append(found("derived-orphan", path.name, text))
        elif sha256(source) != digest:
            text = f"was made from another {name}; derive it anew"
            findings.append(found("derived-stale", path.name, text))
    return findings


def _serves(source: Path | None, digest: str) -> bool:
    """Whether a trial of the session that clocks rest on is still the same."""
    return source is not None and source.is_file() and sha256(source) == digest
