"""Write MATLAB v7.3 files, as MATLAB lays them out in HDF5, one value at a time.

What MATLAB itself writes decides every detail here: a 512-byte user block with the
text header, superblock 0, class names as NUL-terminated attributes, field order in
`MATLAB_fields`, arrays with reversed dimensions, cells as references into `#refs#`.
Older readers (Debian's libmatio among them) see nothing where one of these differs.
"""

import itertools
import re
import string
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias
from weakref import WeakKeyDictionary

import h5py
import numpy as np
from h5py import h5d, h5g, h5i, h5r
from numpy.typing import NDArray

from acquire.dataset.matfile_objects import (
    put_dataset,
    put_group,
    put_name_list,
    put_names,
    put_number,
    put_reference,
    put_references,
    put_text,
)
from acquire.dataset.matfile_values import (
    Cell,
    MatFileError,
    Shared,
    Value,
    as_array,
    class_of,
    matlab_dims,
)

__all__ = ["Cell", "MatFileError", "MatWriter", "Shared", "Value", "header"]

USER_BLOCK_BYTES = 512
FIELDS_LIMIT_CHARS = 4_096  #: longer name lists go to `#refs#`
REFS = "#refs#"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
CHARS, LOGICALS = np.int32(2), np.int32(1)  #: how integers of a dataset are meant

#: What a written value became in the file.
Stored: TypeAlias = h5d.DatasetID | h5g.GroupID


def header(created: datetime, platform: str = "GLNXA64") -> bytes:
    """Return the first 128 bytes of a v7.3 file."""
    date = created.strftime("%a %b %d %H:%M:%S %Y")
    text = f"MATLAB 7.3 MAT-file, Platform: {platform}, Created on: {date}"
    text += " HDF5 schema 1.00 ."
    return text.encode("ascii").ljust(116) + bytes(8) + struct.pack("<H", 0x200) + b"IM"


class Place(NamedTuple):
    """Where a value is written: its group, its name there, and its `H5PATH`."""

    group: h5g.GroupID
    name: str
    h5path: str

    def inside(self, group: h5g.GroupID, name: str) -> "Place":
        """Return the place of a field of the struct here, which became `group`."""
        return Place(group, name, self.path_inside)

    @property
    def path_inside(self) -> str:
        """`H5PATH` of fields: deeper levels have no slashes, in `#refs#` no levels."""
        if not self.name:  # variables, in the root
            return ""
        if self.h5path.startswith(f"/{REFS}/"):
            return self.h5path
        return self.h5path + self.name if self.h5path else f"/{self.name}"

    def __str__(self) -> str:
        parent = h5i.get_name(self.group) or b"?"
        return f"{parent.decode().rstrip('/')}/{self.name}"


