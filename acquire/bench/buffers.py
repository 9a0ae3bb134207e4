"""Live buffers beside each other, each in a process of its own: ours, and mne-lsl's.

``python -m acquire.bench.buffers --session-id ID --of mne-lsl --delay 0.001`` fills
buffers with the numeric streams of the load until its standard input ends, then says
as one line of JSON how late samples came into them and how many are missing.
"""

import argparse
import importlib
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire import lsl
from acquire.bench.load import load_specs
from acquire.live import LiveStreams
from acquire.live.lsl import LslFinder, LslSource
from acquire.live.source import Candidate
from devices.stream import StreamSpec

BUFFER_S = 5.0
NUMERIC = {spec.name: spec for spec in load_specs() if spec.dtype != "string"}


class Arrivals:
    """Notes when samples came, and which numbers were missing; one per process."""

    def __init__(self) -> None:
        self.late_s: dict[str, list[float]] = defaultdict(list)
        self.n_lost = dict.fromkeys(NUMERIC, 0)
        self.n_samples = dict.fromkeys(NUMERIC, 0)
        self._last: dict[str, int] = {}

    def note(
        self, spec: StreamSpec, numbers: NDArray[Any], stamps: NDArray[np.float64]
    ) -> None:
        """Take counter values (n,) and stamps (n,) the moment they are there."""
        now = lsl.local_clock()
        counts = numbers.astype(np.int64)
        first = self._last.get(spec.name, int(counts[0]) - 1)
        steps = np.diff(counts, prepend=first) % spec.counter.modulus
        self._last[spec.name] = int(counts[-1])
        self.n_lost[spec.name] += int((steps - 1).sum())
        self.n_samples[spec.name] += len(counts)
        self.late_s[spec.name].append(now - float(stamps[-1]))

    def summary(self) -> dict[str, Any]:
        late_ms = 1e3 * np.concatenate([np.array(v) for v in self.late_s.values()])
        return {
            "n_lost": sum(self.n_lost.values()),
            "n_samples": min(self.n_samples.values()),
            "median_ms": float(np.median(late_ms)),
            "p99_ms": float(np.percentile(late_ms, 99)),
        }


class _Source(LslSource):
    def __init__(self, found: lsl.FoundStream, arrivals: Arrivals) -> None:
        super().__init__(found)
        self._arrivals = arrivals

    def pull(
        self, timeout_s: float
    ) -> tuple[NDArray[Any] | list[str], NDArray[np.float64]]:
        samples, stamps = super().pull(timeout_s)
        if len(stamps) and not isinstance(samples, list):
            self._arrivals.note(NUMERIC[self.facts.name], samples[:, 0], stamps)
        return samples, stamps


class _Finder(LslFinder):
    def __init__(self, arrivals: Arrivals) -> None:
        super().__init__()
        self._arrivals = arrivals

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(
                found.name,
                found.uid,
                found.created_at_s,
                partial(_Source, found, self._arrivals),
            )
            for found in self._discovery.streams()
            if found.name in NUMERIC
        ]


@contextmanager
def live_buffers(session_id: str, arrivals: Arrivals) -> Iterator[None]:
    """Fill the buffers that the window draws from."""
    lsl.configure(session_id)
    live = LiveStreams(_Finder(arrivals), now=lsl.local_clock, seconds=BUFFER_S)
    live.start()
    try:
        yield
    finally:
        live.close()


@contextmanager
def mne_buffers(arrivals: Arrivals, delay_s: float) -> Iterator[None]:
    """Fill mne-lsl's `StreamLSL`; its callback runs just before samples are stored."""
    mne_stream: Any = importlib.import_module("mne_lsl.stream")

    def callback(spec: StreamSpec) -> Callable[..., Any]:
        def note(data: Any, stamps: Any, _info: object) -> tuple[Any, Any]:  # noqa: ANN401
            arrivals.note(spec, data[:, 0], stamps)
            return data, stamps

        return note

    streams = []
    for name, spec in NUMERIC.items():
        stream = mne_stream.StreamLSL(BUFFER_S, name=name)
        stream.connect(acquisition_delay=delay_s, timeout=10.0)
        stream.add_callback(callback(spec))
        streams.append(stream)
    try:
        yield
    finally:
        for stream in streams:
            stream.disconnect()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill buffers until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m acquire.bench.buffers")
    parser.add_argument("--session-id", required=True)
    parser.add_argument("--of", choices=("ours", "mne-lsl"), required=True)
    parser.add_argument("--delay", type=float, default=0.001)
    options = parser.parse_args(arguments)
    arrivals = Arrivals()
    buffers = (
        live_buffers(options.session_id, arrivals)
        if options.of == "ours"
        else mne_buffers(arrivals, options.delay)
    )
    with buffers:
        sys.stdout.write("filling\n")
        sys.stdout.flush()
        sys.stdin.read()
        summary = arrivals.summary()
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
