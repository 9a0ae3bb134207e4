"""The few things we do with HDF5: text, filtered datasets, scales on every axis."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

LIBVER: Final = ("earliest", "v108")  # what MATLAB R2022b and HDF5 1.8 still open
_PADDED_MAX_BYTES = 32 << 20
_CHUNK_MAX_BYTES = 1 << 20
_ATTRIBUTE_MAX_BYTES = 60_000
_ESCAPED = "json"


class Axis(NamedTuple):
    """One axis of a dataset: its name, and the dataset that labels it."""

    name: str
    scale: Any  #: an h5py dataset


def put(
    group: Any,  # noqa: ANN401 (h5py has no types)
    name: str,
    data: NDArray[Any],
    *,
    axes: Sequence[Axis] = (),
    chunk_rows: int | None = None,
    unit: str = "",
) -> Any:  # noqa: ANN401
    """Write an array with shuffle, gzip and a checksum; chunks of `chunk_rows` rows.

    Filters need chunks, so empty arrays have none. `axes` names and labels every axis.
    """
    filters: dict[str, Any] = {}
    if data.ndim and data.size and not data.dtype.hasobject:
        filters = {
            "chunks": _chunks(data, chunk_rows),
            "shuffle": True,
            "compression": "gzip",
            "compression_opts": 1,
            "fletcher32": True,
        }
    dataset = group.create_dataset(name, data=data, dtype=data.dtype, **filters)
    if unit:
        dataset.attrs["units"] = unit
    for dimension, axis in zip(dataset.dims, axes, strict=False):
        dimension.label = axis.name
        dimension.attach_scale(axis.scale)
    return dataset


def put_scale(
    group: Any,  # noqa: ANN401
    name: str,
    data: NDArray[Any],
    *,
    axis: str = "",
    chunk_rows: int | None = None,
    unit: str = "",
) -> Axis:
    """Write a one-dimensional array that labels an axis of other datasets."""
    dataset = put(group, name, data, chunk_rows=chunk_rows, unit=unit)
    dataset.make_scale(axis or name)
    return Axis(axis or name, dataset)


def put_text(
    group: Any,  # noqa: ANN401
    name: str,
    text: NDArray[Any],
    *,
    axes: Sequence[Axis] = (),
    chunk_rows: int | None = None,
) -> Any:  # noqa: ANN401
    """Write an array of strings as padded UTF-8, or as pointers where padding is huge.

    What UTF-8 with padding cannot hold (NUL, bytes that were no UTF-8) is escaped as
    JSON strings; the attribute ``escaped`` then says so.
    """
    flat = [str(value) for value in text.ravel()]
    escaped = any("\0" in value or not _is_unicode(value) for value in flat)
    if escaped:
        flat = [json.dumps(value) for value in flat]
    coded = [value.encode() for value in flat]
    width = max([1, *map(len, coded)])
    stored: NDArray[Any]
    if width * len(coded) <= _PADDED_MAX_BYTES:
        stored = np.array(coded, dtype=h5py.string_dtype("utf-8", width))
    else:
        stored = np.array(flat, dtype=h5py.string_dtype("utf-8"))
    dataset = put(
        group, name, stored.reshape(text.shape), axes=axes, chunk_rows=chunk_rows
    )
    if escaped:
        dataset.attrs["escaped"] = _ESCAPED
    return dataset


def put_text_scale(group: Any, name: str, text: Sequence[str]) -> Axis:  # noqa: ANN401
    """Write names that label an axis of other datasets."""
    dataset = put_text(group, name, np.array([*text], dtype=object))
    dataset.make_scale(name)
    return Axis(name, dataset)


def read_text(dataset: Any) -> NDArray[Any]:  # noqa: ANN401
    """Read what `put_text` wrote: an object array of str, of the same shape."""
    raw = dataset[()]
    out = np.empty(raw.shape, dtype=object)
    decode = json.loads if dataset.attrs.get("escaped") == _ESCAPED else str
    flat = out.reshape(-1)
    for k, value in enumerate(raw.reshape(-1)):
        flat[k] = decode(value.decode())
    return out


def set_attribute(node: Any, name: str, value: object) -> None:  # noqa: ANN401
    """Set an attribute: text of any length, or a number, or a truth value."""
    if not isinstance(value, str | int | float | bool | np.generic):
        raise TypeError(f"attribute {name!r}: {type(value).__name__} cannot be stored")
    node.attrs[name] = value


def set_text_list(node: Any, name: str, values: Sequence[str]) -> None:  # noqa: ANN401
    """Set a list of names as attribute unless HDF5 has no room for it there."""
    coded = [value.encode(errors="replace") for value in values]
    width = max([1, *map(len, coded)])
    if width * len(coded) <= _ATTRIBUTE_MAX_BYTES:
        node.attrs.create(
            name, np.array(coded, dtype=h5py.string_dtype("utf-8", width))
        )


def get_attribute(node: Any, name: str, default: Any = "") -> Any:  # noqa: ANN401
    """Read an attribute as str, int, float or bool."""
    return plain(node.attrs.get(name, default))


def plain(value: Any) -> Any:  # noqa: ANN401
    """Turn a NumPy scalar into the Python value it stands for."""
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _chunks(data: NDArray[Any], chunk_rows: int | None) -> tuple[int, ...]:
    row_bytes = max(1, data[:1].nbytes)
    rows = chunk_rows or _CHUNK_MAX_BYTES // row_bytes
    rows = min(max(1, rows), max(1, _CHUNK_MAX_BYTES // row_bytes), data.shape[0])
    return (rows, *data.shape[1:])


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
