"""Look into a v7.3 file with nothing but h5py: classes, dimensions, values.

Written apart from the writer, so that one can check the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Node:
    """One MATLAB value in a file; what it is, is read once."""

    path: str  #: MATLAB spelling: P43.OriginalData.Ideal...
    item: Any  #: an h5py group or dataset

    @cached_property
    def kind(self) -> str:
        """MATLAB class; empty where the file does not say."""
        value = self.item.attrs.get("MATLAB_class", b"")
        return value.decode() if isinstance(value, bytes) else str(value)

    @cached_property
    def is_empty(self) -> bool:
        return bool(self.item.attrs.get("MATLAB_empty", 0))

    @cached_property
    def dims(self) -> tuple[int, ...]:
        if isinstance(self.item, h5py.Group):
            return (1, 1)
        if self.is_empty:
            return tuple(int(n) for n in self.item[()])
        return tuple(int(n) for n in self.item.shape[::-1])

    @cached_property
    def fields(self) -> list[str]:
        """Field names of a struct, in MATLAB's order."""
        if not isinstance(self.item, h5py.Group):
            return []
        listed = self.item.attrs.get("MATLAB_fields")
        if listed is None:
            return list(self.item)
        if isinstance(listed, h5py.Reference):
            listed = self.item.file[listed][()]
        return ["".join(c.decode() for c in name) for name in listed]

    def __contains__(self, name: object) -> bool:
        return isinstance(self.item, h5py.Group) and name in self.item

    def __getitem__(self, name: str) -> "Node":
        item = self.item.get(name) if isinstance(self.item, h5py.Group) else None
        if item is None:
            raise KeyError(f"{self.path} has no field {name!r}; it has {self.fields}")
        return Node(f"{self.path}.{name}", item)

    def children(self) -> Iterator["Node"]:
        """Yield the fields of a struct, in order."""
        for name in self.fields:
            yield self[name]

    def cells(self) -> Iterator["Node"]:
        """Yield the items of a cell, column-major."""
        if self.kind != "cell" or self.is_empty:
            return
        for k, reference in enumerate(self.item[()].ravel()):
            yield Node(f"{self.path}{{{k + 1}}}", self.item.file[reference])

    def value(self) -> NDArray[Any]:
        """Return a numeric array in MATLAB's orientation."""
        if self.is_empty:
            return np.empty(self.dims)
        return np.asarray(self.item[()].T)


def variables(file: Any) -> list[Node]:  # noqa: ANN401 (h5py has no types)
    """Return the variables of an open v7.3 file."""
    return [Node(name, item) for name, item in file.items() if name != "#refs#"]
