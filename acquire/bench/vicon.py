"""What reading Vicon costs: both back ends on the same server, at a laboratory's load.

45 markers, two force plates and 16 analog channels at 2 kHz, 100 frames a second. The
server is a process of its own; the CPU time is that of this one, all threads, and of
the process in which the vendor's SDK runs.
"""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psutil

from devices.adapter import DeviceAdapter
from devices.registry import load

MARKERS = "vicon-markers"


def run(seconds: float = 10.0) -> list[dict[str, Any]]:
    """Return a row per back end: CPU of one core, frames lost, frames/s at full speed.

    The vendor's SDK is left out where it is not installed.
    """
    installed = importlib.util.find_spec("pyvicon_datastream") is not None
    back_ends = ["native", *(["sdk"] if installed else [])]
    return [_row(back_end, seconds) for back_end in back_ends]


def _row(back_end: str, seconds: float) -> dict[str, Any]:
    live = _measure(back_end, 100.0, seconds)
    row: dict[str, Any] = {
        "back end": back_end,
        "frames": live["frames"],
        "lost": live["lost"],
        "CPU % of a core at 100 Hz": round(100 * live["cpu_s"] / live["data_s"], 1),
        "ms per frame": round(1e3 * live["cpu_s"] / live["frames"], 3),
        "frames/s at full speed": "",
        "frames per CPU second": "",
    }
    if back_end == "native":  # the SDK does not survive a server that floods it
        fast = _measure(back_end, 0.0, seconds / 2)
        row["frames/s at full speed"] = round(fast["frames"] / fast["wall_s"])
        row["frames per CPU second"] = round(fast["frames"] / fast["cpu_s"])
    return row


def _measure(back_end: str, rate_hz: float, seconds: float) -> Mapping[str, float]:
    kind = load("vicon")
    with _server(rate_hz) as (port, server):
        config = kind.config(port=port, back_end=back_end)
        with closing(kind.make("vicon", config, time.perf_counter)) as adapter:
            return _read(adapter, seconds, server)


def _read(adapter: DeviceAdapter, seconds: float, server: int) -> Mapping[str, float]:
    adapter.connect(10.0)
    adapter.start()
    numbers: list[float] = []
    began_s, cpu_s = time.perf_counter(), _cpu_s(server)
    while time.perf_counter() - began_s < seconds:
        for chunk in adapter.read(0.1):
            if chunk.stream == MARKERS:
                numbers += chunk.samples[:, 0].tolist()
    used_s, wall_s = _cpu_s(server) - cpu_s, time.perf_counter() - began_s
    adapter.stop()
    covered = numbers[-1] - numbers[0] + 1
    return {
        "frames": len(numbers),
        "lost": int(covered) - len(numbers),
        "cpu_s": used_s,
        "wall_s": wall_s,
        "data_s": covered / 100.0,
    }


def _cpu_s(server: int) -> float:
    """Return the CPU time of this process and its children but the server."""
    this = psutil.Process()
    readers = [this, *(p for p in this.children() if p.pid != server)]
    times = [process.cpu_times() for process in readers]
    return sum(used.user + used.system for used in times)


@contextmanager
def _server(rate_hz: float) -> Iterator[tuple[int, int]]:
    """Run a server; yield its port and process id."""
    command = [sys.executable, "-m", "devices.vicon.load", "--rate", str(rate_hz)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the server has no standard output")
            port = int(json.loads(process.stdout.readline())["port"])
            yield port, process.pid
        finally:
            process.terminate()
