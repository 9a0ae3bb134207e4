"""The twin as a process of its own, and what it says when a port is taken."""

import json
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from devices.sim.config import LabConfig
from devices.sim.lab import LabServer, LocalLab
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.twin import ViconTwin
from tests.builders.vicon_twin import Collected, collect, frames, lab_config


def test_from_ready_line_to_clean_end() -> None:
    server = LabServer(LabConfig(), 0, None)
    server.start()
    command = [sys.executable, "-m", "devices.vicon.twin", "--name", "vicon"]
    command += ["--lab", f"127.0.0.1:{server.port}", "--port", "0"]
    with closing(server), subprocess.Popen(command, stdout=subprocess.PIPE) as twin:
        assert twin.stdout is not None
        ready = json.loads(twin.stdout.readline())
        assert ready["ready"] is True
        settings = {"port": ready["port"], "capture": {"port": ready["capture_port"]}}
        config = ViconConfig.model_validate(settings)
        adapter = ViconAdapter("vicon", config, time.perf_counter)
        with closing(adapter):
            seen = Collected(adapter.connect(10.0))
            adapter.start()
            collect(adapter, seen, frames(20))
        twin.send_signal(signal.SIGTERM)
        assert twin.wait(10.0) == 0


def test_taken_ports_are_named() -> None:
    lab = LocalLab(lab_config())
    with closing(ViconTwin(lab, "vicon", 0)) as twin:
        message = f"TCP port {twin.port} of 127.0.0.1 is not free"
        with pytest.raises(OSError, match=message):
            ViconTwin(lab, "vicon", twin.port)
        taken = lab_config(options={"capture_port": twin.capture.port})
        message = f"UDP port {twin.capture.port} of 127.0.0.1.*capture_port"
        with pytest.raises(OSError, match=message):
            ViconTwin(LocalLab(taken), "vicon", 0)
