"""The lab server and its clients: one history, agreed by all."""

import json
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from devices.errors import DeviceConnectionError
from devices.sim.config import LabConfig, PlateConfig, TwinConfig
from devices.sim.lab import LAG_S, LabClient, LabServer, LocalLab
from devices.sim.person import Person

BELTS = {
    "left_mps": 1.0,
    "right_mps": 1.0,
    "accel_left_mps2": 2.0,
    "accel_right_mps2": 2.0,
}


@pytest.fixture(name="server")
def _server(tmp_path):
    twins = {"vicon": TwinConfig(options={"a": 1})}
    server = LabServer(
        LabConfig(seed=7, twins=twins, plates=PlateConfig()), truth=tmp_path / "t.jsonl"
    )
    server.start()
    yield server
    server.close()


@pytest.fixture(name="client")
def _client(server):
    client = LabClient(server.address)
    yield client
    client.close()


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_config_and_history_reach_a_late_client(server, client):
    t_s = client.append("belts", BELTS)
    late = LabClient(server.address)
    until(lambda: late.history.inputs)
    assert late.config == server.config
    assert late.history.inputs[0].t_s == t_s
    assert t_s > client.world_now() + LAG_S - 1.0
    late.close()


def test_horizon_follows_world_time(client):
    until(lambda: client.horizon() > 0.05)
    assert client.horizon() <= client.world_now()
    client.append("fatigue", {"level": 0.5})
    assert client.history.inputs[-1].t_s > client.horizon()


def test_bad_input_is_the_senders_error(server, client):
    with pytest.raises(ValueError, match="left_mps"):
        client.append("belts", {})
    assert server.history.inputs == ()
    client.append("fatigue", {"level": 0.2})


@pytest.mark.parametrize(
    "line", [b"{nonsense", b"[1]", b'{"a":NaN}', b'{"append":5}', b"\xff\xfe", b"{}"]
)
def test_malformed_lines_are_answered_to_that_client_only(server, client, line):
    port = int(server.address.split(":")[1])
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        raw.sendall(line + b"\n")
        answers = b""
        while b'"error"' not in answers:
            data = raw.recv(65536)
            assert data
            answers += data
    assert client.alive
    assert client.append("fatigue", {"level": 0.1}) > 0


def test_clients_learn_that_the_lab_is_gone(server, client):
    server.close()
    until(lambda: not client.alive)
    with pytest.raises(DeviceConnectionError):
        client.append("fatigue", {"level": 0.1})


def test_no_lab_is_a_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with pytest.raises(DeviceConnectionError, match="no simulated lab"):
        LabClient(f"127.0.0.1:{free}", timeout_s=1)
    with pytest.raises(ValueError, match="host:port"):
        LabClient("nowhere")


def test_a_taken_port_names_the_option(server):
    with pytest.raises(OSError, match="--port"):
        LabServer(LabConfig(), port=server.port)


def test_faults_come_from_config_and_run_time(client):
    client.append("fault", {"device": "vicon", "fault": "drop", "n": 5})
    until(lambda: client.faults("vicon"))
    assert client.faults("vicon")[0].number("n", 0) == 5
    assert client.faults("amode") == []


def test_truth_file(server, client, tmp_path):
    client.append("belts", BELTS)
    client.append("line", {"high": True, "name": "x"})
    client.truth({"kind": "clock", "device": "vicon"})
    until(lambda: server.history.inputs[0].t_s + 1.2 < client.world_now())
    client.close()
    server.close()
    lines = (tmp_path / "t.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[0] == "lab"
    assert {"input", "clock", "event", "edge"} <= set(kinds)


def test_local_lab():
    now = [100.0]
    lab = LocalLab(LabConfig(), lambda: now[0])
    now[0] = 103.0
    assert lab.world_now() == pytest.approx(2.8)
    assert lab.horizon() == lab.world_now()
    assert lab.append("belts", BELTS) == pytest.approx(3.0)
    lab.truth({"kind": "x"})
    assert lab.records == [{"kind": "x"}]


CHILD = """
import json, sys, time
import numpy as np
from devices.sim.lab import LabClient
from devices.sim.person import Person
lab = LabClient(sys.argv[1])
person = Person(lab.config, lab.history)
t = np.arange(int(float(sys.argv[2]) * 100)) / 100
rng, done = np.random.default_rng(int(sys.argv[3])), 0
import hashlib
seen = hashlib.sha256()
while done < t.size:
    due = int(np.searchsorted(t, lab.horizon()))
    if due > done:
        seen.update(person.markers_m(t[done:due]).tobytes())
        done = due
    time.sleep(rng.uniform(0, 0.05))
print(seen.hexdigest())
"""


def test_two_processes_compute_the_same_markers(server, client):
    command = [sys.executable, "-c", CHILD, server.address, "4.0"]
    children = [
        subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, text=True)
        for i in (1, 2)
    ]
    rng = np.random.default_rng(3)
    for _ in range(12):
        speed = float(rng.uniform(0, 1.5))
        value = BELTS | {"left_mps": speed, "right_mps": speed}
        client.append("belts", value)
        time.sleep(float(rng.uniform(0.05, 0.4)))
    seen = [child.communicate(timeout=60)[0].strip() for child in children]
    assert len(seen[0]) == 64
    assert seen[0] == seen[1]
    again = Person(client.config, client.history)
    assert np.isfinite(again.markers_m(np.arange(100) / 100)).all()


def test_command_line():
    child = subprocess.Popen(
        [sys.executable, "-m", "devices.sim.lab"], stdout=subprocess.PIPE, text=True
    )
    ready = json.loads(child.stdout.readline())
    client = LabClient(f"127.0.0.1:{ready['port']}")
    assert client.config == LabConfig()
    client.close()
    child.terminate()
    assert child.wait(10) == 0
    child.stdout.close()
