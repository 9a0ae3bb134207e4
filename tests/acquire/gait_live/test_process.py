"""The live gait process says what it waits for, and ends when it is told to."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acquire.control import ControlClient, ControlError
from tests.builders.live_fakes import until


@pytest.mark.parametrize("end", ["shutdown", "signal"])
def test_waits_for_a_session_until_told_to_stop(
    lsl_session: str, tmp_path: Path, end: str
) -> None:
    client = ControlClient("gait-live", tmp_path)
    command = [sys.executable, "-m", "acquire.gait_live", "--session-id", lsl_session]
    visit = ["--dataset", tmp_path, "--participant", "P43", "--session", "2026-11-23_1"]
    process = subprocess.Popen([*command, *visit, "--runtime", tmp_path])
    said: dict[str, Any] = {}

    def answers() -> bool:
        try:
            said.update(client.request("snapshot", 1.0))
        except ControlError:
            return False
        return True

    try:
        until(answers, 60.0)
        assert said["state"] == "waiting"
        if end == "shutdown":
            client.request("shutdown", 2.0)
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20.0) == 0
    finally:
        process.kill()
        process.wait(5.0)
        client.close()
