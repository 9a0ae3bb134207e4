"""Where a file comes from: versions of the software, of this code, and of inputs."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("acquire", "devices", "protocols", "sync")
_LIBRARIES: Final = ("h5py", "numpy", "pylsl", "scipy")
_READ_BYTES = 1 << 20


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


@cache
def code_version() -> str:
    """Return the version of this code: the release and a digest of its sources.

    Two installations with the same text run the same code, whatever their history.
    """
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{_version('kinemuse')}+{digest.hexdigest()[:12]}"


@cache
def software() -> str:
    """Return the versions of what reads and writes the data, one a line."""
    lines = [f"python {platform.python_version()}"]
    lines += [f"{name} {_version(name)}" for name in _LIBRARIES]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "0"
