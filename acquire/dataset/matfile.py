"""Write MATLAB v7.3 files, as MATLAB lays them out in HDF5, one value at a time.

What MATLAB itself writes decides every detail here: a 512-byte user block with the
text header, superblock 0, class names as NUL-terminated attributes, field order in
`MATLAB_fields`, arrays with reversed dimensions, cells as references into `#refs#`.
Older readers (Debian's libmatio among them) see nothing where one of these differs.
"""

import functools
import hashlib
import itertools
import re
import string
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t
from numpy.typing import NDArray

USER_BLOCK_BYTES = 512
COMPACT_LIMIT_BYTES = 9_500  #: up to here a dataset lives in its object header
CHUNK_LIMIT_BYTES = 64 * 1024
GZIP_LEVEL = 1
KNOWN_CHUNKS = 2_000  #: kept deflated, some 20 MB
PROBE_BYTES = 4_096
WORTH_IT = 0.93  #: of the probe's size, that a chunk must shrink to
NOT_DEFLATED = 0b1  #: filter mask of a chunk: the first filter was left out
FIELDS_LIMIT_CHARS = 4_096  #: longer name lists go to `#refs#`

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
CLASSES = {
    "f8": "double",
    "f4": "single",
    "b1": "logical",
    **{f"i{n}": f"int{8 * n}" for n in (1, 2, 4, 8)},
    **{f"u{n}": f"uint{8 * n}" for n in (1, 2, 4, 8)},
}


_SCALAR = h5s.create(h5s.SCALAR)


class MatFileError(ValueError):
    """A value has no place in a MATLAB file."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A MATLAB cell array: `items` in column-major order, a column unless `shape`."""

    items: tuple["Value", ...]
    shape: tuple[int, int] | None = None

    @property
    def dims(self) -> tuple[int, int]:
        return (len(self.items), 1) if self.shape is None else self.shape

    def __post_init__(self) -> None:
        if self.dims[0] * self.dims[1] != len(self.items):
            raise MatFileError(
                f"a cell of shape {self.shape} cannot hold {len(self.items)} items"
            )


#: What a written value became in the file.
Stored: TypeAlias = h5py.Dataset | h5py.Group

#: A function is called when its turn comes to be written, and its result dropped.
Value: TypeAlias = (
    "NDArray[Any] | np.generic | float | int | bool | str | Cell | Mapping[str, Value] "
    "| Callable[[], Value]"
)


def header(created: datetime, platform: str = "GLNXA64") -> bytes:
    """Return the first 128 bytes of a v7.3 file."""
    date = created.strftime("%a %b %d %H:%M:%S %Y")
    text = f"MATLAB 7.3 MAT-file, Platform: {platform}, Created on: {date}"
    text += " HDF5 schema 1.00 ."
    return text.encode("ascii").ljust(116) + bytes(8) + struct.pack("<H", 0x200) + b"IM"


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Halve the longest side until one chunk holds at most 64 kB."""
    chunk = list(shape)
    while int(np.prod(chunk)) * itemsize > CHUNK_LIMIT_BYTES:
        longest = max(range(len(chunk)), key=chunk.__getitem__)
        chunk[longest] = -(-chunk[longest] // 2)
    return tuple(chunk)


def matlab_dims(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return MATLAB's dimensions: two at least, no trailing ones beyond."""
    dims = list(shape)
    while len(dims) > 2 and dims[-1] == 1:
        dims.pop()
    return tuple(dims)


