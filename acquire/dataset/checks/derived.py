"""Checks of a derived file: is it readable, and still of its inputs."""

from collections.abc import Iterator
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
    derived = opened(path)
    if isinstance(derived, Finding):
        return [derived]
    return [*stale_inputs(derived)]


def opened(path: Path) -> Derived | Finding:
    """Read a derived file, or say why that is not possible."""
    try:
        return read_derived(path)
    except StorageError as error:
        return found("derived-format", path.name, str(error))


def fresh_clocks(archive: Path, derived: Derived) -> ClockTable | None:
    """Return the clock table of a derived file, None if it is of another archive."""
    if derived.inputs.get(archive.name) != sha256(archive):
        return None
    groups = derived["clock"].groups
    reasons = str(read_derived_attributes(derived.path).get("reasons", ""))
    return ClockTable(
        {name: dict(group.attributes) for name, group in groups.items()},
        {name: _gaps(group.groups["gaps"]) for name, group in groups.items()},
        [text for text in reasons.split("; ") if text],
    )


def _gaps(group: Group) -> list[tuple[float, int, str]]:
    columns = (group.arrays[k] for k in ("first_missing_index", "n", "kind"))
    return [(float(a), int(n), str(kind)) for a, n, kind in zip(*columns, strict=True)]


def stale_inputs(derived: Derived) -> Iterator[Finding]:
    """Tell which inputs of a derived file are no longer those it was made from."""
    path = derived.path
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
            yield found("derived-stale", path.name, text)
    for name, digest in inputs.items():
        if "/" in name or ":" in name:
            continue
        source = path.with_name(name)
        if not source.is_file():
            text = f"its archive {name} is not there"
            yield found("derived-orphan", path.name, text)
        elif sha256(source) != digest:
            text = f"was made from another {name}; derive it anew"
            yield found("derived-stale", path.name, text)


def _serves(source: Path | None, digest: str) -> bool:
    """Whether a trial of the session that clocks rest on is still the same."""
    return source is not None and source.is_file() and sha256(source) == digest
