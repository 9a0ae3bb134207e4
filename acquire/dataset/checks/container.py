"""Checks that a file is a v7.3 MAT-file byte for byte as MATLAB would have it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5o, h5s, h5t

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
        linked: set[int] = set()
        h5o.visit(file.id, lambda _, about: linked.add(about.addr), info=True)

        def check(name: str, item: Any) -> None:  # noqa: ANN401 (h5py has no types)
            if name != "#refs#":
                findings.extend(_node(item, f"{path.name}:/{name}", linked))

        file.visititems(check)  # one open object at a time: each has its cache
    return findings


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


def _node(
    item: Any,  # noqa: ANN401
    where: str,
    linked: set[int],
) -> Iterator[Finding]:
    if not h5a.exists(item.id, b"MATLAB_class"):
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
        ordered = h5a.exists(item.id, b"MATLAB_fields")
        if ordered != (len(item) >= 2):
            yield found("mat-fields", where, f"{len(item)} fields, order given wrongly")
        return
    if h5a.exists(item.id, b"MATLAB_empty") and item.attrs["MATLAB_empty"]:
        if item.dtype != np.uint64 or item.ndim != 1:
            yield found("mat-empty", where, "an empty value holds no dimensions")
    elif item.ndim < 2:
        yield found("mat-dims", where, f"has {item.ndim} dimension, MATLAB needs two")
    elif h5t.STD_REF_OBJ.equal(item.id.get_type()):
        yield from _references(item, where, linked)


def _references(
    item: Any,  # noqa: ANN401
    where: str,
    linked: set[int],
) -> Iterator[Finding]:
    """Check that a cell's references lead to objects that have a name in the file.

    A reference is the address of an object's header. Asking HDF5 for the name of each
    would search the whole file each time.
    """
    addresses = np.empty(item.shape, dtype=np.uint64)
    item.id.read(h5s.ALL, h5s.ALL, addresses, h5t.STD_REF_OBJ)
    if not linked.issuperset(addresses.ravel().tolist()):
        yield found("mat-reference", where, "a cell refers to nothing")
