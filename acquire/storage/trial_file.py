"""The trial archive: one HDF5 file per trial, written once and never changed."""

import contextlib
import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from acquire.storage import hdf5
from acquire.storage.compare import stream_differences
from acquire.storage.durable import replace_atomically, sync_file
from acquire.storage.errors import (
    AlreadyExistsError,
    NotARecordingError,
    StorageError,
    StorageFullError,
    VerificationError,
)
from acquire.storage.layout import LAYOUT_VERSION
from acquire.storage.provenance import code_version, sha256, software
from acquire.storage.recording import Recording
from acquire.storage.trial_edges import write_edges
from acquire.storage.trial_stream import read_stream, write_stream

EVENTS_STREAM: Final = "kinemuse-events"
_OWN_ATTRIBUTES: Final = ("kinemuse_layout", "complete")

Value = str | int | float | bool


def write_trial(
    recording: Recording,
    out: Path,
    attributes: Mapping[str, Value] | None = None,
    *,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write a recording as trial archive `out`, which must not exist yet.

    `attributes` (participant, condition, mode, speed, trial, take, facing...) go to
    the root, over those the recording has itself. `provenance` is text kept verbatim:
    ``rig``, ``protocol``, ``library``...; versions and the SHA-256 of the recording
    are added. The file is written under a temporary name, forced to the disk, opened
    again and compared with the recording; only then does it get its name.

    Raises
    ------
    AlreadyExistsError
        `out` exists.
    VerificationError
        What was read back differs. Nothing of the name `out` is left then.
    """
    _refuse_existing(out)
    tmp = out.with_name(out.name + ".tmp")
    tmp.unlink(missing_ok=True)
    everything = {**recording.attributes, **(attributes or {})}
    try:
        with (
            _h5py_errors(out, "cannot be written"),
            h5py.File(tmp, "x", libver=hdf5.LIBVER) as file,
        ):
            _write(file, recording, everything)
            _write_provenance(file, recording.path, provenance or {})
        sync_file(tmp)
        _verify(recording, tmp)
        _refuse_existing(out)
        replace_atomically(tmp, out)
    except BaseException:
        with contextlib.suppress(OSError):
            tmp.unlink(missing_ok=True)
        raise
    return out


def read_trial(path: Path) -> Recording:
    """Read a trial archive: the recording it was written from."""
    with _open(path) as file:
        return Recording(
            path,
            tuple(read_stream(group) for group in _in_file_order(file)),
            complete=bool(file.attrs["complete"]),
            attributes={
                name: hdf5.plain(value)
                for name, value in file.attrs.items()
                if name not in _OWN_ATTRIBUTES
            },
            problems=tuple(hdf5.read_text(file["problems"]).tolist()),
        )


def read_provenance(path: Path) -> dict[str, str]:
    """Read where an archive comes from: names and texts."""
    with _open(path) as file:
        return {
            name: dataset[()].decode() for name, dataset in file["provenance"].items()
        }


def _write(file: Any, recording: Recording, attributes: Mapping[str, Value]) -> None:  # noqa: ANN401
    simulated = any(stream.simulated for stream in recording.streams)
    root = {"simulated": simulated, "complete": recording.complete, **attributes}
    hdf5.set_attribute(file, "kinemuse_layout", LAYOUT_VERSION)
    for name, value in root.items():
        hdf5.set_attribute(file, name, value)
    streams = file.create_group("streams")
    edges = file.create_group("edges")
    for order, stream in enumerate(recording.streams):
        name = _free_name(streams, stream.name)
        group = streams.create_group(name)
        group.attrs["file_order"] = order
        write_stream(group, stream)
        write_edges(edges, name, stream)
    _write_events(file.create_group("events"), recording)
    hdf5.put_text_scale(file, "problems", recording.problems)


def _verify(recording: Recording, path: Path) -> None:
    """Compare stream by stream, so that only one is in memory twice."""
    with _open(path) as file:
        groups = _in_file_order(file)
        wrong = [
            difference
            for stream, group in zip(recording.streams, groups, strict=True)
            for difference in stream_differences(stream, read_stream(group))
        ]
        if hdf5.read_text(file["problems"]).tolist() != [*recording.problems]:
            wrong.append("the lists of problems differ")
    if wrong:
        raise VerificationError(
            errno.EIO, f"reads back differently: {'; '.join(wrong[:5])}", str(path)
        )


def _in_file_order(file: Any) -> list[Any]:  # noqa: ANN401
    return sorted(
        file["streams"].values(), key=lambda group: int(group.attrs["file_order"])
    )


def _free_name(streams: Any, name: str) -> str:  # noqa: ANN401
    """Return a group's name; the second stream of a name is called ``<name>.2``."""
    base = name.replace("/", "_").strip(". ") or "stream"
    taken, k = base, 1
    while taken in streams:
        k += 1
        taken = f"{base}.{k}"
    return taken


def _write_events(group: Any, recording: Recording) -> None:  # noqa: ANN401
    stamps, texts = [], []
    for stream in recording.streams:
        if stream.name == EVENTS_STREAM and stream.dtype == "string":
            stamps += stream.t_lsl.tolist()
            texts += stream.data[:, 0].tolist()
    t = hdf5.put_scale(group, "t_lsl", np.array(stamps, dtype=np.float64), unit="s")
    names = np.array([_event_name(text) for text in texts], dtype=object)
    hdf5.put_text(group, "event", names, axes=[t])
    hdf5.put_text(group, "json", np.array(texts, dtype=object), axes=[t])


def _event_name(text: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return str(content.get("event", "")) if isinstance(content, dict) else text


def _write_provenance(file: Any, source: Path, given: Mapping[str, str]) -> None:  # noqa: ANN401
    facts = {
        "archived_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "software": software(),
        **given,
    }
    if source.is_file():
        facts["recording_name"] = source.name
        facts["recording_sha256"] = sha256(source)
    group = file.create_group("provenance")
    for name, text in facts.items():
        group[name] = text


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotARecordingError(f"{path}: no readable HDF5 file ({error})") from error
    with file, _h5py_errors(path, "is damaged"):
        if "streams" not in file or "kinemuse_layout" not in file.attrs:
            raise NotARecordingError(
                f"{path}: an HDF5 file, but no trial archive; it has {list(file)[:8]}"
            )
        layout = int(file.attrs["kinemuse_layout"])
        if layout > LAYOUT_VERSION:
            raise NotARecordingError(
                f"{path}: layout {layout} is newer than this code ({LAYOUT_VERSION})"
            )
        yield file


@contextmanager
def _h5py_errors(path: Path, state: str) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        code = getattr(error, "errno", None) or errno.EIO
        kind = StorageFullError if code == errno.ENOSPC else StorageError
        raise kind(code, f"{state} ({error})", str(path)) from error


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise AlreadyExistsError(
            errno.EEXIST, "exists already and is never overwritten", str(path)
        )