@dataclass(slots=True)
class OpenStruct:
    """A struct on the way to a written value: more fields may still come."""

    place: Place
    group: h5g.GroupID
    fields: list[str] = field(default_factory=list)
    below: dict[str, "OpenStruct"] = field(default_factory=dict)

    def claim(self, name: str) -> Place:
        """Return the place of a new field."""
        place = self.place.inside(self.group, name)
        if not NAME.fullmatch(name):
            raise MatFileError(f"{place}: {name!r} is no MATLAB field name")
        if name in self.fields:
            raise MatFileError(f"{place}: field {name!r} is written twice")
        self.fields.append(name)
        return place


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
        root = h5g.open(self._file.id, b"/")
        self._root = OpenStruct(Place(root, "", ""), root)
        self._refs: h5g.GroupID | None = None
        self._ref_names = _short_names()
        self._shared: WeakKeyDictionary[Shared, h5py.Reference] = WeakKeyDictionary()

    def write(self, path: str, value: Value) -> None:
        """Write `value` as the field at `path` (``variable/field/field``)."""
        *parents, name = path.split("/")
        here = self._root
        for part in parents:
            here = here.below.get(part) or self._begin_struct(here, part)
        self._put(here.claim(name), value)

    def close(self) -> None:
        """Write the field orders still open, then the header. Idempotent."""
        if not self._file:
            return
        for variable in self._root.below.values():
            self._end_struct(variable)
        self._forget()
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
            self._forget()
            self._path.unlink(missing_ok=True)

    def _forget(self) -> None:
        """Close the file; HDF5 keeps it open as long as anything in it is."""
        del self._root
        self._refs = None
        self._file.close()

    # -- structs that grow --------------------------------------------------------

    def _begin_struct(self, parent: OpenStruct, name: str) -> OpenStruct:
        place = parent.claim(name)
        begun = parent.below[name] = OpenStruct(place, _new_struct(place))
        return begun

    def _end_struct(self, begun: OpenStruct) -> None:
        for below in begun.below.values():
            self._end_struct(below)
        self._put_fields(begun.group, begun.fields)

    # -- values -------------------------------------------------------------------

    def _put(self, place: Place, value: Value) -> Stored:
        while callable(value):
            value = value()
        if isinstance(value, Mapping):
            return self._put_struct(place, value)
        if isinstance(value, Cell):
            return self._put_cell(place, value)
        if isinstance(value, str):
            return _put_char(place, value)
        return _put_array(place, value)

    def _put_struct(self, place: Place, value: Mapping[str, Value]) -> Stored:
        if not value:
            return _put_empty(place, (1, 1), "struct")
        group = _new_struct(place)
        for name, item in value.items():
            inside = place.inside(group, name)
            if not NAME.fullmatch(name):
                raise MatFileError(f"{inside}: {name!r} is no MATLAB field name")
            self._put(inside, item)
        self._put_fields(group, list(value))
        return group

    def _put_cell(self, place: Place, cell: Cell) -> Stored:
        if not cell.items:
            return _put_empty(place, cell.dims, "cell")
        table = np.empty(len(cell.items), dtype=h5py.ref_dtype)
        for k, item in enumerate(cell.items):
            table[k] = self._refer(item)
        dataset = put_references(
            place.group, place.name, table.reshape(cell.dims[::-1])
        )
        return _described(dataset, place, "cell")

    def _refer(self, item: Value) -> h5py.Reference:
        """Store an item of a cell, unless it is stored already, and point to it."""
        if not isinstance(item, Shared):
            return _reference(self._put(self._next_ref(), item))
        found = self._shared.get(item)
        if found is None:
            found = _reference(self._put(self._next_ref(), item))
            self._shared[item] = found
        return found

    def _next_ref(self) -> Place:
        if self._refs is None:
            self._refs = put_group(self._root.group, REFS)
            first = Place(self._refs, next(self._ref_names), "")
            _put_empty(first, (0, 0), "canonical empty")
        name = next(self._ref_names)
        return Place(self._refs, name, f"/{REFS}/{name}")

    def _put_fields(self, group: h5g.GroupID, names: list[str]) -> None:
        if len(names) < 2:
            return
        if sum(map(len, names)) <= FIELDS_LIMIT_CHARS:
            put_name_list(group, b"MATLAB_fields", names)
            return
        place = self._next_ref()
        listed = put_names(place.group, place.name, names)
        put_reference(group, b"MATLAB_fields", _reference(listed))


def _new_struct(place: Place) -> h5g.GroupID:
    return _described(put_group(place.group, place.name), place, "struct")


def _put_char(place: Place, text: str) -> h5d.DatasetID:
    if not text:
        return _put_empty(place, (0, 0), "char")
    units = np.frombuffer(text.encode("utf-16-le"), "<u2").reshape(-1, 1)
    dataset = put_dataset(place.group, place.name, units)
    put_number(_described(dataset, place, "char"), b"MATLAB_int_decode", CHARS)
    return dataset


def _put_array(place: Place, value: object) -> h5d.DatasetID:
    try:
        array = as_array(value)
        kind = class_of(array)
    except MatFileError as error:
        raise MatFileError(f"{place}: {error}") from None
    dims = matlab_dims(array.shape)
    if array.size == 0:
        return _put_empty(place, dims, kind)
    stored: NDArray[Any] = array.view("u1") if kind == "logical" else array
    laid_out = np.ascontiguousarray(stored.reshape(dims).T)
    dataset = put_dataset(place.group, place.name, laid_out)
    _described(dataset, place, kind)
    if kind == "logical":
        put_number(dataset, b"MATLAB_int_decode", LOGICALS)
    return dataset


def _put_empty(place: Place, dims: tuple[int, ...], kind: str) -> h5d.DatasetID:
    """Store an empty value: its dimensions in place of its elements."""
    dataset = put_dataset(place.group, place.name, np.array(dims, "<u8"))
    put_number(_described(dataset, place, kind), b"MATLAB_empty", np.uint8(1))
    return dataset


def _described(target: Stored, place: Place, kind: str) -> Stored:
    if place.h5path:
        put_text(target, b"H5PATH", place.h5path)
    put_text(target, b"MATLAB_class", kind)
    return target


def _reference(target: Stored) -> h5py.Reference:
    return h5r.create(target, b".", h5r.OBJECT)


def _short_names() -> Iterator[str]:
    letters = string.ascii_letters + string.digits
    for length in itertools.count(1):
        for name in itertools.product(letters, repeat=length):
            yield "".join(name)
