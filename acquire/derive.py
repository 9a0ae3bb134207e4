"""From a trial archive to what follows from it: clocks, times, gait, quality."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from acquire.derived_clocks import (
    clock_group,
    edge_group,
    interval_group,
    time_group,
)
from acquire.derived_gait import gait_group, model_parameters, nexus_parameters
from acquire.gait.cycles import StrideRules
from acquire.gait.survey import deck_settings
from acquire.model_basis import baselines_of, basis_inputs, basis_of
from acquire.nexus_folder import NEXUS
from acquire.nexus_outputs import nexus_outputs
from acquire.placed import TrialFacts, joined_markers, marker_rate_hz, place, rig_of
from acquire.processing import processing_of
from acquire.session_clocks import SessionClocks
from acquire.storage.derived_file import Group, write_derived
from acquire.storage.provenance import sha256
from acquire.storage.trial_file import read_trial
from acquire.trial_gait import gait_of, model_of, static_markers, unloaded_baseline

log = logging.getLogger("kinemuse.derive")


def derive(
    trial_path: Path,
    session: SessionClocks | None = None,
    nexus: Path | None = None,
) -> Path:
    """Compute what follows from a trial archive; return ``….derived.h5`` beside it.

    With `session`, clocks rest on what its other trials know of them, too, and the
    file names those as inputs; without, as right after recording, on this trial alone.
    With `nexus`, a C3D file, the outputs of the gait model are taken from there.
    The result replaces an earlier one. Poor data make remarks and statuses, not
    errors: a trial without plates has no gait, but its clocks.
    """
    recording = read_trial(trial_path)
    facts = place(recording, session.skews(trial_path) if session else None)
    deck = deck_settings(rig_of(trial_path))
    basis = basis_of(trial_path, static_markers)
    mass_kg = basis.measures.mass_kg if basis.measures else None
    baselines = baselines_of(trial_path, unloaded_baseline)
    processing = processing_of(rig_of(trial_path), trial_path)
    rules = StrideRules(crossovers=processing.keep_crossovers)
    gait = gait_of(facts, deck, baselines, mass_kg, rules)
    if nexus is None:
        model = model_of(facts, gait, basis, processing)
        parameters = model_parameters(model, basis, processing)
    else:
        markers, at = joined_markers(facts)
        rate_hz = marker_rate_hz(recording)
        placed = nexus_outputs(nexus, markers, at, rate_hz, facts.duration_s)
        model, parameters = placed.model, nexus_parameters(placed, sha256(nexus))
    groups = {
        "clock": Group(
            groups={
                name: clock_group(clock)
                for name, clock in facts.alignment.streams.items()
            }
        ),
        "time": time_group(facts.alignment, facts.t0_s),
        "interval": interval_group(facts.alignment),
        "edges": edge_group(facts.alignment, facts.t0_s),
        "gait": gait_group(gait, model, parameters),
        "quality": quality_group(facts),
    }
    attributes: dict[str, str | int | float | bool] = {
        "reference": facts.alignment.reference,
        "status": facts.alignment.status,
        "reasons": "; ".join((*facts.alignment.reasons, *facts.remarks)),
        "t0_s": facts.t0_s,
        "rise_s": facts.alignment.rise_s,
        "fall_s": facts.alignment.fall_s,
        "duration_s": facts.duration_s,
        "simulated": any(stream.simulated for stream in recording.streams),
    }
    out = trial_path.with_name(trial_path.name.removesuffix(".h5") + ".derived.h5")
    inputs = derived_inputs(trial_path, session, basis.inputs, nexus)
    write_derived(out, groups, inputs, attributes)
    log.info("%s: clocks %s", out.name, facts.alignment.status)
    return out


def derived_inputs(
    trial_path: Path,
    session: SessionClocks | None = None,
    basis: Mapping[str, str] | None = None,
    nexus: Path | None = None,
) -> dict[str, str]:
    """Return the hashes of everything a derived file is made from, by name."""
    return {
        **({f"{NEXUS}{nexus.name}": sha256(nexus)} if nexus else {}),
        **(session.inputs(trial_path) if session else {}),
        **(basis_inputs(trial_path) if basis is None else basis),
        trial_path.name: sha256(trial_path),
    }


def quality_group(facts: TrialFacts) -> Group:
    """Return what is missing or odd, stream by stream and marker by marker."""
    groups: dict[str, Group] = {}
    markers, at = joined_markers(facts)
    inside = (at >= 0) & (at <= facts.duration_s)
    if markers:
        names = np.array(list(markers), dtype=object)
        hidden = [float(np.isnan(m[inside, 0]).mean()) for m in markers.values()]
        groups["markers"] = Group({"label": names, "occluded_share": np.array(hidden)})
    if "semg" in facts.recording:
        stream, at = facts.recording["semg"], facts.time_s("semg")
        inside = (at >= 0) & (at <= facts.duration_s)
        muscles = [label for label in stream.labels if label[:2] in ("R_", "L_")]
        rows = np.stack([stream.column(m)[inside] for m in muscles], axis=1)
        groups["semg"] = Group(
            {
                "label": np.array(muscles, dtype=object),
                "rms_uv": np.sqrt(np.mean(np.square(rows, dtype=np.float64), axis=0)),
                "peak_uv": np.abs(rows).max(axis=0, initial=0.0).astype(np.float64),
            },
            units={"rms_uv": "uV", "peak_uv": "uV"},
        )
    lost = {
        f"{name} lost".replace(" ", "_"): int(clock.n_lost)
        for name, clock in facts.alignment.streams.items()
    }
    return Group(attributes={**lost}, groups=groups)
