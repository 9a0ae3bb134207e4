"""Two adapters of one instrument would take each other's samples."""

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acquire import session_devices
from acquire.cli import app
from acquire.commands import laboratory
from acquire.control import ControlServer
from acquire.session_devices import running, wait_for_others
from acquire.session_plan import SessionError


@pytest.fixture
def other(tmp_path: Path) -> ControlServer:
    """The adapter of another terminal."""
    server = ControlServer("vicon", {"snapshot": lambda _: {}}, tmp_path)
    server.start()
    return server


@pytest.fixture
def orphan(tmp_path: Path) -> ControlServer:
    """The treadmill's adapter, left by a session that was killed."""
    answers = {"snapshot": lambda _: {"orphaned": True}}
    server = ControlServer("bertec", answers, tmp_path)
    server.start()
    return server


def test_a_session_refuses_beside_other_adapters(
    other: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_devices, "OTHERS_END_S", 0.2)
    assert running(["vicon", "semg"], tmp_path) == {"vicon": False}
    with pytest.raises(SessionError, match=r"already for vicon: end `kinemuse stream`"):
        wait_for_others(["vicon", "semg"], tmp_path)
    other.close()


def test_a_session_waits_for_the_adapters_of_one_that_was_killed(
    other: ControlServer, tmp_path: Path
) -> None:
    ends = threading.Timer(0.3, other.close)
    ends.start()
    wait_for_others(["vicon"], tmp_path)
    assert running(["vicon"], tmp_path) == {}
    ends.join()


def test_a_session_waits_longer_for_a_treadmill_that_was_left_alone(
    orphan: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_devices, "OTHERS_END_S", 0.0)
    ends = threading.Timer(0.3, orphan.close)
    ends.start()
    wait_for_others(["bertec"], tmp_path)
    ends.join()


def test_it_does_not_wait_for_ever(
    orphan: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_devices, "ORPHANS_END_S", 0.2)
    with pytest.raises(SessionError, match="already for bertec"):
        wait_for_others(["bertec"], tmp_path)
    orphan.close()


def test_a_second_stream_is_refused(
    other: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laboratory, "runtime_dir", lambda _: tmp_path)
    result = CliRunner().invoke(app, ["stream"])
    assert result.exit_code == 1
    assert "already for vicon" in str(result.exception)
    other.close()
