import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acquire.control import ControlClient, ControlRefusedError
from acquire.storage.xdf_reader import read_xdf
from tests.builders.lsl_source import Source, spec


def started(runtime: Path, session: str) -> subprocess.Popen[bytes]:
    arguments = ["--runtime", str(runtime), "--session-id", session]
    process = subprocess.Popen([sys.executable, "-m", "acquire.recorder", *arguments])
    end = time.monotonic() + 10.0
    while not (runtime / "recorder.json").exists() and time.monotonic() < end:
        time.sleep(0.05)
    return process


def test_verbs_and_a_clean_end_on_sigterm(lsl_session: str, tmp_path: Path) -> None:
    out = tmp_path / "trial.xdf"
    process = started(tmp_path, lsl_session)
    client = ControlClient("recorder", tmp_path)
    try:
        assert client.request("snapshot")["state"] == "idle"
        with Source(spec("rp-a", 1000.0)) as source:
            reply = client.request("arm", 15.0, out=str(out), required=["rp-a"])
            assert reply == {"ready": True, "problems": []}
            assert client.request("start", 10.0) == {"state": "recording"}
            with pytest.raises(ControlRefusedError, match="while recording"):
                client.request("start", 10.0)
            client.request("note", event="verdict", facts={"accepted": True})
            time.sleep(0.5)
            assert json.loads((tmp_path / "recorder.json").read_text())["name"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(10.0) == 0
            assert source.n_pushed > 0
    finally:
        client.close()
        process.kill()
        process.wait()
    recording = read_xdf(out)
    assert recording.complete
    assert recording.problems == ()
    notes = [json.loads(row[0])["event"] for row in recording["kinemuse-recorder"].data]
    assert "verdict" in notes
    assert len(recording["rp-a"].t_lsl) > 300


def test_killed_in_mid_write_the_file_stays_readable(
    lsl_session: str, tmp_path: Path
) -> None:
    out = tmp_path / "trial.xdf"
    process = started(tmp_path, lsl_session)
    client = ControlClient("recorder", tmp_path)
    try:
        with Source(spec("rk-a", 1000.0)):
            client.request("arm", 15.0, out=str(out), required=["rk-a"])
            client.request("start", 10.0)
            time.sleep(1.2)
            seen = client.request("snapshot")["streams"][0]["n_samples"]
            process.kill()
            process.wait(5.0)
    finally:
        client.close()
        process.kill()
        process.wait()
    recording = read_xdf(out)
    assert not recording.complete
    assert len(recording["rk-a"].t_lsl) > seen - 200
