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
    server = ControlServer("vicon", {}, tmp_path)
    server.start()
    return server


def test_a_session_refuses_beside_other_adapters(
    other: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_devices, "OTHERS_END_S", 0.2)
    assert running(["vicon", "semg"], tmp_path) == ["vicon"]
    with pytest.raises(SessionError, match=r"already for vicon: end `kinemuse stream`"):
        wait_for_others(["vicon", "semg"], tmp_path)
    other.close()


def test_a_session_waits_for_the_adapters_of_one_that_was_killed(
    other: ControlServer, tmp_path: Path
) -> None:
    ends = threading.Timer(0.3, other.close)
    ends.start()
    wait_for_others(["vicon"], tmp_path)
    assert running(["vicon"], tmp_path) == []
    ends.join()


def test_a_second_stream_is_refused(
    other: ControlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laboratory, "runtime_dir", lambda _: tmp_path)
    result = CliRunner().invoke(app, ["stream"])
    assert result.exit_code == 1
    assert "already for vicon" in str(result.exception)
    other.close()
