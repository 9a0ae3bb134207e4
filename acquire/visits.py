"""Earlier visits of a participant, as the dataset knows them."""

import datetime as dt
from pathlib import Path

from acquire.storage.journal import read_journal


def days_since(
    dataset: Path, participant: str, condition: str, *, before: str
) -> float | None:
    """Days from the last accepted trial of a condition, in another session, to now.

    None where there is none. A session's clock time is that of its journal.
    """
    newest: dt.datetime | None = None
    for journal in (dataset / "raw" / participant).glob("*/journal.jsonl"):
        if journal.parent.name == before:
            continue
        for line in read_journal(journal):
            accepted = line.get("event") == "verdict" and line.get("accepted")
            if accepted and line.get("condition") == condition:
                at = dt.datetime.fromisoformat(str(line["wall"]))
                newest = at if newest is None else max(newest, at)
    if newest is None:
        return None
    return (dt.datetime.now(dt.UTC) - newest).total_seconds() / 86400.0
