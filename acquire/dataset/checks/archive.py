"""Checks of a trial archive: does it say what it is, do its parts agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from acquire.dataset.checks.codes import found
from acquire.findings import Finding
from acquire.storage.errors import LayoutError
from acquire.storage.layout import parse_path
from acquire.storage.provenance import sha256
from acquire.storage.recording import Recording
from acquire.storage.trial_file import read_provenance
from acquire.storage.trial_stream import running_index

_ATTRIBUTES: Final = (
    *("participant", "condition", "mode", "speed", "trial", "take", "facing"),
)


def archive_findings(path: Path, recording: Recording) -> Iterator[Finding]:
    """Check what an archive has over a recording; `recording` is its content."""
    yield from _attributes(path, recording)
    digest = read_provenance(path).get("recording_sha256")
    for source in (path.with_suffix(".xdf"), path.with_suffix(".xdfz")):
        if digest and source.is_file() and sha256(source) != digest:
            text = "is not the recording that the archive was made from"
            yield found("archive-recording", source.name, text)
    with h5py.File(path, "r") as file:
        unlabelled: list[str] = []
        file.visititems(lambda name, node: _collect(unlabelled, name, node))
        for name in unlabelled:
            yield found("archive-axis", f"{path.name}:/{name}", "has no scale")
        groups = sorted(
            file["streams"].values(), key=lambda node: int(node.attrs["file_order"])
        )
        for group, stream in zip(groups, recording.streams, strict=True):
            stored = group["index"][()]
            if not np.array_equal(stored, running_index(stream), equal_nan=True):
                text = "the stored sample numbers do not follow from the counter"
                yield found("archive-index", f"{path.name}:{stream.name}", text)


def _attributes(path: Path, recording: Recording) -> Iterator[Finding]:
    try:
        key = parse_path(path.resolve())
    except LayoutError:
        return  # a file outside a dataset need not say which trial it is
    for name in _ATTRIBUTES:
        if name not in recording.attributes:
            yield found("archive-attribute", path.name, f"does not say its {name}")
    for name, value in key.attributes().items():
        said = recording.attributes.get(name, value)
        if said != value:
            text = f"it says {name} {said!r}, its path says {value!r}"
            yield found("archive-place", path.name, text)


def _collect(unlabelled: list[str], name: str, node: Any) -> None:  # noqa: ANN401
    if not isinstance(node, h5py.Dataset) or node.is_scale:
        return
    if any(not len(dimension) for dimension in node.dims):
        unlabelled.append(name)
