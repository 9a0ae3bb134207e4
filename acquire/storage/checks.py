"""Check one stored file: does it open, is it whole, do its parts agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from acquire.findings import Finding, in_order
from acquire.storage.derived_file import read_derived
from acquire.storage.errors import LayoutError
from acquire.storage.layout import parse_path
from acquire.storage.provenance import sha256
from acquire.storage.reader import open_recording
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.trial_file import read_provenance
from acquire.storage.trial_stream import running_index
from sync import find_gaps, find_resets

_TRIAL_ATTRIBUTES = (
    "participant",
    "condition",
    "mode",
    "speed",
    "trial",
    "take",
    "facing",
)


def check_recording(path: Path) -> list[Finding]:
    """Check an XDF file, a trial archive or a derived file; gravest findings first.

    Codes: ``unreadable empty damaged incomplete no-samples not-finite counter-gap
    counter-reset counter-unknown no-offsets attribute-missing attribute-wrong
    axis-unlabelled index-wrong recording-digest input-digest input-missing``.
    """
    try:
        if path.name.endswith(".derived.h5"):
            return in_order(_derived(path))
        recording = open_recording(path)
        found = list(_contents(recording, path.name))
        if path.suffix == ".h5":
            found += _archive(path, recording)
    except (OSError, ValueError, KeyError) as error:
        return [Finding("unreadable", "error", path.name, str(error))]
    return in_order(found)


def _contents(recording: Recording, name: str) -> Iterator[Finding]:
    for problem in recording.problems:
        yield Finding("damaged", "warning", name, problem)
    if not recording.streams:
        yield Finding("empty", "error", name, "there is no stream in it")
    if not recording.complete:
        yield Finding("incomplete", "warning", name, "the recording was cut off")
    for stream in recording.streams:
        yield from _stream(stream, f"{name}: {stream.name}")


def _stream(stream: RecordedStream, where: str) -> Iterator[Finding]:
    if not len(stream.t_lsl):
        yield Finding("no-samples", "warning", where, "it holds no samples")
        return
    n_bad = int(np.count_nonzero(~np.isfinite(stream.t_lsl)))
    if n_bad:
        yield Finding("not-finite", "error", where, f"{n_bad} stamps are not finite")
    if stream.counter.source == "none" and stream.rate_hz:
        yield Finding("counter-unknown", "info", where, "losses cannot be counted")
    index = running_index(stream)
    gaps = find_gaps(index)
    if gaps:
        n_missing = sum(gap.n for gap in gaps)
        first = gaps[0].first_missing_index
        yield Finding(
            "counter-gap",
            "warning",
            where,
            f"{n_missing} samples are missing in {len(gaps)} gaps, "
            f"the first at sample {first:.0f}",
        )
    resets = find_resets(index)
    if resets.size:
        yield Finding(
            "counter-reset",
            "warning",
            where,
            f"the count steps back {resets.size} times, first at row {resets[0]}",
        )
    if not len(stream.offsets) and stream.source_id and stream.hostname:
        yield Finding("no-offsets", "info", where, "no clock offset was measured")


def _archive(path: Path, recording: Recording) -> Iterator[Finding]:
    yield from _attributes(path, recording)
    digest = read_provenance(path).get("recording_sha256")
    for source in (path.with_suffix(".xdf"), path.with_suffix(".xdfz")):
        if digest and source.is_file() and sha256(source) != digest:
            yield Finding(
                "recording-digest",
                "error",
                source.name,
                "is not the recording that the archive was made from",
            )
    with h5py.File(path, "r") as file:
        unlabelled: list[str] = []
        file.visititems(lambda name, node: _collect_unlabelled(unlabelled, name, node))
        for name in unlabelled:
            yield Finding(
                "axis-unlabelled", "warning", f"{path.name}: {name}", "has no scale"
            )
        groups = sorted(
            file["streams"].values(), key=lambda node: int(node.attrs["file_order"])
        )
        for group, stream in zip(groups, recording.streams, strict=True):
            stored = group["index"][()]
            if not np.array_equal(stored, running_index(stream), equal_nan=True):
                yield Finding(
                    "index-wrong",
                    "error",
                    f"{path.name}: {stream.name}",
                    "the stored sample numbers do not follow from the counter",
                )


def _attributes(path: Path, recording: Recording) -> Iterator[Finding]:
    try:
        key = parse_path(path.resolve())
    except LayoutError:
        return  # a file outside a dataset need not say which trial it is
    for name in _TRIAL_ATTRIBUTES:
        if name not in recording.attributes:
            yield Finding(
                "attribute-missing", "error", path.name, f"it does not say its {name}"
            )
    for name, value in key.attributes().items():
        said = recording.attributes.get(name, value)
        if said != value:
            yield Finding(
                "attribute-wrong",
                "error",
                path.name,
                f"it says {name} {said!r}, its path says {value!r}",
            )


def _collect_unlabelled(found: list[str], name: str, node: Any) -> None:  # noqa: ANN401
    if not isinstance(node, h5py.Dataset) or node.is_scale:
        return
    if any(not len(dimension) for dimension in node.dims):
        found.append(name)


def _derived(path: Path) -> Iterator[Finding]:
    for name, digest in read_derived(path).inputs.items():
        source = path.parent / name
        if not source.is_file():
            yield Finding(
                "input-missing",
                "warning",
                path.name,
                f"{name}, its input, is not there",
            )
        elif sha256(source) != digest:
            yield Finding(
                "input-digest",
                "warning",
                path.name,
                f"{name} has changed since; derive it again",
            )
