"""Wrong input ends in one clear line and exit 2 or 1, never in a traceback."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from acquire.control import ControlClient, ControlError

RIG = "rig: 1\nname: bad\ntreadmill: null\ncapture: null\ndevices:\n"


def kinemuse(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "acquire", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_clear(
    result: subprocess.CompletedProcess[str], status: int, *says: str
) -> None:
    said = result.stdout + result.stderr
    assert result.returncode == status, said
    assert "Traceback" not in said
    for words in says:
        assert words in said


def test_misspelt_key_in_a_rig(tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    rig.write_text(RIG + "  semg: {kind: noraxon, prot: 9220}\n")
    result = kinemuse("plan", "demo", "--rig", rig)
    assert_clear(result, 2, "devices.semg.prot", "did you mean 'port'?")


def test_unknown_protocol_and_rig() -> None:
    assert_clear(kinemuse("plan", "demmo"), 2, "no protocol 'demmo'", "demo")
    result = kinemuse("plan", "demo", "--rig", "lab9.yaml")
    assert_clear(result, 2, "shipped rigs are virtual_lab")


def test_existing_output_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "walk.xdf"
    out.write_bytes(b"precious")
    assert_clear(kinemuse("record", "--out", out), 2, "walk.xdf exists")
    assert out.read_bytes() == b"precious"
    result = kinemuse("demo", "--out", tmp_path)
    assert_clear(result, 2, "is not empty")


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    cut = tmp_path / "cut.xdf"
    cut.write_bytes(b"XDF:\x01\x7f\x01")
    assert_clear(kinemuse("check", cut), 1, "cut.xdf")
    text = tmp_path / "notes.xdf"
    text.write_text("nothing of the kind")
    result = kinemuse("align", text)
    assert "Traceback" not in result.stderr
    assert result.returncode in (1, 2)
    assert_clear(kinemuse("check", tmp_path / "nowhere.h5"), 1, "nowhere.h5")


def test_build_of_nothing(tmp_path: Path) -> None:
    result = kinemuse("build", "--dataset", tmp_path, "--participant", "P43")
    assert result.returncode in (1, 2)
    assert "Traceback" not in result.stderr


def test_taken_port_names_the_option(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        rig = tmp_path / "rig.yaml"
        twin = (
            f"  semg: {{kind: noraxon, port: {port}}}\nlab: {{twins: {{semg: {{}}}}}}"
        )
        rig.write_text(RIG + twin)
        result = kinemuse("lab", "--rig", rig)
    assert_clear(result, 1, f"port {port} is taken", "devices.semg.port")


class NotATreadmill(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http_port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), NotATreadmill)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def device_says(tmp_path: Path, kind: str, port: int) -> str:
    """Return what a device process says of a peer that is not what it should be."""
    rig = tmp_path / "rig.yaml"
    rig.write_text(RIG + f"  dev: {{kind: {kind}, port: {port}}}\n")
    arguments = ["--rig", rig, "--device", "dev", "--runtime", tmp_path]
    arguments += ["--session-id", f"test-wrong-{os.getpid()}"]
    with subprocess.Popen(
        [sys.executable, "-m", "acquire.device_host", *map(str, arguments)],
        stderr=subprocess.DEVNULL,
    ) as host:
        client, reason = ControlClient("dev", tmp_path), ""
        try:
            for _ in range(600):
                try:
                    reason = str(client.request("snapshot", 2.0)["reason"])
                except ControlError:
                    reason = ""
                if reason:
                    break
                threading.Event().wait(0.05)
        finally:
            client.close()
            host.terminate()
    return reason


@pytest.mark.parametrize("kind", ["vicon", "bertec", "amode"])
def test_silent_server_is_called_silent(
    tmp_path: Path, kind: str, silent_port: int
) -> None:
    reason = device_says(tmp_path, kind, silent_port)
    assert str(silent_port) in reason or kind in reason.lower()


@pytest.mark.parametrize("kind", ["vicon", "bertec", "amode", "noraxon"])
def test_http_server_is_not_taken_for_an_instrument(
    tmp_path: Path, kind: str, http_port: int
) -> None:
    assert device_says(tmp_path, kind, http_port)


def test_no_such_port_names_the_setting(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reason = device_says(tmp_path, "bertec", port)
    assert f"127.0.0.1:{port}" in reason
    assert "port" in reason


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a tmpfs")
def test_full_disk_is_said_before_and_nothing_is_claimed(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted: {made.stderr!r}")
    try:
        result = kinemuse("record", "--out", mount / "a.xdf", "--seconds", "1")
        assert_clear(result, 1, "MB free")
        assert not (mount / "a.xdf").exists()
    finally:
        subprocess.run(["umount", mount], check=True)
