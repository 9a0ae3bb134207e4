"""A session goes on where it was cut off, and never beside another one."""

from pathlib import Path

import pytest

from acquire.control import ControlServer
from acquire.rig import VIRTUAL_LAB, RigConfig, load_rig
from acquire.session import Session
from acquire.session_folder import (
    SessionFolder,
    interrupted_session,
    verified_takes,
)
from acquire.session_plan import SessionError, SessionPlan
from acquire.storage.journal import Journal, read_journal
from acquire.storage.layout import TrialKey
from protocols.replay import replay
from protocols.schema import protocol_text

PROTOCOL = protocol_text("demo")


def plan(folder: Path, rig: RigConfig | None = None) -> SessionPlan:
    return SessionPlan(
        rig=rig or load_rig(VIRTUAL_LAB),
        protocol_text=PROTOCOL,
        protocol_source="demo",
        dataset=folder / "dataset",
        participant="P43",
        runtime_dir=folder / "runtime",
    )


def journal(folder: Path, *events: str) -> str | None:
    """Write a session's journal; return which session would be resumed."""
    session = folder / "raw" / "P43" / "2026-11-22_1"
    session.mkdir(parents=True)
    (session / "protocol.yaml").write_text(PROTOCOL, encoding="utf-8")
    with Journal(session / "journal.jsonl", clock=lambda: 0.0) as lines:
        for event in events:
            lines.append(event)
    return interrupted_session(folder, "P43", PROTOCOL)


@pytest.mark.parametrize(("state", "goes_on"), [("failed", True), ("finished", False)])
def test_a_session_that_failed_goes_on_if_asked_to(
    tmp_path: Path, state: str, goes_on: bool
) -> None:
    assert journal(tmp_path, "session_start") == "2026-11-22_1"
    folder = tmp_path / "raw" / "P43" / "2026-11-22_1"
    with Journal(folder / "journal.jsonl", clock=lambda: 0.0) as lines:
        lines.append("state", state=state)
        lines.append("session_end")
    found = interrupted_session(tmp_path, "P43", PROTOCOL, although_ended=True)
    assert found == ("2026-11-22_1" if goes_on else None)
    assert interrupted_session(tmp_path, "P43", PROTOCOL) is None


@pytest.mark.parametrize(
    ("events", "goes_on"),
    [
        (("session_start", "state"), True),
        (("session_start", "session_end"), False),
        (("session_start", "session_end", "trial_done"), False),
        (("session_start", "session_end", "session_resume", "state"), True),
        ((), False),
    ],
)
def test_only_a_session_without_an_end_is_resumed(
    tmp_path: Path, events: tuple[str, ...], goes_on: bool
) -> None:
    assert journal(tmp_path, *events) == ("2026-11-22_1" if goes_on else None)


def test_a_second_session_of_the_same_rig_is_refused(tmp_path: Path) -> None:
    with (
        ControlServer("session", {}, tmp_path / "runtime"),
        pytest.raises(SessionError, match="runs already"),
    ):
        Session(plan(tmp_path))


def test_a_resumed_session_uses_the_rig_of_today(tmp_path: Path) -> None:
    first = SessionFolder(plan(tmp_path), "demo")
    first.write()
    with Journal(first.journal, clock=lambda: 0.0) as lines:
        lines.append("session_start")
    moved = load_rig(VIRTUAL_LAB).model_copy(update={"name": "moved"})
    again = SessionFolder(plan(tmp_path, moved), "demo")
    assert again.resumes
    again.write()
    kept = again.path / "rig_before_resume_1.yaml"
    assert again.rig_file.read_text("utf-8") == moved.to_yaml()
    assert kept.read_text("utf-8") == load_rig(VIRTUAL_LAB).to_yaml()


def test_a_line_that_a_killed_session_left_high_is_known(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, clock=lambda: 0.0) as lines:
        lines.append("state", state="raising", trial="Ideal LG_0 1.0 m/s trial 1")
        assert replay(read_journal(path)).line_high == "Ideal LG_0 1.0 m/s trial 1"
        lines.append("trial_start", trial="Ideal LG_0 1.0 m/s trial 1")
        assert replay(read_journal(path)).line_high == "Ideal LG_0 1.0 m/s trial 1"
        lines.append("trial_stop", trial="Ideal LG_0 1.0 m/s trial 1")
        lines.append("state", state="low_after", trial="Ideal LG_0 1.0 m/s trial 1")
    assert not replay(read_journal(path)).line_high


def test_takes_that_were_recorded_to_their_end_are_known(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    keys = [TrialKey("P43", "2026-11-22_1", "Ideal", "DS_5", "S_1", k) for k in (1, 2)]
    with Journal(path, clock=lambda: 0.0) as lines:
        for key in keys:
            lines.append("trial_armed", **key.attributes(), facing="reversed")
        lines.append("trial_done", **keys[0].attributes(), state="verified")
        lines.append("trial_done", **keys[1].attributes(), state="failed")
    assert verified_takes(path) == {keys[0]: "reversed"}
