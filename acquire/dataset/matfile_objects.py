"""The HDF5 objects that a MATLAB v7.3 file is made of, with the attributes they bear.

A subject has tens of thousands of them, mostly small, so they are made through HDF5's
own calls; types, spaces and plans of creation are made once and used again.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t
from numpy.typing import NDArray

from acquire.dataset.matfile_chunks import (
    GZIP_LEVEL,
    chunk_shape,
    chunks,
    deflate,
)

COMPACT_LIMIT_BYTES = 9_500  #: up to here a dataset lives in its object header

_SCALAR = h5s.create(h5s.SCALAR)
#: Chunks go to the file directly: no cache, which HDF5 would lay out per dataset.
_UNCACHED = h5p.create(h5p.DATASET_ACCESS)
_UNCACHED.set_chunk_cache(1, 0, 0.0)


class Kind(NamedTuple):
    """The type of elements in the file, and as h5py has them in memory."""

    stored: h5t.TypeID
    held: h5t.TypeID


_LETTERS = h5py.vlen_dtype(np.dtype("S1"))
_NAMES = Kind(h5t.py_create(_LETTERS, logical=True), h5t.py_create(_LETTERS))
_REFERENCES = Kind(h5t.STD_REF_OBJ, h5t.py_create(h5py.ref_dtype))


def put_group(parent: h5g.GroupID, name: str) -> h5g.GroupID:
    """Make a group."""
    return h5g.create(parent, name.encode("ascii"))


def put_dataset(parent: h5g.GroupID, name: str, stored: NDArray[Any]) -> h5d.DatasetID:
    """Store a contiguous array: compact when small, else in gzip chunks."""
    kind = _kind(stored.dtype)
    if stored.nbytes <= COMPACT_LIMIT_BYTES:
        return _put_whole(parent, name, stored, kind, _compact())
    chunk = chunk_shape(stored.shape, stored.itemsize)
    space = _space(stored.shape)
    dataset = h5d.create(
        parent,
        name.encode("ascii"),
        kind.stored,
        space,
        _chunked(chunk),
        dapl=_UNCACHED,
    )
    for at, raw in chunks(stored, chunk):
        mask, packed = deflate(raw)
        dataset.write_direct_chunk(at, packed, mask)
    return dataset


def put_references(
    parent: h5g.GroupID, name: str, table: NDArray[np.object_]
) -> h5d.DatasetID:
    """Store a table of object references, in one piece whatever its size."""
    return _put_whole(parent, name, table, _REFERENCES, _contiguous())


def put_names(parent: h5g.GroupID, name: str, names: Sequence[str]) -> h5d.DatasetID:
    """Store a list of names as a dataset of letters."""
    return _put_whole(parent, name, _spelt(tuple(names)), _NAMES, _contiguous())


def _put_whole(
    parent: h5g.GroupID,
    name: str,
    stored: NDArray[Any],
    kind: Kind,
    plan: h5p.PropDCID,
) -> h5d.DatasetID:
    space = _space(stored.shape)
    dataset = h5d.create(parent, name.encode("ascii"), kind.stored, space, plan)
    dataset.write(h5s.ALL, h5s.ALL, stored, kind.held)
    return dataset


# -- attributes -----------------------------------------------------------------------


def put_text(target: h5g.GroupID | h5d.DatasetID, name: bytes, text: str) -> None:
    """Write a scalar, NUL-terminated, fixed-length text attribute, as MATLAB does."""
    kind = _text_kind(len(text))
    _put_attribute(target, name, np.array(text.encode("ascii")), kind, _SCALAR)


def put_number(
    target: h5g.GroupID | h5d.DatasetID, name: bytes, value: np.generic
) -> None:
    """Write a scalar number as an attribute of its own type."""
    _put_attribute(target, name, np.asarray(value), _kind(value.dtype), _SCALAR)


def put_name_list(target: h5g.GroupID, name: bytes, names: Sequence[str]) -> None:
    """Write a list of names as an attribute, each a row of letters."""
    spelt = _spelt(tuple(names))
    _put_attribute(target, name, spelt, _NAMES, _space(spelt.shape))


def put_reference(target: h5g.GroupID, name: bytes, reference: h5py.Reference) -> None:
    """Write an object reference as an attribute."""
    value = np.array(reference, dtype=h5py.ref_dtype)
    _put_attribute(target, name, value, _REFERENCES, _SCALAR)


def _put_attribute(
    target: h5g.GroupID | h5d.DatasetID,
    name: bytes,
    value: NDArray[Any],
    kind: Kind,
    space: h5s.SpaceID,
) -> None:
    attribute = h5a.create(target, name, kind.stored, space)
    attribute.write(value, mtype=kind.held)


# -- made once ------------------------------------------------------------------------


@functools.cache
def _kind(dtype: np.dtype[Any]) -> Kind:
    """Return the type of numbers, which is the same in file and memory."""
    kind = h5t.py_create(dtype)
    return Kind(kind, kind)


@functools.lru_cache(maxsize=256)
def _text_kind(length: int) -> Kind:
    kind = h5t.C_S1.copy()
    kind.set_size(length)
    kind.set_strpad(h5t.STR_NULLTERM)
    return Kind(kind, kind)


@functools.lru_cache(maxsize=1024)
def _space(shape: tuple[int, ...]) -> h5s.SpaceID:
    return h5s.create_simple(shape)


@functools.lru_cache(maxsize=256)
def _spelt(names: tuple[str, ...]) -> NDArray[np.object_]:
    """Return names as HDF5 takes them: arrays of single letters."""
    rows = np.empty(len(names), dtype=_LETTERS)
    for row, name in enumerate(names):
        rows[row] = np.array(list(name.encode("ascii")), "u1").view("S1")
    return rows


def _plan() -> h5p.PropDCID:
    plan = h5p.create(h5p.DATASET_CREATE)
    plan.set_obj_track_times(False)  # the same values give the same bytes
    return plan


@functools.cache
def _contiguous() -> h5p.PropDCID:
    return _plan()


@functools.cache
def _compact() -> h5p.PropDCID:
    plan = _plan()
    plan.set_layout(h5d.COMPACT)
    return plan


@functools.lru_cache(maxsize=256)
def _chunked(chunk: tuple[int, ...]) -> h5p.PropDCID:
    plan = _plan()
    plan.set_chunk(chunk)
    plan.set_deflate(GZIP_LEVEL)
    return plan
