"""How late samples appear in a file that is being recorded."""

import math
import threading
from pathlib import Path

import numpy as np

from acquire import lsl
from acquire.bench.load import chunk_rows, load_specs
from acquire.bench.losses import LoadFile

_LOOK_EVERY_S = 0.002


class Tail:
    """Reads a growing recording from a thread, and notes when samples became visible.

    Only the last sample of each chunk counts: its stamp is the instant of sending.
    What is visible survives the death of the recorder. What was sent before the end
    of the file was reached does not count. Resolution: 2 ms.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._t_begin = math.inf
        self._late_s: list[float] = []
        self._rows = {spec.name: chunk_rows(spec) for spec in load_specs()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def percentiles_ms(self, *percent: float) -> list[float]:
        """Return percentiles of the latency so far, ms; NaN before there is any."""
        if not self._late_s:
            return [float("nan")] * len(percent)
        late_ms = 1e3 * np.array(self._late_s)
        return [float(value) for value in np.percentile(late_ms, percent)]

    def _run(self) -> None:
        while not self._path.exists():
            if self._stop.wait(_LOOK_EVERY_S):
                return
        file = LoadFile()
        with self._path.open("rb", buffering=0) as source:
            while not self._stop.wait(_LOOK_EVERY_S):
                block = source.read(1 << 20)
                now = lsl.local_clock()
                if not block:
                    self._t_begin = min(self._t_begin, now)
                    continue
                for stream, (numbers, stamps) in file.feed(block):
                    every = self._rows[stream.header.name]
                    ends = ((numbers + 1) % every == 0) & (stamps > self._t_begin)
                    self._late_s += (now - stamps[ends]).tolist()
