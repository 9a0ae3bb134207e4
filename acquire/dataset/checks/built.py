"""Checks that built files are of today's archives, and agree with each other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from acquire.dataset.checks.codes import found
from acquire.dataset.selection import select
from acquire.dataset.subject_file import Subject, TrialName, open_subject
from acquire.findings import Finding
from acquire.storage.layout import TrialKey
from acquire.storage.provenance import sha256


def sidecar_findings(path: Path) -> Iterator[Finding]:
    """Check that a subject file says whether it is simulated."""
    told = read_sidecar(path)
    if told is None:
        text = "has no readable side-car: nothing says whether it is simulated"
        yield found("subject-sidecar", path.name, text)
    elif not isinstance(told.get("simulated"), bool):
        where = path.with_suffix(".json").name
        yield found(
            "subject-kind", where, "does not say whether the data are simulated"
        )


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """Return the side-car of a subject file; None where it cannot be read."""
    try:
        told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def stale_findings(root: Path, path: Path) -> Iterator[Finding]:
    """Compare a subject file's takes and their archives with those accepted now."""
    told = read_sidecar(path) or {}
    made = {
        place: facts.get("archive_sha256")
        for place, facts in told.get("trials", {}).items()
    }
    if not made:
        return
    chosen = select(root, path.stem, own_conditions=_has_own(root, path.stem, made))
    now = {_place(key): sha256(archive) for key, archive in chosen.archives.items()}
    odd = sorted({k for k in made.keys() | now.keys() if made.get(k) != now.get(k)})
    if odd:
        text = f"{len(odd)} trials are not those accepted now, first {odd[0]}"
        yield found("subject-stale", path.name, text)


def _has_own(root: Path, participant: str, made: dict[str, Any]) -> bool:
    """Whether the file was built with conditions that published ones do not have."""
    ours = select(root, participant, own_conditions=True).archives.keys()
    published = select(root, participant).archives.keys()
    return any(_place(key) in made for key in ours - published)


def _place(key: TrialKey) -> str:
    return f"{key.condition}/{key.mode}/{key.speed}/{key.stem}"


def flat_findings(path: Path) -> Iterator[Finding]:
    """Compare the flat files beside a subject file with it."""
    folder = path.with_suffix("")
    with open_subject(path) as subject:
        wanted = {folder / f"{name}.h5": name for name in subject.trials}
        for stray in sorted(set(folder.rglob("*.h5")) - wanted.keys()):
            text = "belongs to no trial of the subject file"
            yield found("trial-h5-stray", _where(path, stray), text)
        for file, name in wanted.items():
            if not file.is_file():
                yield found("trial-h5-missing", _where(path, file), "is not there")
                continue
            yield from _flat(file, subject, name, _where(path, file))


def _flat(
    path: Path, subject: Subject, name: TrialName, where: str
) -> Iterator[Finding]:
    trial = subject[name].original
    try:
        with h5py.File(path, "r") as file:
            emg, markers = file["emg"][()], file["markers"][()]
            labels = [text.decode() for text in file["markers_label"][()]]
            n_echoes = len(file["ultrasound"])
    except (OSError, KeyError, ValueError) as error:
        yield found("trial-h5-format", where, f"cannot be read: {error}")
        return
    theirs = list(trial.markers_m)
    told = {
        "EMG": np.array_equal(emg, trial.emg_uv.astype(np.float32), equal_nan=True),
        "markers": len(labels) == len(theirs)
        and all(
            np.allclose(markers[:, k], trial.markers_m[name], equal_nan=True)
            for k, name in enumerate(theirs)
        ),
        "ultrasound": n_echoes == trial.node["USData"].dims[0],
    }
    odd = [part for part, same in told.items() if not same]
    if odd:
        text = f"{', '.join(odd)} are not those of the subject file"
        yield found("trial-h5-differs", where, text)


def _where(subject: Path, path: Path) -> str:
    return path.relative_to(subject.parent).as_posix()
