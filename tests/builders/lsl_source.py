"""Streams to record: in this process, or ``python lsl_source.py SESSION NAME...``."""

import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from acquire import lsl
from devices.stream import Channel, Chunk, Counter, DType, StreamSpec, TriggerInput


def spec(
    name: str,
    rate_hz: float = 1000.0,
    *,
    dtype: DType = "float32",
    n_values: int = 2,
    trigger: TriggerInput | None = None,
    **more: object,
) -> StreamSpec:
    """A stream with a counter in its first channel and, if wanted, a ``sync``."""
    if dtype == "string":
        return StreamSpec(
            name, "Markers", 0.0, (Channel("event"),), dtype=dtype, **more
        )
    modulus = 2**15 if dtype == "int16" else 2**24
    channels = [Channel("index")]
    if trigger is not None:
        channels.append(Channel("sync", "V", "Trigger"))
    channels += [Channel(f"v{k}", "uV", "EMG") for k in range(n_values)]
    return StreamSpec(
        name,
        "EMG",
        rate_hz,
        tuple(channels),
        dtype=dtype,
        counter=Counter("device", "index", modulus),
        trigger=trigger,
        **more,
    )


class Source:
    """Publishes one stream in real time from a thread; a context manager.

    Samples carry the counter values `first`, `first` + 1...; `drop` leaves some out,
    and while `paused` nothing is sent although time goes on.
    """

    def __init__(
        self,
        spec: StreamSpec,
        *,
        device: str = "dev",
        actual_hz: float | None = None,
        first: int = 0,
        level: Callable[[float], bool] = lambda _: False,
    ) -> None:
        self.spec, self._level = spec, level
        self.outlet = lsl.Outlet(
            spec, device=device, kind="test", simulated=True, waveform="level"
        )
        self._rate_hz = actual_hz or spec.rate_hz
        self.n_pushed = 0
        self._index, self._first = 0, first
        self.paused = False
        self._drop = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Source":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.outlet.close()

    def drop(self, n: int) -> None:
        self._drop = n

    def _run(self) -> None:
        t0 = lsl.local_clock()
        while not self._stop.wait(0.01):
            due = int((lsl.local_clock() - t0) * self._rate_hz)
            index = np.arange(self._index, due)
            self._index = max(self._index, due)
            if self.paused:
                continue
            index, self._drop = index[self._drop :], max(0, self._drop - len(index))
            if index.size:
                self.outlet.push(self._chunk(index, t0))
                self.n_pushed += len(index)

    def _chunk(self, index: np.ndarray, t0: float) -> Chunk:
        values = np.zeros((len(index), len(self.spec.channels)), self.spec.dtype)
        values += (1 + index % 97)[:, None].astype(self.spec.dtype)
        values[:, 0] = (self._first + index) % self.spec.counter.modulus
        if self.spec.trigger is not None:
            t = t0 + index / self._rate_hz
            values[:, 1] = [5.0 if self._level(float(v)) else 0.0 for v in t]
        return Chunk(self.spec.name, values, t0 + index[-1] / self._rate_hz)


def main() -> None:
    """Publish streams of the given names until stdin closes."""
    lsl.configure(sys.argv[1])
    sources = [Source(spec(name)) for name in sys.argv[2:]]
    for source in sources:
        source.__enter__()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    for source in sources:
        source.close()
    time.sleep(0.05)


if __name__ == "__main__":
    main()
