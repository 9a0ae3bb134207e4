"""The dataset's manifest: SHA-256 of every finished file, in BagIt's syntax."""

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote, unquote

from acquire.findings import Finding
from acquire.storage.durable import AppendFile, write_text_atomically
from acquire.storage.layout import MANIFEST
from acquire.storage.provenance import sha256

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def append_to_manifest(dataset: Path, path: Path) -> str:
    """Add a finished file's line, synced; return its SHA-256.

    The line is one that ``sha256sum -c`` reads: digest, two blanks, path below the
    dataset with ``/``. A file already listed with this digest is not listed again.
    """
    digest = sha256(path)
    name = _name(dataset, path)
    manifest = dataset / MANIFEST
    earlier = manifest.read_bytes() if manifest.exists() else b""
    if _parse(earlier.decode(errors="replace")).get(unquote(name)) == digest:
        return digest
    with AppendFile(manifest, resume=True) as file:
        torn = b"\n" if earlier and not earlier.endswith(b"\n") else b""
        file.write([torn, f"{digest}  {name}\n".encode()])
        file.sync()
    return digest


def drop_from_manifest(dataset: Path, paths: Collection[Path]) -> None:
    """Take files that were removed off the list, replacing the manifest in one step."""
    manifest = dataset / MANIFEST
    gone = {_name(dataset, path) for path in paths}
    if not gone or not manifest.exists():
        return
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.rstrip("\n").partition("  ")[2] not in gone]
    write_text_atomically(manifest, "".join(kept))


def read_manifest(dataset: Path) -> dict[str, str]:
    """Return path → SHA-256; a path's last line counts, torn lines are left out."""
    try:
        text = (dataset / MANIFEST).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    return _parse(text)


def verify_manifest(dataset: Path) -> list[Finding]:
    """Compare every listed file with its digest."""
    found = []
    for name, digest in read_manifest(dataset).items():
        path = dataset / name
        if not path.is_file():
            found.append(
                Finding("manifest-missing", "error", name, "is listed but not there")
            )
        elif sha256(path) != digest:
            found.append(
                Finding(
                    "manifest-digest",
                    "error",
                    name,
                    "has changed since it was listed: its SHA-256 is another one",
                )
            )
    return found


def _parse(text: str) -> dict[str, str]:
    lines = (_LINE.fullmatch(line) for line in text.split("\n"))
    return {unquote(line[2]): line[1] for line in lines if line}


def _name(dataset: Path, path: Path) -> str:
    return _quoted(path.resolve().relative_to(dataset.resolve()).as_posix())


def _quoted(name: str) -> str:
    """Escape as BagIt asks: line ends and the percent sign itself."""
    return re.sub(r"[%\r\n]", lambda match: quote(match[0]), name)
