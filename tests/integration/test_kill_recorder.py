"""A recorder killed at any instant leaves a file that opens, less a second at most."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyxdf

from acquire.control import ControlClient, ControlError
from acquire.storage.recover import recover
from acquire.storage.trial_file import read_trial

SESSION = f"test-kill-{os.getpid()}"
RATE_HZ = 1000.0
SOURCE = """
import sys, time
import numpy as np
from acquire import lsl
from devices.stream import Channel, Chunk, Counter, StreamSpec
lsl.configure(sys.argv[1])
spec = StreamSpec(
    "semg", "EMG", 1000.0, (Channel("index"), Channel("x")), dtype="float32",
    counter=Counter("device", "index"),
)
outlet = lsl.Outlet(spec, device="source", kind="test", simulated=True)
n, t0 = 0, lsl.local_clock()
while True:
    time.sleep(0.01)
    due = int((lsl.local_clock() - t0) * 1000)
    if due > n:
        index = np.arange(n, due, dtype=np.float32)
        rows = np.column_stack([index, np.sin(index)]).astype(np.float32)
        outlet.push(Chunk("semg", rows, t0 + (due - 1) / 1000))
        n = due
"""


@pytest.fixture(scope="module")
def source() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", SOURCE, SESSION]) as process:
        yield
        process.terminate()


def ask(
    client: ControlClient, verb: str, timeout_s: float, **arguments: object
) -> dict:
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            return client.request(verb, timeout_s, **arguments)
        except ControlError as error:
            if "not running" not in str(error) or time.monotonic() > end_s:
                raise
            threading.Event().wait(0.05)


def record_and_kill(folder: Path, out: Path, after_s: float) -> float:
    """Return for how long the recorder had been recording when it was killed."""
    arguments = ["--runtime", str(folder), "--session-id", SESSION]
    with subprocess.Popen(
        [sys.executable, "-m", "acquire.recorder", *arguments]
    ) as recorder:
        client = ControlClient("recorder", folder)
        ready = ask(client, "arm", 30.0, out=str(out), required=["semg"])
        assert ready["ready"], ready
        begun_s = time.monotonic()
        ask(client, "start", 10.0)
        threading.Event().wait(after_s)
        recorder.send_signal(signal.SIGKILL)
        recorder.wait()
        recorded_s = time.monotonic() - begun_s
        client.close()
    (folder / "recorder.json").unlink()
    return recorded_s


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("source")
def test_ten_kills_at_random_instants(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    for k in range(10):
        out = tmp_path / f"kill_{k}.xdf"
        recorded_s = record_and_kill(tmp_path / "run", out, chance.uniform(1.0, 4.0))
        streams, _ = pyxdf.load_xdf(
            out, synchronize_clocks=False, dejitter_timestamps=False
        )
        found = {s["info"]["name"][0]: s for s in streams}
        index = np.asarray(found["semg"]["time_series"])[:, 0]
        assert np.all(np.diff(index) == 1)
        assert recorded_s - index.size / RATE_HZ <= 1.0
        (done,) = recover(out)
        assert not done.failed, done
        archive = read_trial(out.with_suffix(".h5"))
        assert not archive.complete
        assert np.array_equal(archive["semg"].column("index"), index)
