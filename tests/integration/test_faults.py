"""Whatever dies, the rest goes on; losses are told by recorder, file and check."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acquire.control import ControlClient
from acquire.dataset.check import check_path
from acquire.rig import load_rig
from acquire.storage.recover import recover
from acquire.storage.xdf_reader import read_xdf
from acquire.supervise import ChildSpec, ChildStatus, Supervisor
from acquire.virtual_lab import VirtualLab
from tests.builders.lsl_source import Source, spec
from tests.builders.recorder_process import RecorderProcess, within

ROOT = Path(__file__).resolve().parents[2]
PUBLISHER = ROOT / "tests" / "builders" / "lsl_source.py"


@pytest.fixture
def recorder(lsl_session: str, tmp_path: Path) -> Iterator[RecorderProcess]:
    with RecorderProcess(tmp_path / "run", lsl_session) as running:
        yield running


def codes(path: Path) -> dict[str, str]:
    """Return what `kinemuse check` finds: code → where and messages."""
    found: dict[str, str] = {}
    for finding in check_path(path):
        said = f"{finding.where} {finding.message}"
        found[finding.code] = f"{found.get(finding.code, '')}{said}\n"
    return found


def lost(path: Path, name: str) -> int:
    """Count missing samples from the counter in the file, by our own arithmetic."""
    index = read_xdf(path)[name].column("index").astype(np.int64)
    return int(np.sum(np.diff(index) - 1))


def test_killing_the_window_costs_no_sample(
    recorder: RecorderProcess, lsl_session: str, tmp_path: Path
) -> None:
    out = tmp_path / "a.xdf"
    rig = load_rig()
    lsl_of_rig = rig.lsl.model_copy(update={"session_id": lsl_session})
    rig_file = tmp_path / "rig.yaml"
    rig_file.write_text(rig.model_copy(update={"lsl": lsl_of_rig}).to_yaml())
    picture = tmp_path / "seen.png"
    command = [sys.executable, "-m", "gui", "--runtime", str(tmp_path / "run")]
    with Source(spec("fw-semg", 1000.0)):
        recorder.record(out, "fw-semg")
        window = subprocess.Popen(
            [*command, "--rig", str(rig_file), "--screenshot", str(picture)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            cwd=ROOT,
        )
        time.sleep(3.0)
        assert window.poll() is None, "the window did not open"
        window.kill()
        assert window.wait(5.0) == -signal.SIGKILL
        time.sleep(0.5)
        said = recorder.stop()
    assert said == {"state": "verified", "problems": [], "warnings": []}
    assert lost(out, "fw-semg") == 0
    assert "stream-gap" not in codes(out)


@pytest.mark.slow
def test_killing_an_adapter_costs_only_its_own_samples(
    lsl_session: str, tmp_path: Path
) -> None:
    rig = load_rig()
    devices = {name: rig.devices[name] for name in ("noraxon", "amode")}
    changes = {"devices": devices, "treadmill": None, "capture": None}
    told: list[ChildStatus] = []
    with VirtualLab(rig.model_copy(update=changes), free_ports=True) as lab:
        rig_file = tmp_path / "rig.yaml"
        rig_file.write_text(lab.rig.to_yaml(), encoding="utf-8")
        common = ("--session-id", lsl_session, "--runtime", str(tmp_path / "run"))
        hosts = [
            ChildSpec(
                name,
                "acquire.device_host",
                ("--rig", str(rig_file), "--device", name, *common),
            )
            for name in devices
        ]
        out = tmp_path / "a.xdf"
        with (
            Supervisor(hosts, tmp_path / "log", on_restart=told.append) as adapters,
            RecorderProcess(tmp_path / "run", lsl_session) as recorder,
        ):
            recorder.record(out, "semg", "amode", wait_s=15.0)
            time.sleep(0.5)
            pid = adapters.status()["amode"].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert within(5.0, lambda: "stream_stalled" in recorder.events())
            assert recorder.silent_s("amode") < 1.0
            assert within(30.0, lambda: "stream_back" in recorder.events())
            assert within(5.0, lambda: "stream_restarted" in recorder.events())
            time.sleep(0.5)
            said = recorder.stop()
    assert said["state"] == "verified"
    assert [status.name for status in told] == ["amode"]
    assert lost(out, "semg") == 0
    recording = read_xdf(out)
    seq = recording["amode"].column("seq").astype(np.int64)
    n_missing = int(np.sum((np.diff(seq) - 1) % 2**15))
    assert n_missing > 5
    assert f"amode: {n_missing} samples lost" in said["warnings"]
    found = codes(out)
    assert f"{n_missing} samples are missing" in found["stream-gap"]
    assert "amode" in found["stream-interrupted"]
    assert "amode" in found["stream-restarted"]


def test_a_killed_recorder_is_started_again_and_its_file_recovered(
    lsl_session: str, tmp_path: Path
) -> None:
    common = ("--session-id", lsl_session, "--runtime", str(tmp_path / "run"))
    first, second = tmp_path / "take1.xdf", tmp_path / "take2.xdf"
    child = ChildSpec("recorder", "acquire.recorder", common)
    (tmp_path / "run").mkdir()
    client = ControlClient("recorder", tmp_path / "run")
    with (
        Source(spec("fr-semg", 1000.0)) as source,
        Supervisor([child], tmp_path / "log") as supervisor,
    ):
        assert within(15.0, lambda: (tmp_path / "run" / "recorder.json").exists())
        arm = {"out": str(first), "required": ["fr-semg"]}
        assert client.request("arm", 20.0, **arm)["ready"]
        client.request("start", 10.0)
        time.sleep(1.5)
        n_sent = source.n_pushed
        pid = supervisor.status()["recorder"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        facts = tmp_path / "run" / "recorder.json"
        assert within(20.0, lambda: f'"pid": {pid}' not in facts.read_text())
        assert client.request("snapshot", 5.0)["state"] == "idle"
        assert client.request("arm", 20.0, **{**arm, "out": str(second)})["ready"]
        client.request("start", 10.0)
        time.sleep(0.3)
        assert client.request("stop", 20.0)["state"] == "verified"
    client.close()
    found = codes(first)
    assert "cut off" in found["recording-incomplete"]
    index = read_xdf(first)["fr-semg"].column("index")
    assert np.all(np.diff(index) == 1)
    assert index[-1] > n_sent - 1000
    (recovered, _) = recover(tmp_path)
    assert (recovered.recording, recovered.complete) == (first, False)
    assert recovered.n_samples >= len(index)
    assert "recording-incomplete" in codes(first.with_suffix(".h5"))


def test_a_restarted_outlet_is_told_within_a_second(
    recorder: RecorderProcess, tmp_path: Path
) -> None:
    out = tmp_path / "a.xdf"
    with Source(spec("fo-semg", 1000.0)):
        recorder.record(out, "fo-semg")
        time.sleep(0.5)
    with Source(spec("fo-semg", 1000.0), first=100_000):
        assert within(5.0, lambda: "stream_stalled" in recorder.events())
        assert recorder.silent_s("fo-semg") < 1.0
        assert within(5.0, lambda: "stream_restarted" in recorder.events())
        assert within(20.0, lambda: recorder.stream("fo-semg")["n_restarts"])
        time.sleep(0.3)
        said = recorder.stop()
    assert said["state"] == "verified"
    assert "fo-semg: its numbering restarted" in said["warnings"]
    found = codes(out)
    assert "fo-semg" in found["stream-restarted"]
    assert "was silent" in found["stream-interrupted"]


def test_two_outlets_with_one_id_are_told_and_block_the_next_start(
    recorder: RecorderProcess, lsl_session: str, tmp_path: Path
) -> None:
    with Source(spec("fd-semg", 1000.0)):
        recorder.record(tmp_path / "a.xdf", "fd-semg")
        command = [sys.executable, str(PUBLISHER), lsl_session, "fd-semg"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as twin:
            assert within(20.0, lambda: "stream_duplicated" in recorder.events())
            problems = str(recorder.snapshot()["problems"])
            assert "two outlets publish the source id kinemuse:dev" in problems
            assert recorder.stop()["state"] == "verified"
            arm = {"out": str(tmp_path / "b.xdf"), "required": ["fd-semg"]}
            said = recorder.client.request("arm", 10.0, **arm, wait_s=1.0)
            assert "two outlets publish" in str(said["problems"])
            twin.communicate(timeout=5)
    assert lost(tmp_path / "a.xdf", "fd-semg") == 0


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="gives a process another computer's name",
)
def test_another_computer_under_our_names_is_kept_out(
    recorder: RecorderProcess, lsl_session: str, tmp_path: Path
) -> None:
    renamed = f'hostname stranger && exec "{sys.executable}" "{PUBLISHER}" "$@"'
    command = ["unshare", "--uts", "sh", "-c", renamed, "sh", lsl_session, "ff-semg"]
    expected = {"ff-semg": "kinemuse:dev:0:ff-semg"}
    arm = {"out": str(tmp_path / "a.xdf"), "required": ["ff-semg"]}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"ready\n"
        said = recorder.client.request(
            "arm", 10.0, **arm, expected=expected, wait_s=3.0
        )
        assert "ff-semg comes from kinemuse:dev:0:ff-semg on stranger" in str(said)
        with Source(spec("ff-semg", 1000.0)):
            assert within(20.0, lambda: recorder.stream("ff-semg").get("n_received", 0))
            assert recorder.stream("ff-semg")["hostname"] == socket.gethostname()
        stranger.communicate(timeout=5)


def test_what_was_overridden_and_what_came_late_stays_in_the_file(
    recorder: RecorderProcess, tmp_path: Path
) -> None:
    out = tmp_path / "a.xdf"
    arm = {"out": str(out), "required": ["fm-semg", "fm-force"]}
    with Source(spec("fm-semg", 1000.0)):
        said = recorder.client.request("arm", 10.0, **arm, wait_s=3.0)
        assert "fm-force is not on the network" in said["problems"]
        reason = "force plate under repair"
        recorder.client.request("start", 10.0, override_reason=reason)
        with Source(spec("fm-force", 500.0)):
            assert within(20.0, lambda: recorder.stream("fm-force").get("n_samples", 0))
            assert recorder.stop()["state"] == "verified"
    found = codes(out)
    told = found["recording-overridden"]
    assert "fm-force is not on the network" in told
    assert reason in told
    assert "fm-force joined" in found["stream-late"].replace(f"{out.name}:", "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a tmpfs")
def test_a_disk_that_somebody_else_fills(lsl_session: str, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", mount],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted: {made.stderr!r}")
    out = mount / "a.xdf"
    try:
        with (
            RecorderProcess(tmp_path / "run", lsl_session) as recorder,
            Source(spec("ft-semg", 1000.0)),
        ):
            recorder.record(out, "ft-semg")
            assert recorder.snapshot()["disk_minutes_left"] > 60
            with (mount / "other").open("wb") as other:
                os.posix_fallocate(other.fileno(), 0, 620 * 1024 * 1024)
            assert within(15.0, lambda: recorder.snapshot()["state"] == "verified")
            said = recorder.stop()
        assert said["state"] == "verified"
        assert "stopped before the disk was full" in said["problems"][0]
        assert read_xdf(out).complete
        assert "nearly full" in codes(out)["recording-disk"]
    finally:
        subprocess.run(["umount", mount], check=True)
