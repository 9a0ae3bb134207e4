"""Checks that a file is a v7.3 MAT-file byte for byte as MATLAB would have it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5o, h5r, h5t

from acquire.dataset.checks.codes import found
from acquire.findings import Finding

CLASSES = {
    *("double", "single", "logical", "char", "cell", "struct", "canonical empty"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


def container_findings(path: Path) -> list[Finding]:
    """Check header, superblock, class attributes, field orders and references."""
    findings = list(_header(path))
    if findings:
        return findings
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        return [found("mat-hdf5", path.name, f"HDF5 cannot open it: {error}")]
    with file:
        if len(file.attrs):
            findings.append(found("mat-root", path.name, "the root has attributes"))
        nodes: dict[str, Any] = {}
        file.visititems(nodes.__setitem__)
        linked = {_address(item.id) for item in nodes.values()}
        for name, item in nodes.items():
            if name != "#refs#":
                findings += _node(item, f"{path.name}:/{name}", linked)
    return findings


def _address(identity: Any) -> int:  # noqa: ANN401 (h5py has no types)
    return int(h5o.get_info(identity).addr)


def _header(path: Path) -> Iterator[Finding]:
    with path.open("rb") as file:
        raw = file.read(521)
    if len(raw) < 521:
        yield found("mat-header", path.name, f"only {len(raw)} bytes long")
        return
    if not raw.startswith(b"MATLAB 7.3 MAT-file"):
        yield found("mat-header", path.name, f"begins with {raw[:24]!r}")
    if raw[124:128] != b"\x00\x02IM":
        yield found("mat-header", path.name, f"version bytes are {raw[124:128]!r}")
    if raw[512:520] != b"\x89HDF\r\n\x1a\n":
        yield found("mat-userblock", path.name, "HDF5 does not begin at byte 512")
    elif raw[520] != 0:
        text = f"superblock {raw[520]}, MATLAB before R2021b needs 0"
        yield found("mat-superblock", path.name, text)


def _node(item: Any, where: str, linked: set[int]) -> Iterator[Finding]:  # noqa: ANN401
    names = set(item.attrs)
    if "MATLAB_class" not in names:
        yield found("mat-class", where, "has no MATLAB_class")
        return
    kind = h5a.open(item.id, b"MATLAB_class").get_type()
    if kind.get_class() != h5t.STRING or kind.get_strpad() != h5t.STR_NULLTERM:
        yield found("mat-class", where, "MATLAB_class is not a NUL-terminated string")
        return
    name = item.attrs["MATLAB_class"].decode()
    if name not in CLASSES:
        yield found("mat-class", where, f"class {name!r} is none that readers know")
    if isinstance(item, h5py.Group):
        if ("MATLAB_fields" in names) != (len(item) >= 2):
            yield found("mat-fields", where, f"{len(item)} fields, order given wrongly")
        return
    if item.attrs.get("MATLAB_empty", 0):
        if item.dtype != np.uint64 or item.ndim != 1:
            yield found("mat-empty", where, "an empty value holds no dimensions")
    elif item.ndim < 2:
        yield found("mat-dims", where, f"has {item.ndim} dimension, MATLAB needs two")
    elif item.dtype == h5py.ref_dtype:
        yield from _references(item, where, linked)


def _references(
    item: Any,  # noqa: ANN401
    where: str,
    linked: set[int],
) -> Iterator[Finding]:
    """Check that a cell's references lead to objects that have a name in the file.

    Asking HDF5 for the name of each would search the whole file each time.
    """
    for reference in item[()].ravel():
        try:
            target = h5r.dereference(reference, item.id) if reference else None
            alive = target is not None and _address(target) in linked
        except (ValueError, KeyError, RuntimeError):
            alive = False
        if not alive:
            yield found("mat-reference", where, "a cell refers to nothing")
            return
