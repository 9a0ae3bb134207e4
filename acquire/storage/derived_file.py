"""Derived files: groups of arrays beside an archive, rebuilt at will."""

import contextlib
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from acquire.storage import hdf5
from acquire.storage.durable import replace_atomically, sync_file
from acquire.storage.errors import NotARecordingError, StorageError
from acquire.storage.provenance import code_version

DERIVED_LAYOUT: Final = 1
_ROOT: Final = ("kinemuse_derived", "code_version")


@dataclass(frozen=True, eq=False)
class Group:
    """Arrays that share their first axis or none, further groups, and attributes.

    `axis` names the array (one-dimensional, in `arrays`) that labels the first axis
    of those of its length. `units` are those of the arrays, by name.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    groups: Mapping[str, "Group"] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    axis: str = ""


@dataclass(frozen=True, eq=False)
class Derived:
    """A derived file in memory: its groups, and what they were computed from."""

    path: Path
    groups: Mapping[str, Group]
    inputs: Mapping[str, str]  #: file name → SHA-256
    code_version: str

    def __getitem__(self, path: str) -> Group:
        """Return the group at a path such as ``gait/events``."""
        group = Group(groups=self.groups)
        for name in path.strip("/").split("/"):
            if name not in group.groups:
                raise KeyError(
                    f"{self.path.name} has no group {path!r}; "
                    f"at {name!r} there are {sorted(group.groups)}"
                )
            group = group.groups[name]
        return group


def write_derived(
    path: Path,
    groups: Mapping[str, Group],
    inputs: Mapping[str, str],
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Path:
    """Write a derived file, in one step in place of an earlier one.

    `inputs` are the SHA-256 sums of the files it was computed from, by name.
    """
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    try:
        with h5py.File(tmp, "x", libver=hdf5.LIBVER) as file:
            file.attrs["kinemuse_derived"] = DERIVED_LAYOUT
            file.attrs["code_version"] = code_version()
            for name, value in (attributes or {}).items():
                hdf5.set_attribute(file, name, value)
            stored = file.create_group("inputs")
            for name, digest in inputs.items():
                stored.attrs[name] = digest
            for name, group in groups.items():
                _write(file.create_group(name), group)
        sync_file(tmp)
        replace_atomically(tmp, path)
    except StorageError:
        raise
    except (OSError, RuntimeError) as error:
        code = getattr(error, "errno", None) or errno.EIO
        raise StorageError(code, f"cannot be written ({error})", str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            tmp.unlink(missing_ok=True)
    return path


def read_derived(path: Path) -> Derived:
    """Read a derived file whole."""
    with _open(path) as file:
        return Derived(
            path,
            {
                name: _read(group)
                for name, group in file.items()
                if name != "inputs" and isinstance(group, h5py.Group)
            },
            {name: str(value) for name, value in file["inputs"].attrs.items()},
            str(file.attrs["code_version"]),
        )


def read_derived_attributes(path: Path) -> dict[str, Any]:
    """Read the attributes given at the root of a derived file."""
    with _open(path) as file:
        return {
            name: hdf5.plain(value)
            for name, value in file.attrs.items()
            if name not in _ROOT
        }


def _open(path: Path) -> Any:  # noqa: ANN401 (h5py has no types)
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotARecordingError(f"{path}: no readable HDF5 file ({error})") from error
    if "kinemuse_derived" not in file.attrs:
        file.close()
        raise NotARecordingError(f"{path}: an HDF5 file, but no derived one")
    return file


def _write(node: Any, group: Group) -> None:  # noqa: ANN401
    for name, value in group.attributes.items():
        hdf5.set_attribute(node, name, value)
    scales: dict[int, hdf5.Axis] = {}
    if group.axis:
        labels = np.asarray(group.arrays[group.axis])
        unit = group.units.get(group.axis, "")
        scales[labels.shape[0]] = hdf5.put_scale(node, group.axis, labels, unit=unit)
    for name, data in group.arrays.items():
        if name != group.axis:
            _put(node, name, np.asarray(data), scales, group.units.get(name, ""))
    for name, inner in group.groups.items():
        _write(node.create_group(name), inner)


def _put(
    node: Any,  # noqa: ANN401
    name: str,
    data: NDArray[Any],
    scales: Mapping[int, hdf5.Axis],
    unit: str,
) -> None:
    """Write one array; an axis that nothing labels gets a scale of numbers."""
    axes = []
    for k, length in enumerate(data.shape):
        shared = scales.get(length) if k == 0 else None
        axes.append(shared or _numbers(node, f"{name}_axis{k}", length))
    if data.dtype.kind in "OU":
        hdf5.put_text(node, name, data.astype(object), axes=axes)
    else:
        hdf5.put(node, name, data, axes=axes, unit=unit)


def _numbers(node: Any, name: str, length: int) -> hdf5.Axis:  # noqa: ANN401
    axis = hdf5.put_scale(node, name, np.arange(length))
    axis.scale.attrs["numbers_only"] = True
    return axis


def _read(node: Any) -> Group:  # noqa: ANN401
    arrays, units, groups, axis = {}, {}, {}, ""
    for name, item in node.items():
        if isinstance(item, h5py.Group):
            groups[name] = _read(item)
        elif "numbers_only" not in item.attrs:
            text = h5py.check_string_dtype(item.dtype) is not None
            arrays[name] = hdf5.read_text(item) if text else item[()]
            if "units" in item.attrs:
                units[name] = str(item.attrs["units"])
            axis = name if item.is_scale else axis
    attributes = {name: hdf5.plain(value) for name, value in node.attrs.items()}
    return Group(arrays, attributes, groups, units, axis)
