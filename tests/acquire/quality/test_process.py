"""The quality process judges real LSL streams and publishes what it finds."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from acquire.control import ControlClient, ControlError
from acquire.live.lsl import live_over_lsl
from acquire.lsl import Outlet, local_clock
from devices.stream import Channel, Chunk, StreamSpec
from tests.builders.live_fakes import until

SPEC = StreamSpec("quality-test", "Test", 50.0, (Channel("x"),))


def test_publishes_what_the_window_shows(lsl_session: str, tmp_path: Path) -> None:
    source = Outlet(SPEC, device="test", kind="test", simulated=True)
    client = ControlClient("quality", tmp_path)
    command = [sys.executable, "-m", "acquire.quality", "--session-id", lsl_session]
    process = subprocess.Popen([*command, "--runtime", tmp_path])
    live = live_over_lsl(ignore=lambda name: name != "kinemuse-quality")

    def feed(what):
        def look() -> bool:
            rows = np.zeros((5, 1), np.float32)
            source.push(Chunk(SPEC.name, rows, local_clock()))
            time.sleep(0.1)
            return what()

        return look

    def judged() -> bool:
        try:
            return SPEC.name in client.request("snapshot", 1.0)
        except ControlError:
            return False

    try:
        until(feed(judged), 30.0)
        until(feed(lambda: "kinemuse-quality" in live.names()), 15.0)
        until(feed(lambda: live.stats()["kinemuse-quality"].n_samples > 1), 15.0)
        labels = live.facts("kinemuse-quality").labels
        assert f"{SPEC.name}/level" in labels
        assert f"{SPEC.name}/stream.stale" in labels
        client.request("shutdown", 2.0)
        assert process.wait(10.0) == 0
    finally:
        process.kill()
        process.wait(5.0)
        live.close()
        client.close()
        source.close()
