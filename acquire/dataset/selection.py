"""Which takes belong in a subject file: those whose last verdict was yes."""

from dataclasses import dataclass, replace
from pathlib import Path

from acquire.storage.journal import read_journal
from acquire.storage.labels import (
    CONDITIONS,
    PUBLISHED_CONDITIONS,
    slope_deg,
    speed_mps,
)
from acquire.storage.layout import TrialKey, find_archives, find_trials


@dataclass(frozen=True)
class Selection:
    """Archives to build from, in the file's order, and why others are left out."""

    archives: dict[TrialKey, Path]
    left_out: dict[TrialKey, str]


def verdicts(dataset: Path, participant: str) -> dict[TrialKey, tuple[bool, str]]:
    """Return the last verdict on every take, and its reason, from all journals."""
    found: dict[TrialKey, tuple[bool, str]] = {}
    for journal in sorted((dataset / "raw" / participant).glob("*/journal.jsonl")):
        for line in read_journal(journal):
            if line.get("event") != "verdict" or "take" not in line:
                continue
            key = TrialKey(
                participant=str(line["participant"]),
                session=str(line["session"]),
                condition=str(line["condition"]),
                mode=str(line["mode"]),
                speed=str(line["speed"]),
                trial=int(line["trial"]),
                take=int(line["take"]),
            )
            found[key] = bool(line.get("accepted")), str(line.get("reason", ""))
    return found


def select(
    dataset: Path, participant: str, *, own_conditions: bool = False
) -> Selection:
    """Choose one accepted take per trial; of several the newest.

    Conditions that the published files do not know are left out unless asked for.
    """
    judged = verdicts(dataset, participant)
    wanted = CONDITIONS if own_conditions else PUBLISHED_CONDITIONS
    archives = find_archives(dataset, participant)
    chosen: dict[TrialKey, TrialKey] = {}
    left_out: dict[TrialKey, str] = {}
    for key in find_trials(dataset, participant):
        accepted, reason = judged.get(key, (False, ""))
        if key.is_calibration:
            continue
        if key.condition not in wanted:
            left_out[key] = f"condition {key.condition} is not one of the published"
        elif key not in judged:
            left_out[key] = "no verdict in the session journal"
        elif not accepted:
            left_out[key] = f"rejected: {reason}" if reason else "rejected"
        elif key not in archives:
            left_out[key] = "accepted, but its recording was never archived"
        else:
            trial = replace(key, session="2000-01-01_1", take=1)
            if trial in chosen:
                left_out[chosen[trial]] = "replaced by a newer take"
            chosen[trial] = key
    order = sorted(chosen.values(), key=_place)
    return Selection({key: archives[key] for key in order}, left_out)


def _place(key: TrialKey) -> tuple[int, float, float, int]:
    return (
        CONDITIONS.index(key.condition),
        slope_deg(key.mode),
        speed_mps(key.speed),
        key.trial,
    )
