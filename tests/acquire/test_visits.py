"""How long ago a participant was here."""

import datetime as dt
from pathlib import Path

import pytest

from acquire.storage.journal import Journal
from acquire.visits import days_since


def visit(dataset: Path, name: str, days_ago: float, **verdict: object) -> None:
    folder = dataset / "raw" / "P43" / name
    folder.mkdir(parents=True)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    with Journal(folder / "journal.jsonl", lambda: 0.0, lambda: at) as journal:
        journal.append("session_start")
        journal.append("verdict", **{"accepted": True, "condition": "Ideal", **verdict})


def test_days_since_the_newest_accepted_trial(tmp_path: Path) -> None:
    visit(tmp_path, "2026-11-01_1", 12.0)
    visit(tmp_path, "2026-11-06_1", 7.0)
    visit(tmp_path, "2026-11-07_1", 6.0, accepted=False)
    visit(tmp_path, "2026-11-08_1", 5.0, condition="Fatigue")
    visit(tmp_path, "2026-11-13_1", 0.0)
    found = days_since(tmp_path, "P43", "Ideal", before="2026-11-13_1")
    assert found == pytest.approx(7.0, abs=0.01)


def test_a_first_visit_has_no_gap(tmp_path: Path) -> None:
    assert days_since(tmp_path, "P43", "Ideal", before="2026-11-13_1") is None
    visit(tmp_path, "2026-11-13_1", 0.0)
    assert days_since(tmp_path, "P43", "Ideal", before="2026-11-13_1") is None
