"""Twins as processes: the ready line, a clean end, and clear words when they cannot."""

import contextlib
import json
import signal
import socket
import subprocess
import sys

import pytest

from devices.registry import load
from devices.sim.config import LabConfig
from devices.sim.lab import LabServer

KINDS = ("bertec", "noraxon", "amode")


@pytest.fixture
def lab():
    server = LabServer(LabConfig(), 0, None)
    server.start()
    yield server
    server.close()


def start(kind, lab_port, *more):
    command = [sys.executable, "-m", load(kind).twin, "--lab", f"127.0.0.1:{lab_port}"]
    return subprocess.Popen(
        [*command, "--name", kind, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_twins_say_where_they_listen_and_end_on_sigterm_or_with_the_lab(lab):
    with contextlib.ExitStack() as stack:
        twins = [stack.enter_context(start(kind, lab.port)) for kind in KINDS]
        for process in twins:
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            assert ready["port"] > 0
        twins[0].send_signal(signal.SIGTERM)
        twins[1].send_signal(signal.SIGINT)
        assert twins[0].wait(10) == twins[1].wait(10) == 0
        lab.close()
        assert twins[2].wait(10) == 0
        assert [process.stderr.read() for process in twins] == ["", "", ""]


def test_a_taken_port_is_said(lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start("bertec", lab.port, "--port", str(port)) as process:
            assert process.wait(20) == 1
            assert "bertec: " in process.stderr.read()


def test_no_lab_is_said():
    with start("bertec", 1) as process:
        assert process.wait(20) == 1
        assert "no simulated lab" in process.stderr.read()
