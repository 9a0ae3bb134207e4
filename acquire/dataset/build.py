"""From a participant's archives to the subject file, checked before it has its name."""

import json
import logging
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from acquire.dataset.arrays import TrialArrays, trial_arrays
from acquire.dataset.k2muse import (
    PROFILE,
    Profile,
    absent_groups,
    normalized,
    original,
)
from acquire.dataset.mat_reader import Node, variables
from acquire.dataset.matfile import MatWriter
from acquire.dataset.participants import ParticipantError, participant
from acquire.dataset.selection import Selection, select
from acquire.dataset.subject_checks import subject_findings
from acquire.derive import derive
from acquire.derived_groups import stored_gait
from acquire.findings import Finding
from acquire.model_basis import basis_inputs
from acquire.storage.derived_file import Derived, read_derived, read_derived_attributes
from acquire.storage.durable import (
    replace_atomically,
    sync_file,
    write_text_atomically,
)
from acquire.storage.errors import MixedDatasetError, VerificationError
from acquire.storage.layout import TrialKey, dataset_kind
from acquire.storage.manifest import append_to_manifest
from acquire.storage.provenance import code_version, sha256
from acquire.storage.trial_file import read_trial

log = logging.getLogger("kinemuse.build")

FOLDER = "ProcessedData"
NO_DATE = datetime(2000, 1, 1)  #: the header needs a date, publication none
Progress = Callable[[str], None]


class BuildError(ValueError):
    """There is nothing to build, or something it needs is not there."""


