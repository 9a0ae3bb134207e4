"""A dataset folder on disk: sessions, archives, verdicts, participants."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from acquire.storage.layout import TrialKey, claim_dataset
from acquire.storage.trial_file import write_trial
from tests.builders.walking import PIVOT_M, Session, Walk, session

SESSION = "2026-11-22_1"
RIG = {
    "rig": 1,
    "name": "test",
    "lab": {"plates": {"pivot_m": PIVOT_M.tolist(), "plates_follow_deck": True}},
}
PERSON = {
    "participant_id": "P43",
    "sex": "F",
    "age_y": "30",
    "height_mm": "1760",
    "mass_kg": "72.0",
    "marker_diameter_mm": "14",
}


def key(trial: int = 1, take: int = 1, **changes: Any) -> TrialKey:
    first = TrialKey("P43", SESSION, "Ideal", "LG_0", "S_1", trial, take)
    return replace(first, **changes)


def archive(root: Path, trial: TrialKey, recorded: Session) -> Path:
    """Write the archive of one take; its recording stays only in memory."""
    path = trial.h5(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".xdf")
    source.write_bytes(b"XDF:")
    facing = "forward" if recorded.walk.facing > 0 else "reversed"
    attributes = {**trial.attributes(), "facing": facing}
    recording = replace(recorded.recording, path=source, attributes={})
    return write_trial(
        recording, path, attributes, provenance={"rig": yaml.safe_dump(RIG)}
    )


def dataset(root: Path, *, simulated: bool = True) -> Path:
    """Make a dataset without trials."""
    claim_dataset(root, simulated=simulated)
    folder = root / "raw" / "P43" / SESSION
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "session.json").write_text(json.dumps({"simulated": simulated}))
    lines = ["\t".join(PERSON), "\t".join(PERSON.values())]
    (root / "participants.tsv").write_text("\n".join(lines) + "\n")
    return root


def verdict(root: Path, trial: TrialKey, accepted: bool) -> None:
    """Append a verdict to the session's journal."""
    path = root / "raw" / trial.participant / trial.session / "journal.jsonl"
    earlier = path.read_text().count("\n") if path.exists() else 0
    line = {
        "seq": earlier,
        "wall": "2026-11-22T21:00:00.000Z",
        "t_lsl": 1.0 * earlier,
        "event": "verdict",
        **trial.attributes(),
        "trial_name": "x",
        "accepted": accepted,
        "reason": "accept" if accepted else "repeat",
    }
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def small(**changes: Any) -> Session:
    return session(Walk(duration_s=9.0), **changes)
