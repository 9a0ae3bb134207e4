"""Checks of who took part, and of a session against its protocol."""

from collections.abc import Iterator
from pathlib import Path

from acquire.dataset.checks.codes import found
from acquire.dataset.participant_rules import findings_of
from acquire.dataset.participants import ParticipantError, read_participants
from acquire.dataset.selection import verdicts
from acquire.findings import Finding
from acquire.storage.errors import LayoutError
from acquire.storage.labels import speed_label
from acquire.storage.layout import find_participants
from protocols.errors import ProtocolError, ProtocolFileError
from protocols.expansion import timeline
from protocols.schema import ProtocolDefinition, parse_protocol
from protocols.timeline import TrialPlan

SHOWN = 5  #: trials that a finding names
Place = tuple[str, str, str, int]  #: condition, mode, speed, trial


def participant_findings(root: Path) -> Iterator[Finding]:
    """Check the table of participants, and that everyone recorded is in it."""
    try:
        people = read_participants(root)
    except (ParticipantError, LayoutError, ValueError, OSError) as error:
        yield found("participant-table", "participants.tsv", str(error))
        return
    for name in find_participants(root):
        if name not in people:
            yield found("participant-unlisted", "participants.tsv", f"has no {name}")
    for person in people.values():
        yield from findings_of(person)


def protocol_findings(root: Path, participant: str) -> Iterator[Finding]:
    """Compare the accepted trials of each session with its protocol."""
    accepted: dict[str, set[Place]] = {}
    for key, (yes, _) in verdicts(root, participant).items():
        if yes:
            place = (key.condition, key.mode, key.speed, key.trial)
            accepted.setdefault(key.session, set()).add(place)
    for folder in sorted((root / "raw" / participant).glob("*_*")):
        path = folder / "protocol.yaml"
        if not path.is_file():
            continue  # imported trials had none
        where = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        if not _says_anything(text):
            continue
        try:
            protocol = parse_protocol(text, source=path.name)
            planned, needed = _planned(protocol, participant)
        except (ProtocolFileError, ProtocolError) as error:
            yield found("protocol-unreadable", where, str(error))
            continue
        there = accepted.get(folder.name, set())
        session = folder.relative_to(root).as_posix()
        if missing := sorted(needed - there):
            yield found(
                "protocol-missing", session, _named("no accepted take of", missing)
            )
        if extra := sorted(there - planned):
            yield found("protocol-extra", session, _named("the protocol has no", extra))


def _says_anything(text: str) -> bool:
    """Whether a file holds more than remarks."""
    return any(
        line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()
    )


def _planned(
    protocol: ProtocolDefinition, participant: str
) -> tuple[set[Place], set[Place]]:
    """Return all recorded trials, and those that no rule and no choice leaves out."""
    planned, needed = set(), set()
    for entry in timeline(protocol, participant):
        trial = entry.action
        if not isinstance(trial, TrialPlan) or not trial.recorded:
            continue
        speed = "" if trial.is_calibration else speed_label(trial.speed_mps)
        place = (trial.condition, trial.mode, speed, trial.number)
        planned.add(place)
        if entry.stop is None and not any("optional" in name for name in entry.groups):
            needed.add(place)
    return planned, needed


def _named(what: str, places: list[Place]) -> str:
    some = ", ".join(
        f"{'/'.join(p for p in place[:3] if p)} {place[3]}" for place in places[:SHOWN]
    )
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f"{what} {some}{more}"
