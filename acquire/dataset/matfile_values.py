"""What a MATLAB file can hold: arrays, text, structs, cells, and values made late."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

CLASSES: Mapping[str, str] = {
    "f8": "double",
    "f4": "single",
    "b1": "logical",
    **{f"i{n}": f"int{8 * n}" for n in (1, 2, 4, 8)},
    **{f"u{n}": f"uint{8 * n}" for n in (1, 2, 4, 8)},
}
"""MATLAB classes by NumPy's code of the element type."""

#: A function is called when its turn comes to be written, and its result dropped.
Value: TypeAlias = (
    "NDArray[Any] | np.generic | float | int | bool | str | Cell | Mapping[str, Value] "
    "| Callable[[], Value]"
)


class MatFileError(ValueError):
    """A value has no place in a MATLAB file."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A MATLAB cell array: `items` in column-major order, a column unless `shape`."""

    items: tuple[Value, ...]
    shape: tuple[int, int] | None = None

    @property
    def dims(self) -> tuple[int, int]:
        return (len(self.items), 1) if self.shape is None else self.shape

    def __post_init__(self) -> None:
        if self.dims[0] * self.dims[1] != len(self.items):
            raise MatFileError(
                f"a cell of shape {self.shape} cannot hold {len(self.items)} items"
            )


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Shared:
    """An item of several cells: stored once, and every cell refers to that.

    MATLAB's own files do so with the empty items of cells. Elsewhere than in cells it
    is a value like any other.
    """

    make: Callable[[], Value]

    def __call__(self) -> Value:
        return self.make()


def matlab_dims(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return MATLAB's dimensions: two at least, no trailing ones beyond."""
    dims = list(shape)
    while len(dims) > 2 and dims[-1] == 1:
        dims.pop()
    return tuple(dims)


def as_array(value: object) -> NDArray[Any]:
    """Return a number or an array as MATLAB has it, with two dimensions or more."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # a number typed in MATLAB is a double
    array = np.asarray(value)
    if array.ndim == 0:
        return array.reshape(1, 1)
    if array.ndim == 1:
        raise MatFileError(
            f"shape {array.shape} is neither row nor column; give (n, 1) or (1, n)"
        )
    return array


def class_of(array: NDArray[Any]) -> str:
    """Return the MATLAB class of an array's elements."""
    kind = CLASSES.get(array.dtype.str[1:])
    if kind is None:
        have = sorted(CLASSES.values())
        raise MatFileError(f"arrays of {array.dtype} are not supported; have {have}")
    return kind
