"""The full load of a laboratory, each stream published by a process of its own.

``python -m acquire.bench.load --session-id ID --stream NAME`` publishes one stream
until its standard input ends, then says what it sent as one line of JSON.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire import lsl
from devices.stream import Channel, Chunk, Counter, StreamSpec, TriggerInput

EVENTS = "load-events"
EVENTS_HZ = 2.0
_CHUNK_S = 0.01
_END_TIMEOUT_S = 10.0


def _spec(
    name: str, kind: str, rate_hz: float, n_channels: int, multiple: int
) -> StreamSpec:
    integer = kind == "Ultrasound"
    return StreamSpec(
        name,
        kind,
        rate_hz * multiple,
        (Channel("n"), *(Channel(f"v{k}") for k in range(1, n_channels))),
        dtype="int16" if integer else "float32",
        counter=Counter("device", "n", 2**15 if integer else 2**24),
        trigger=None if kind == "MoCap" else TriggerInput("v1"),
    )


def load_specs(multiple: int = 1) -> tuple[StreamSpec, ...]:
    """Return the streams of the load, each with rates `multiple` times as high.

    The first channel of each is its counter, the second (but for markers) a trigger
    that changes every 5 s; the texts of the events hold their number.
    """
    return (
        _spec("load-mocap", "MoCap", 100.0, 121, multiple),
        _spec("load-force", "Force", 1000.0, 14, multiple),
        _spec("load-semg", "EMG", 2000.0, 15, multiple),
        _spec("load-amode", "Ultrasound", 20.0, 4001, multiple),
        StreamSpec(EVENTS, "Markers", 0.0, (Channel("event", "", "JSON"),), "string"),
    )


def bytes_per_s(multiple: int = 1) -> float:
    """Return what the load comes to in a file, stamps included."""
    return sum(
        spec.rate_hz * (9 + np.dtype(spec.dtype).itemsize * len(spec.channels))
        for spec in load_specs(multiple)
        if spec.dtype != "string"
    )


def chunk_rows(spec: StreamSpec) -> int:
    """Return how many samples a source sends at once: those of 10 ms, or one."""
    return max(1, round(spec.rate_hz * _CHUNK_S))


@dataclass
class Sent:
    """What one source published, and how far it fell behind its own schedule."""

    n_samples: int = 0
    late_max_s: float = 0.0
    cpu_s: float = 0.0


def publish(spec: StreamSpec, stop: threading.Event) -> Sent:
    """Publish one stream of the load in real time until `stop` is set.

    A chunk every 10 ms, or every sample where they are rarer; its last sample is
    stamped with the instant of sending.
    """
    outlet = lsl.Outlet(spec, device="load", kind="bench", simulated=True)
    sent = Sent()
    n = chunk_rows(spec)
    period_s = n / (spec.rate_hz or EVENTS_HZ)
    block = None if spec.dtype == "string" else _noise(spec, n)
    due_s = lsl.local_clock()
    while not stop.is_set():
        due_s += period_s
        wait_s = due_s - lsl.local_clock()
        if wait_s > 0:
            time.sleep(wait_s)
        else:
            sent.late_max_s = max(sent.late_max_s, -wait_s)
        if block is None:
            text = json.dumps({"n": sent.n_samples})
            outlet.push_text(text, lsl.local_clock())
            sent.n_samples += 1
            continue
        numbers = np.arange(sent.n_samples, sent.n_samples + n)
        block[:, 0] = numbers % spec.counter.modulus
        if spec.trigger is not None:
            block[:, 1] = 5 * (sent.n_samples // round(5 * spec.rate_hz) % 2)
        outlet.push(Chunk(spec.name, block, lsl.local_clock()))
        sent.n_samples += n
    sent.cpu_s = time.process_time()
    outlet.close()
    return sent


def _noise(spec: StreamSpec, n: int) -> NDArray[Any]:
    rng = np.random.default_rng(1)
    shape = (n, len(spec.channels))
    if spec.dtype == "int16":
        return rng.integers(-2000, 2000, shape).astype(np.int16)
    return rng.standard_normal(shape).astype(np.float32)


class Load:
    """Running sources, each in a process of its own."""

    def __init__(self, processes: Mapping[str, "subprocess.Popen[str]"]) -> None:
        self._processes = processes
        self.sent: dict[str, Sent] = {}

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values()]

    def stop(self) -> None:
        """End all sources; `sent` then tells what they published. Legal twice."""
        for process in self._processes.values():
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()
        for name, process in self._processes.items():
            if name in self.sent or process.stdout is None:
                continue
            process.wait(_END_TIMEOUT_S)
            lines = process.stdout.read().splitlines()
            process.stdout.close()
            self.sent[name] = Sent(**json.loads(lines[-1])) if lines else Sent()


@contextmanager
def load(session_id: str, multiple: int = 1) -> Iterator[Load]:
    """Publish the whole load while the context lasts; all streams are up inside."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for spec in load_specs(multiple):
            processes[spec.name] = subprocess.Popen(
                [sys.executable, "-m", "acquire.bench.load", "--stream", spec.name,
                 "--session-id", session_id, "--multiple", str(multiple)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        for name, process in processes.items():
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError(f"the source of {name} ended at once")
        running = Load(processes)
        try:
            yield running
        finally:
            running.stop()
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish one stream until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m acquire.bench.load")
    parser.add_argument("--session-id", required=True)
    parser.add_argument("--stream", required=True)
    parser.add_argument("--multiple", type=int, default=1)
    options = parser.parse_args(arguments)
    lsl.configure(options.session_id)
    specs = {spec.name: spec for spec in load_specs(options.multiple)}
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    sys.stdout.write("publishing\n")
    sys.stdout.flush()
    sent = publish(specs[options.stream], stop)
    sys.stdout.write(json.dumps(vars(sent)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
