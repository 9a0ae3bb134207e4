"""Checks of the ``SourceData`` tree: every trial in all modalities, as archived."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from acquire.dataset.arrays import FRAME_HZ
from acquire.dataset.c3d import C3dError, C3dFile, read_c3d
from acquire.dataset.c3d_writer import OUTPUTS
from acquire.dataset.checks.codes import found
from acquire.dataset.k2muse import GROUPS
from acquire.dataset.placed_trial import PlacedTrial, placed
from acquire.dataset.selection import select
from acquire.dataset.source_tree import names
from acquire.dataset.source_tree.elonxi import elonxi_texts
from acquire.dataset.source_tree.noraxon import noraxon_mat
from acquire.findings import Finding
from acquire.gait.events import times_of
from acquire.gait.feet import SIDES
from acquire.storage.derived_file import Derived
from acquire.storage.layout import TrialKey
from acquire.storage.recording import Recording

FAR_M = 2e-5  #: C3D holds single precision
EVENT_APART_S = 0.006  #: half a frame

Arrays = NDArray[Any]


def source_tree_findings(root: Path, participant: str) -> Iterator[Finding]:
    """Tell which source files are missing, and which belong to no accepted trial."""
    folders = [
        root / names.FOLDER / part / participant
        for part in (names.VICON, names.ELONXI, names.NORAXON)
    ]
    there = {
        PurePosixPath(path.relative_to(root).as_posix())
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }
    if not there:
        return
    chosen = select(root, participant, own_conditions=True)
    wanted = {
        path
        for key, archive in chosen.archives.items()
        for path in _wanted(key, archive)
    }
    published = select(root, participant).archives.keys()
    needed = {path for key in published for path in _wanted(key, chosen.archives[key])}
    for path in sorted(needed - there):
        yield found("source-missing", str(path), "is not there")
    for path in sorted(there - wanted):
        if "+Static+" not in path.name:
            text = "belongs to no accepted trial, or is named as none is"
            yield found("source-stray", str(path), text)


def _wanted(key: TrialKey, archive: Path) -> list[PurePosixPath]:
    """Name the files that a trial's streams can fill."""
    streams = _streams(archive)
    return [
        *([names.vicon_file(key)] if "vicon-markers" in streams else []),
        *([names.noraxon_file(key)] if "semg" in streams else []),
        *(
            names.elonxi_file(key, probe)
            for probe in range(1, 1 + names.N_PROBES * ("amode" in streams))
        ),
    ]


def _streams(archive: Path) -> set[str]:
    import h5py

    try:
        with h5py.File(archive, "r") as file:
            return set(file["streams"])
    except (OSError, KeyError):
        return set()


def source_findings(
    root: Path, key: TrialKey, recording: Recording, derived: Derived
) -> Iterator[Finding]:
    """Compare a trial's source files with its archive."""
    trial = placed(recording.path, recording, derived)
    vicon, noraxon = names.vicon_file(key), names.noraxon_file(key)
    if (root / vicon).is_file():
        try:
            file = read_c3d(root / vicon)
        except C3dError as error:
            yield found("source-format", str(vicon), str(error))
        else:
            yield from _c3d(file, trial, str(vicon))
    if (root / noraxon).is_file() and "semg" in recording:
        yield from _emg(root / noraxon, noraxon_mat(key, trial), str(noraxon))
    if "amode" in recording:
        paths = [names.elonxi_file(key, 1 + k) for k in range(names.N_PROBES)]
        yield from _echoes(root, paths, elonxi_texts(trial))


def _c3d(file: C3dFile, trial: PlacedTrial, where: str) -> Iterator[Finding]:
    markers, wanted = file.markers_m, trial.markers_m()
    if file.n_frames != trial.n_frames:
        text = f"has {file.n_frames} frames, the archive {trial.n_frames}"
        yield found("source-c3d-differs", where, text)
        return
    for name, rows in wanted.items():
        same = name in markers and np.allclose(
            markers[name], rows, atol=FAR_M, rtol=1e-5, equal_nan=True
        )
        if not same:
            text = f"marker {name} is not where the archive has it"
            yield found("source-c3d-differs", where, text)
            return
    for name in _other_outputs(file, trial):
        yield found("source-c3d-differs", where, f"{name} is not what follows from it")
        return
    last_s = (trial.n_frames - 1) / FRAME_HZ
    for side in SIDES:
        for kind in ("strike", "off"):
            at = times_of(trial.gait.events, side, kind)
            at = at[(at >= 0) & (at <= last_s)]
            label = f"Foot {kind.title()}"
            told = np.array(
                [
                    event.time_s
                    for event in file.events
                    if event.context.lower() == side and event.label == label
                ]
            )
            if at.size != told.size or np.any(np.abs(at - told) > EVENT_APART_S):
                text = f"{side} {label}: other times than the archive's forces give"
                yield found("source-events-differ", where, text)
                return


def _other_outputs(file: C3dFile, trial: PlacedTrial) -> Iterator[str]:
    """Name outputs of the gait model that the file has otherwise than the trial."""
    made = trial.model()
    for group, labels in GROUPS.items():
        scale, _ = OUTPUTS[group.upper()]
        for name in labels:
            if name in made and name in file.points:
                told = file.points[name] / scale
                if not np.allclose(told, made[name], 1e-5, 1e-4, equal_nan=True):
                    yield name


def _emg(path: Path, wanted: bytes, where: str) -> Iterator[Finding]:
    try:
        told, right = (_signals(item) for item in (path.read_bytes(), wanted))
    except (ValueError, TypeError, KeyError, IndexError, OSError) as error:
        yield found("source-format", where, f"cannot be read: {error}")
        return
    same = told.keys() == right.keys() and all(
        np.array_equal(told[name], right[name], equal_nan=True) for name in right
    )
    if not same:
        yield found("source-emg-differs", where, "is not what the archive gives")


def _signals(content: bytes) -> dict[str, Arrays]:
    """Return the signals of a MAT-file by name."""
    read = loadmat(io.BytesIO(content))  # type: ignore[arg-type]
    (record,) = (value for name, value in read.items() if not name.startswith("__"))
    signals = record[0, 0]["movements"][0, 0]["sources"][0, 0]["signals"][0, 0]
    return {
        str(signals[field][0, 0]["name"][0]): signals[field][0, 0]["data"]
        for field in signals.dtype.names
    }


def _echoes(
    root: Path, paths: Sequence[PurePosixPath], wanted: Sequence[bytes]
) -> Iterator[Finding]:
    for path, text in zip(paths, wanted, strict=True):
        if (root / path).is_file():
            told = (root / path).read_bytes()
            if told.split() != text.split():
                why = "is not what the archive gives"
                yield found("source-us-differs", str(path), why)
