"""From a participant's archives to the subject file, checked before it has its name."""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py

from acquire.dataset.build_result import BuildResult
from acquire.dataset.checks.subject import subject_findings
from acquire.dataset.k2muse import PROFILE, Profile, trees
from acquire.dataset.matfile import MatWriter, Value
from acquire.dataset.participants import ParticipantError, participant
from acquire.dataset.read_back import TrialPlan, plan_of, read_back
from acquire.dataset.selection import Selection, select
from acquire.dataset.sidecar import write_sidecar
from acquire.dataset.source_tree import list_source_files, write_source_files
from acquire.dataset.trial_h5 import write_trial_h5
from acquire.dataset.trial_source import load
from acquire.nexus_folder import NexusError, nexus_folder
from acquire.session_clocks import SessionClocks
from acquire.storage.durable import (
    replace_atomically,
    sync_file,
)
from acquire.storage.errors import MixedDatasetError
from acquire.storage.layout import TrialKey, dataset_kind
from acquire.storage.manifest import append_to_manifest, drop_from_manifest

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
    nexus: Path | None = None,
    sources: bool = False,
    listed: bool = True,
) -> BuildResult:
    """Write the subject file, its side-car and one flat file per trial.

    These are ``ProcessedData/P43.mat``, ``P43.json`` and ``P43/Ideal/…/Trial_1.h5``.
    One trial at a time is in memory. The subject file is written under a temporary
    name, read back with another reader and compared, and only then replaces an
    earlier one; the same archives give the same bytes. Flat files of trials that are
    no longer accepted are removed. `progress` hears what is being done. With `nexus`,
    a folder, model outputs of trials that have a processed C3D file there are taken
    from it; the side-car says of every trial whose they are. With `sources` the
    ``SourceData`` tree is written too. The dataset's manifest lists all
    of it, unless `listed` is False: where several processes build at once, the one that
    started them calls `list_files`.

    Raises
    ------
    NexusError
        A processed file does not fit its trial, or there is none for any.
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
    flat = folder / participant_id
    trial_files: list[Path] = []
    tmp = folder / f".{participant_id}.mat.{os.getpid()}.tmp"
    tmp.unlink(missing_ok=True)
    facts: dict[TrialKey, dict[str, Any]] = {}
    plans: list[TrialPlan] = []
    session = SessionClocks(progress)
    processed = _processed(nexus, participant_id, chosen)
    try:
        with MatWriter(tmp, created=NO_DATE) as mat:
            for done, (key, archive) in enumerate(chosen.archives.items(), 1):
                name = f"{key.condition} {key.mode} {key.speed} {key.stem}"
                progress(f"{name} ({done} of {len(chosen.archives)})")
                trial, facts[key] = load(archive, session, processed.get(key))
                place = f"{key.condition}/{key.mode}/{key.speed}/Trial_{key.trial}"
                _write_trees(mat, participant_id, place, trees(trial, mass_kg, profile))
                plans.append(plan_of(place, trial))
                named = {k: v for k, v in key.attributes().items() if k != "session"}
                about = {
                    **named,  # without the session: its name tells the day
                    "simulated": simulated,
                    "facing": facts[key]["facing"],
                    "clock_status": facts[key]["clock_status"],
                    "archive_sha256": facts[key]["archive_sha256"],
                }
                trial_files.append(
                    write_trial_h5(flat / f"{place}.h5", trial, mass_kg, about)
                )
                del trial  # before the next is loaded
        progress(f"reading {path.name} back")
        read_back(tmp, participant_id, plans)
        sync_file(tmp)
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    findings = subject_findings(path)
    sidecar = write_sidecar(path, simulated, mass_kg, profile, facts, chosen, findings)
    stale = sorted(set(flat.rglob("Trial_*.h5")) - set(trial_files))
    for old in stale:
        old.unlink()
    log.info("%s: %d trials", path.name, len(facts))
    written = None
    if sources:
        written = write_source_files(
            dataset, participant_id, progress, own_conditions=own_conditions
        )
    result = BuildResult(
        path,
        sidecar,
        simulated,
        facts,
        chosen.left_out,
        findings,
        files=(path, sidecar, *trial_files),
        removed=tuple(stale),
        sources=written,
    )
    if listed:
        list_files(dataset, result)
    return result


def list_files(dataset: Path, result: BuildResult) -> None:
    """List what a build wrote in the manifest, and no longer what it removed."""
    drop_from_manifest(dataset, result.removed)
    for finished in result.files:
        append_to_manifest(dataset, finished)
    if result.sources:
        list_source_files(dataset, result.sources)


def _write_trees(
    mat: MatWriter, name: str, place: str, structs: Mapping[str, Value]
) -> None:
    for tree, struct in structs.items():
        mat.write(f"{name}/{tree}/{place}", struct)


def _processed(
    folder: Path | None, participant_id: str, chosen: Selection
) -> dict[TrialKey, Path]:
    """Return the processed file of every chosen trial that has one."""
    if folder is None:
        return {}
    files = nexus_folder(folder, participant_id)
    found = {key: path for key in chosen.archives if (path := files.of(key))}
    if not found:
        raise NexusError(
            f"{folder}: {', '.join(files.names[:5])} are of no trial that is built"
        )
    unused = sorted(set(files.names) - {path.name for path in found.values()})
    if unused:
        log.warning("of no trial that is built: %s", ", ".join(unused))
    return found


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
