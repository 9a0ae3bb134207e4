"""The side-car of a subject file: origin, profile, what is absent."""

import json
from pathlib import Path
from typing import Any

from acquire.dataset.k2muse import Profile
from acquire.dataset.selection import Selection
from acquire.findings import Finding
from acquire.storage.durable import write_text_atomically
from acquire.storage.layout import TrialKey
from acquire.storage.provenance import code_version


def write_sidecar(
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
