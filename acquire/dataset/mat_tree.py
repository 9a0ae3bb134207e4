"""A MAT-file of any version as a tree that is read only where it is looked at.

v7.3 files (HDF5) are read piece by piece; v5 to v7 files have no index and are read
whole by scipy when they are opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from acquire.dataset.mat_reader import variables


class MatReadError(ValueError):
    """A file is no MAT-file, or not laid out as a subject file."""


class MatNode(Protocol):
    """One MATLAB value: struct, cell or array."""

    @property
    def path(self) -> str: ...
    @property
    def dims(self) -> tuple[int, ...]: ...
    @property
    def fields(self) -> list[str]: ...
    def __contains__(self, name: object) -> bool: ...
    def __getitem__(self, name: str) -> "MatNode": ...
    def cells(self) -> Iterator["MatNode"]: ...
    def value(self) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class LoadedNode:
    """A value that scipy has read: a struct is a 1x1 record, a cell an object array."""

    path: str
    item: NDArray[Any]

    @property
    def dims(self) -> tuple[int, ...]:
        return self.item.shape

    @property
    def fields(self) -> list[str]:
        return list(self.item.dtype.names or ())

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __getitem__(self, name: str) -> "LoadedNode":
        if name not in self or self.item.size != 1:
            raise KeyError(f"{self.path} has no field {name!r}; it has {self.fields}")
        return LoadedNode(f"{self.path}.{name}", self.item.flat[0][name])

    def cells(self) -> Iterator["LoadedNode"]:
        """Yield the items of a cell, column-major."""
        if self.item.dtype != object:
            return
        for k, item in enumerate(self.item.ravel(order="F")):
            yield LoadedNode(f"{self.path}{{{k + 1}}}", item)

    def value(self) -> NDArray[Any]:
        """Return a numeric array in MATLAB's orientation."""
        return self.item


@contextmanager
def open_mat(path: Path) -> Iterator[list[MatNode]]:
    """Open a MAT-file and yield its variables; nodes are valid until it is closed.

    Raises
    ------
    MatReadError
        The file is neither a v7.3 nor a v5, v6 or v7 MAT-file.
    """
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            yield list(variables(file))
        return
    yield list(_loaded(path))


def _loaded(path: Path) -> Iterator[LoadedNode]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError as ScipyError

    with path.open("rb") as file:
        start = file.read(20)
    if not start.startswith(b"MATLAB 5.0 MAT-file"):
        raise MatReadError(
            f"{path}: no MAT-file of version 5, 7 or 7.3; it starts with {start!r}"
        )
    try:
        found = loadmat(path, squeeze_me=False, struct_as_record=True)
    except (ScipyError, ValueError, TypeError, OSError, EOFError) as error:
        raise MatReadError(f"{path}: damaged MAT-file ({error})") from error
    for name, item in found.items():
        if not name.startswith("__"):
            yield LoadedNode(name, np.asarray(item))