@dataclass(frozen=True, eq=False)
class BuildResult:
    """What was built: the file, its side-car, and every trial in or left out."""

    path: Path
    sidecar: Path
    simulated: bool
    trials: dict[TrialKey, dict[str, Any]]
    left_out: dict[TrialKey, str]
    findings: list[Finding]

    def describe(self) -> str:
        """Say in a few lines what was built."""
        kind = "simulated" if self.simulated else "recorded"
        lines = [f"{self.path}: {len(self.trials)} {kind} trials"]
        for key, facts in self.trials.items():
            lines.append(
                f"  {key.condition} {key.mode} {key.speed} trial {key.trial}: "
                f"{facts['frames'] / 100:.1f} s, strides {facts['strides_left']} left, "
                f"{facts['strides_right']} right, clocks {facts['clock_status']}"
            )
        lines += [
            f"  left out: {key.condition} {key.mode} {key.speed} {key.stem}: {why}"
            for key, why in self.left_out.items()
        ]
        lines += [
            f"  {finding.severity}: {finding.where}: {finding.message}"
            for finding in self.findings
            if finding.severity != "info"
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON-able values."""
        return {
            "path": str(self.path),
            "sidecar": str(self.sidecar),
            "simulated": self.simulated,
            "trials": [
                {**key.attributes(), **facts} for key, facts in self.trials.items()
            ],
            "left_out": [
                {**key.attributes(), "reason": why}
                for key, why in self.left_out.items()
            ],
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True)
class _Plan:
    """What one trial must look like when the file is read back."""

    path: str
    n_frames: int
    n_echoes: int
    n_left: int
    n_right: int
    emg_crc: int


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
    plans: list[_Plan] = []
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
                plans.append(_plan(place, trial))
        progress(f"reading {path.name} back")
        _verify(tmp, participant_id, plans)
        sync_file(tmp)
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    findings = subject_findings(path)
    sidecar = _write_sidecar(path, simulated, mass_kg, profile, facts, chosen, findings)
    for finished in (path, sidecar):
        append_to_manifest(dataset, finished)
    log.info("%s: %d trials", path.name, len(facts))
    return BuildResult(path, sidecar, simulated, facts, chosen.left_out, findings)


def load(archive: Path) -> tuple[TrialArrays, dict[str, Any]]:
    """Return a trial cut and placed on the reference clock, and facts about it.

    The derived file is made anew when it is missing or was made from another archive
    or by other code.
    """
    derived, digest = up_to_date(archive)
    attributes = read_derived_attributes(derived.path)
    gait = stored_gait(derived)
    recording = read_trial(archive)
    trial = trial_arrays(
        recording,
        derived["time"].arrays,
        float(attributes["duration_s"]),
        force_time_s=gait.force_time_s,
        force_rate_hz=_rate(derived),
        forces_n=gait.forces_n,
        events=gait.events,
        strides=gait.strides,
        model=gait.model,
        model_time_s=gait.model_time_s,
    )
    facts: dict[str, Any] = {
        "archive": archive.name,
        "archive_sha256": digest,
        "complete": recording.complete,
        "facing": str(recording.attributes.get("facing", "unknown")),
        "clock_status": str(attributes["status"]),
        "frames": trial.n_frames,
        "strides_left": len(trial.accepted("left")),
        "strides_right": len(trial.accepted("right")),
        "groups_absent": absent_groups(trial),
        "lost_samples": {
            name: int(group.attributes["lost"])
            for name, group in derived["clock"].groups.items()
            if int(group.attributes["lost"])
        },
        "remarks": [*trial.remarks, *gait.remarks, *recording.problems],
    }
    return trial, facts


def up_to_date(archive: Path) -> tuple[Derived, str]:
    """Return what follows from an archive, made anew if need be, and its hash."""
    digest = sha256(archive)
    path = archive.with_name(archive.name.removesuffix(".h5") + ".derived.h5")
    if path.is_file():
        try:
            found = read_derived(path)
        except (OSError, KeyError) as error:
            log.warning("%s is made anew: %s", path.name, error)
        else:
            same = found.inputs == {archive.name: digest, **basis_inputs(archive)}
            if same and found.code_version == code_version():
                return found, digest
    return read_derived(derive(archive)), digest


def _rate(derived: Derived) -> float:
    forces = derived["clock"].groups.get("vicon-forces")
    return float(forces.attributes["rate_hz"]) if forces else 1000.0


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


def _plan(place: str, trial: TrialArrays) -> _Plan:
    return _Plan(
        place.replace("/", "."),
        trial.n_frames,
        len(trial.echo),
        len(trial.accepted("left")),
        len(trial.accepted("right")),
        zlib.crc32(np.ascontiguousarray(trial.emg_uv).tobytes()),
    )


def _verify(path: Path, name: str, plans: list[_Plan]) -> None:
    """Read the file with the other reader and compare it with what went in."""
    with h5py.File(path, "r") as file:
        (subject,) = variables(file)
        for plan in plans:
            first = _at(subject, f"OriginalData.{plan.path}")
            second = _at(subject, f"NormalizedData.{plan.path}")
            emg = first["EMGData"]
            crc = zlib.crc32(np.ascontiguousarray(emg.value()).tobytes())
            echoes, strides = first["USData"].dims, second["EMGData"]
            got = (
                *(emg.dims[0] // 20, echoes[0], strides["Left"].dims[0]),
                *(strides["Right"].dims[0], crc),
            )
            want = (
                *(plan.n_frames, plan.n_echoes, plan.n_left),
                *(plan.n_right, plan.emg_crc),
            )
            if subject.path != name or got != want:
                raise VerificationError(
                    f"{plan.path}: frames, echoes, left and right strides and EMG sum "
                    f"read back as {got}, not {want}"
                )


def _at(node: Node, path: str) -> Node:
    for name in path.split("."):
        node = node[name]
    return node


def _write_sidecar(
    path: Path,
    simulated: bool,
    mass_kg: float,
    profile: Profile,
    facts: dict[TrialKey, dict[str, Any]],
    chosen: Selection,
    findings: list[Finding],
) -> Path:
    """Write what the MAT-file has no room for: origin, profile, what is absent."""

    def name(key: TrialKey) -> str:
        return f"{key.condition}/{key.mode}/{key.speed}/{key.stem}"

    content = {
        "file": path.name,
        "simulated": simulated,
        "code_version": code_version(),
        "mass_kg": mass_kg,
        "profile": {
            "first_frame": profile.first_frame,
            "start_time_s": profile.start_time_s,
            "cycle_points": 200,
            "groups_absent": sorted(
                set.intersection(*(set(f["groups_absent"]) for f in facts.values()))
            ),
        },
        "units": {
            "Markers": "m",
            "Angles": "deg",
            "Forces": "N/kg",
            "Moments": "N.m/kg",
            "Powers": "W/kg",
            "EMGData": "uV",
            "USData": "raw counts",
            "EventTime": "s from trial time 0",
        },
        "trials": {name(key): values for key, values in facts.items()},
        "left_out": {name(key): why for key, why in sorted(chosen.left_out.items())},
        "findings": [finding.to_json() for finding in findings],
    }
    sidecar = path.with_suffix(".json")
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_text_atomically(sidecar, text + "\n")
    return sidecar
