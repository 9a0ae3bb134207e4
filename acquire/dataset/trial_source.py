"""From an archive to its trial's arrays, deriving anew what is out of date."""

import logging
from pathlib import Path
from typing import Any, Literal

from acquire.dataset.arrays import TrialArrays, trial_arrays
from acquire.dataset.k2muse import FORCE_NAMES, absent_groups
from acquire.derive import derive, derived_inputs
from acquire.nexus_folder import NEXUS
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Derived, read_derived, read_derived_attributes
from acquire.storage.provenance import code_version
from acquire.storage.trial_file import read_trial
from acquire.stored_gait import stored_gait

log = logging.getLogger("kinemuse.build")


def load(
    archive: Path,
    session: SessionClocks | None = None,
    model_from: Path | Literal["any"] | None = "any",
) -> tuple[TrialArrays, dict[str, Any]]:
    """Return a trial cut and placed on the reference clock, and facts about it.

    The derived file is made anew when it is missing or was made from another archive,
    another choice of trials of the session, or by other code. `model_from`: see
    `up_to_date`.
    """
    derived, digest = up_to_date(archive, session, model_from)
    attributes = read_derived_attributes(derived.path)
    gait = stored_gait(derived)
    from_nexus = gait.model_source.startswith("Nexus")
    recording = read_trial(archive)
    trial = trial_arrays(
        recording,
        derived["time"].arrays,
        float(attributes["duration_s"]),
        force_time_s=gait.force_time_s,
        force_rate_hz=_rate(derived),
        forces_n={
            side: force
            for side, force in gait.forces_n.items()
            if not from_nexus or FORCE_NAMES[side] not in gait.model
        },
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
        "model_source": gait.model_source or "none",
        "groups_absent": absent_groups(trial),
        "lost_samples": {
            name: int(group.attributes["lost"])
            for name, group in derived["clock"].groups.items()
            if int(group.attributes["lost"])
        },
        "remarks": [*trial.remarks, *gait.remarks, *recording.problems],
    }
    return trial, facts


def up_to_date(
    archive: Path,
    session: SessionClocks | None = None,
    model_from: Path | Literal["any"] | None = "any",
) -> tuple[Derived, str]:
    """Return what follows from an archive, made anew if need be, and its hash.

    `model_from` is the C3D file whose model outputs are wanted, None where our own
    are; with "any", those in the file stay as long as the rest is up to date.
    """
    nexus = None if model_from == "any" else model_from
    wanted = derived_inputs(archive, session, nexus=nexus)
    digest = wanted[archive.name]
    path = archive.with_name(archive.name.removesuffix(".h5") + ".derived.h5")
    if path.is_file():
        try:
            found = read_derived(path)
        except (OSError, KeyError) as error:
            log.warning("%s is made anew: %s", path.name, error)
        else:
            rests_on = {
                name: told
                for name, told in found.inputs.items()
                if model_from != "any" or not name.startswith(NEXUS)
            }
            same = rests_on == wanted
            if same and found.code_version == code_version():
                return found, digest
    return read_derived(derive(archive, session, nexus)), digest


def _rate(derived: Derived) -> float:
    forces = derived["clock"].groups.get("vicon-forces")
    return float(forces.attributes["rate_hz"]) if forces else 1000.0