class MatWriter:
    """Builds one v7.3 file; nothing written is kept in memory.

    ``write("P43/OriginalData/Ideal/LG_0/S_1/Trial_1", {...})`` makes the structs on
    the way; their fields appear in the order of the first write. The file is created
    exclusively, gets its header when the context ends well, and is removed when it
    does not. Two runs with the same values and `created` give the same bytes.
    """

    def __init__(
        self, path: Path, *, created: datetime, platform: str = "GLNXA64"
    ) -> None:
        self._path = path
        self._header = header(created, platform)
        self._file = h5py.File(
            path, "x", libver=("earliest", "v108"), userblock_size=USER_BLOCK_BYTES
        )
        self._deflate = _Deflate()
        self._refs: h5py.Group | None = None
        self._ref_names = _short_names()
        self._open: dict[str, list[str]] = {}  # struct path -> its fields so far

    def write(self, path: str, value: Value) -> None:
        """Write `value` as the field at `path` (``variable/field/field``)."""
        *parents, name = path.split("/")
        parent, glued = self._file["/"], ""
        here = ""
        for part in parents:
            here = f"{here}/{part}" if here else part
            if here in self._open:
                parent = self._file[here]
            else:
                parent = self._begin_struct(parent, part, glued)
                self._open[here] = []
            glued = _glue(glued, part)
        self._put(parent, name, value, glued)

    def close(self) -> None:
        """Write the field orders still open, then the header. Idempotent."""
        if not self._file:
            return
        for path, fields in self._open.items():
            self._write_fields(self._file[path], fields)
        self._file.close()
        with self._path.open("r+b") as file:
            file.write(self._header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._file.close()
            self._path.unlink(missing_ok=True)

    # -- values -----------------------------------------------------------------

    def _put(self, parent: h5py.Group, name: str, value: Value, glued: str) -> Stored:
        in_refs = parent.name == "/#refs#"
        if not in_refs:
            self._claim(parent, name)
        h5path = f"/#refs#/{name}" if in_refs else glued
        while callable(value):
            value = value()
        if isinstance(value, Mapping):
            return self._put_struct(parent, name, value, h5path, in_refs=in_refs)
        if isinstance(value, Cell):
            return self._put_cell(parent, name, value, h5path)
        if isinstance(value, str):
            return self._put_char(parent, name, value, h5path)
        return self._put_array(parent, name, _as_array(value, parent, name), h5path)

    def _claim(self, parent: h5py.Group, name: str) -> None:
        if not NAME.fullmatch(name):
            raise MatFileError(f"{parent.name}: {name!r} is no MATLAB field name")
        if name in parent:
            raise MatFileError(f"{parent.name}: field {name!r} is written twice")
        fields = self._open.get(str(parent.name).strip("/"))
        if fields is not None:
            fields.append(name)

    def _begin_struct(self, parent: h5py.Group, name: str, glued: str) -> h5py.Group:
        self._claim(parent, name)
        group = parent.create_group(name)
        _describe(group, "struct", glued)
        return group

    def _put_struct(
        self,
        parent: h5py.Group,
        name: str,
        value: Mapping[str, Value],
        h5path: str,
        *,
        in_refs: bool,
    ) -> Stored:
        if not value:
            return _put_empty(parent, name, (1, 1), "struct", h5path)
        group = parent.create_group(name)
        _describe(group, "struct", h5path)
        below = h5path if in_refs else _glue(h5path, name)
        for field, item in value.items():
            self._put(group, field, item, below)
        self._write_fields(group, list(value))
        return group

    def _put_cell(
        self, parent: h5py.Group, name: str, cell: Cell, h5path: str
    ) -> Stored:
        if not cell.items:
            return _put_empty(parent, name, cell.dims, "cell", h5path)
        refs = self._references()
        found = [
            self._put(refs, next(self._ref_names), item, "").ref for item in cell.items
        ]
        table = np.array(found, dtype=h5py.ref_dtype).reshape(cell.dims[::-1])
        dataset = _create(parent, name, table, h5t.STD_REF_OBJ)
        _describe(dataset, "cell", h5path)
        return dataset

    def _put_char(
        self, parent: h5py.Group, name: str, text: str, h5path: str
    ) -> Stored:
        if not text:
            return _put_empty(parent, name, (0, 0), "char", h5path)
        units = np.frombuffer(text.encode("utf-16-le"), "<u2").reshape(-1, 1)
        dataset = _create(parent, name, units)
        _describe(dataset, "char", h5path)
        dataset.attrs.create("MATLAB_int_decode", np.int32(2))
        return dataset

    def _put_array(
        self, parent: h5py.Group, name: str, array: NDArray[Any], h5path: str
    ) -> Stored:
        kind = CLASSES.get(array.dtype.str[1:])
        if kind is None:
            raise MatFileError(
                f"{parent.name}/{name}: arrays of {array.dtype} are not supported; "
                f"have {sorted(CLASSES.values())}"
            )
        dims = matlab_dims(array.shape)
        if array.size == 0:
            return _put_empty(parent, name, dims, kind, h5path)
        stored = array.view("u1") if kind == "logical" else array
        laid_out = np.ascontiguousarray(stored.reshape(dims).T)
        dataset = _create(parent, name, laid_out, deflate=self._deflate)
        _describe(dataset, kind, h5path)
        if kind == "logical":
            dataset.attrs.create("MATLAB_int_decode", np.int32(1))
        return dataset

    # -- references and field order ---------------------------------------------

    def _references(self) -> h5py.Group:
        if self._refs is None:
            self._refs = self._file.create_group("#refs#")
            _put_empty(self._refs, next(self._ref_names), (0, 0), "canonical empty", "")
        return self._refs

    def _write_fields(self, group: h5py.Group, names: list[str]) -> None:
        if len(names) < 2:
            return
        letters = h5py.vlen_dtype(np.dtype("S1"))
        fields = np.empty(len(names), dtype=letters)
        for row, name in enumerate(names):
            fields[row] = np.array(list(name.encode("ascii")), "u1").view("S1")
        if sum(map(len, names)) <= FIELDS_LIMIT_CHARS:
            group.attrs.create("MATLAB_fields", fields, dtype=letters)
            return
        refs = self._references()
        listed = refs.create_dataset(next(self._ref_names), data=fields, dtype=letters)
        group.attrs.create("MATLAB_fields", listed.ref, dtype=h5py.ref_dtype)


def _short_names() -> Iterator[str]:
    letters = string.ascii_letters + string.digits
    for length in itertools.count(1):
        for name in itertools.product(letters, repeat=length):
            yield "".join(name)


def _glue(glued: str, name: str) -> str:
    """Return the H5PATH of a struct's members: deeper levels have no slashes."""
    return glued + name if glued else f"/{name}"


def _as_array(value: object, parent: h5py.Group, name: str) -> NDArray[Any]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # a number typed in MATLAB is a double
    array = np.asarray(value)
    if array.ndim == 0:
        return array.reshape(1, 1)
    if array.ndim == 1:
        raise MatFileError(
            f"{parent.name}/{name}: shape {array.shape} is neither row nor column; "
            "give (n, 1) or (1, n)"
        )
    return array


def _create(
    parent: h5py.Group,
    name: str,
    stored: NDArray[Any],
    kind: h5t.TypeID | None = None,
    deflate: "_Deflate | None" = None,
) -> h5py.Dataset:
    """Store an array: compact when small, else in gzip chunks; no time stamps."""
    plan = h5p.create(h5p.DATASET_CREATE)
    plan.set_obj_track_times(False)
    chunk: tuple[int, ...] = ()
    if kind is None and stored.nbytes <= COMPACT_LIMIT_BYTES:
        plan.set_layout(h5d.COMPACT)
    elif kind is None:
        chunk = chunk_shape(stored.shape, stored.itemsize)
        plan.set_chunk(chunk)
        plan.set_deflate(GZIP_LEVEL)
    stored_type = h5t.py_create(stored.dtype) if kind is None else kind
    space = h5s.create_simple(stored.shape)
    identity = h5d.create(parent.id, name.encode("ascii"), stored_type, space, plan)
    if chunk:
        deflate = deflate or _Deflate()
        for at, raw in _chunks(stored, chunk):
            packed = deflate(raw)
            mask = 0 if packed else NOT_DEFLATED
            identity.write_direct_chunk(at, packed or raw, mask)
    else:
        identity.write(h5s.ALL, h5s.ALL, stored)
    return h5py.Dataset(identity)


def _chunks(
    stored: NDArray[Any], chunk: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield where each chunk begins and its bytes, zeros beyond the array's end."""
    starts = (range(0, n, step) for n, step in zip(stored.shape, chunk, strict=True))
    for at in itertools.product(*starts):
        part = stored[tuple(slice(k, k + n) for k, n in zip(at, chunk, strict=True))]
        if part.shape != chunk:
            whole = np.zeros(chunk, stored.dtype)
            whole[tuple(slice(0, n) for n in part.shape)] = part
            part = whole
        yield at, part.tobytes()


class _Deflate:
    """Deflates chunks, the same bytes only once: strides repeat a trial's frames.

    A chunk whose first part does not shrink (sEMG) is stored as it is, which HDF5
    allows chunk by chunk; nothing is returned for it.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def __call__(self, raw: bytes) -> bytes:
        probe = raw[:PROBE_BYTES]
        if len(zlib.compress(probe, GZIP_LEVEL)) > WORTH_IT * len(probe):
            return b""
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        found = self._known.get(digest)
        if found is None:
            if len(self._known) >= KNOWN_CHUNKS:
                self._known.clear()
            found = self._known[digest] = zlib.compress(raw, GZIP_LEVEL)
        return found


def _put_empty(
    parent: h5py.Group, name: str, dims: tuple[int, ...], kind: str, h5path: str
) -> h5py.Dataset:
    """Store an empty value: its dimensions in place of its elements."""
    dataset = _create(parent, name, np.array(dims, "<u8"))
    _describe(dataset, kind, h5path)
    dataset.attrs.create("MATLAB_empty", np.uint8(1))
    return dataset


def _describe(target: h5py.Group | h5py.Dataset, kind: str, h5path: str) -> None:
    if h5path:
        _write_text(target, "H5PATH", h5path)
    _write_text(target, "MATLAB_class", kind)


def _write_text(target: h5py.Group | h5py.Dataset, name: str, text: str) -> None:
    """Write a scalar, NUL-terminated, fixed-length text attribute."""
    raw = text.encode("ascii")
    kind = _text_type(len(raw))
    attribute = h5a.create(target.id, name.encode("ascii"), kind, _SCALAR)
    attribute.write(np.array(raw, dtype=f"S{len(raw)}"), mtype=kind)


@functools.cache
def _text_type(length: int) -> h5t.TypeID:
    kind = h5t.C_S1.copy()
    kind.set_size(length)
    kind.set_strpad(h5t.STR_NULLTERM)
    return kind
