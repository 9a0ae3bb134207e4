"""From a participant's archives to the subject file, checked before it has its name."""

import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py

from acquire.dataset.build_result import BuildResult
from acquire.dataset.k2muse import (
    PROFILE,
    Profile,
    normalized,
    original,
)
from acquire.dataset.matfile import MatWriter
from acquire.dataset.participants import ParticipantError, participant
from acquire.dataset.read_back import TrialPlan, plan_of, read_back
from acquire.dataset.selection import Selection, select
from acquire.dataset.sidecar import write_sidecar
from acquire.dataset.subject_checks import subject_findings
from acquire.dataset.trial_source import load
from acquire.storage.durable import (
    replace_atomically,
    sync_file,
)
from acquire.storage.errors import MixedDatasetError
from acquire.storage.layout import TrialKey, dataset_kind
from acquire.storage.manifest import append_to_manifest

log = logging.getLogger("kinemuse.build")

FOLDER = "ProcessedData"
NO_DATE = datetime(2000, 1, 1)  #: the header needs a date, publication none
Progress = Callable[[str], None]


class BuildError(ValueError):
    """There is nothing to build, or something it needs is not there."""


def build(
    dataset: Path,
    participant_id: str,
    progress: Progress = lambda _: None,
    *,
    profile: Profile = PROFILE,
    own_conditions: bool = False,
) -> BuildResult:
    """Write ``ProcessedData/P43.mat`` and its side-car from all accepted trials.

    One trial at a time is in memory. The file is written under a temporary name, read
    back with another reader and compared, and only then replaces an earlier one;
    the same archives give the same bytes. `progress` hears what is
    being done.

    Raises
    ------
    BuildError
        No accepted trial, or no body mass.
    MixedDatasetError
        Virtual and real trials lie in one dataset.
    VerificationError
        What was read back is not what was written; the earlier file stays.
    """
    chosen = select(dataset, participant_id, own_conditions=own_conditions)
    simulated = _one_kind(dataset, chosen)
    mass_kg = _mass(dataset, participant_id)
    folder = dataset / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{participant_id}.mat"
    tmp = folder / f".{participant_id}.mat.{os.getpid()}.tmp"
    tmp.unlink(missing_ok=True)
    facts: dict[TrialKey, dict[str, Any]] = {}
    plans: list[TrialPlan] = []
    try:
        with MatWriter(tmp, created=NO_DATE) as mat:
            for done, (key, archive) in enumerate(chosen.archives.items(), 1):
                name = f"{key.condition} {key.mode} {key.speed} {key.stem}"
                progress(f"{name} ({done} of {len(chosen.archives)})")
                trial, facts[key] = load(archive)
                place = f"{key.condition}/{key.mode}/{key.speed}/Trial_{key.trial}"
                for tree, struct in (
                    ("OriginalData", original),
                    ("NormalizedData", normalized),
                ):
                    mat.write(
                        f"{participant_id}/{tree}/{place}",
                        struct(trial, mass_kg, profile),
                    )
                plans.append(plan_of(place, trial))
        progress(f"reading {path.name} back")
        read_back(tmp, participant_id, plans)
        sync_file(tmp)
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    findings = subject_findings(path)
    sidecar = write_sidecar(path, simulated, mass_kg, profile, facts, chosen, findings)
    for finished in (path, sidecar):
        append_to_manifest(dataset, finished)
    log.info("%s: %d trials", path.name, len(facts))
    return BuildResult(path, sidecar, simulated, facts, chosen.left_out, findings)


def _one_kind(dataset: Path, chosen: Selection) -> bool:
    """Tell whether the dataset is simulated; refuse when it is both."""
    if not chosen.archives:
        reasons = sorted({f"{k.stem}: {why}" for k, why in chosen.left_out.items()})
        raise BuildError(
            f"{dataset}: no accepted trial to build from"
            + (f" ({'; '.join(reasons[:5])})" if reasons else "; no trial at all")
        )
    kinds: dict[bool, list[str]] = {}
    for key, path in chosen.archives.items():
        with h5py.File(path, "r") as file:
            kinds.setdefault(bool(file.attrs["simulated"]), []).append(str(key.stem))
    declared = dataset_kind(dataset)
    names = {"virtual" if simulated else "real" for simulated in kinds}
    if declared:
        names.add(declared)
    if len(names) > 1:
        raise MixedDatasetError(
            f"{dataset} mixes virtual and real trials; nothing is built from both"
        )
    return next(iter(kinds))


def _mass(dataset: Path, participant_id: str) -> float:
    try:
        mass_kg = participant(dataset, participant_id).mass_kg
    except ParticipantError as error:
        raise BuildError(str(error)) from error
    if not mass_kg > 0:
        raise BuildError(
            f"{participant_id} has no mass_kg in participants.tsv; forces are per kg"
        )
    return mass_kg
