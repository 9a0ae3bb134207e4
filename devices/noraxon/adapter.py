"""Noraxon sEMG over MR's HTTP streaming."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from devices.errors import DeviceConnectionError, DeviceError, DeviceTimeoutError
from devices.noraxon import stream, wire
from devices.noraxon.config import NoraxonConfig
from devices.noraxon.http import HttpLink
from devices.noraxon.merge import Merger
from devices.stream import Chunk, Notice, StreamSpec

WAITING = (
    "MR answers but measures nothing (no channels); start a measurement with HTTP "
    "streaming enabled"
)


class NoraxonAdapter:
    """A `DeviceAdapter` that is `Reporting`.

    MR sends neither counter nor time, and each poll takes what it returns away: a
    second client would steal samples, and what is lost before MR hands it out cannot
    be seen here. The stream's `index` counts the samples received since connecting.
    """

    def __init__(
        self,
        name: str,
        config: NoraxonConfig,
        now: Callable[[], float],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self._config, self._now, self._wait = name, config, now, wait
        self._link = HttpLink(config.host, config.port, port_option=f"{name}.port")
        self._spec: StreamSpec | None = None
        self._merger = Merger([0])
        self._started = self._uneven_told = False
        self._n_rows = 0
        self._expected: int | None = None
        self._next_poll_s = self._last_rows_s = self._t_last = float("-inf")
        self._notices: list[Notice] = []

    # the seam

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        self.close()
        deadline_s = self._now() + timeout_s
        self._link.open(timeout_s)
        try:
            headers = self._headers(deadline_s)
            chosen = stream.choose(self._config, headers)
            self._get(wire.DISABLE_ALL, deadline_s)
            for header in chosen:
                self._get(wire.enable(header.index), deadline_s)
            self._spec = stream.spec(self._config, chosen[-1])
        except DeviceError:
            self.close()
            raise
        self._merger = Merger([header.index for header in chosen])
        self._n_rows, self._expected = 0, None
        self._uneven_told = False
        self._next_poll_s = self._last_rows_s = self._now()
        return [self._spec]

    def start(self) -> None:
        self._connected()
        self._last_rows_s = self._now()
        self._started = True

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        spec = self._connected()
        deadline_s = self._now() + timeout_s
        try:
            while True:
                pause_s = min(self._next_poll_s, deadline_s) - self._now()
                if pause_s > 0:
                    self._wait(pause_s)
                if self._now() >= self._next_poll_s:
                    chunks = self._poll(spec)
                    if chunks:
                        return chunks
                if self._now() >= deadline_s:
                    return []
        except DeviceError:
            self.close()
            raise

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        self._link.close()
        self._spec, self._started = None, False

    def notices(self) -> Sequence[Notice]:
        found, self._notices = self._notices, []
        return found

    # inside

    def _headers(self, deadline_s: float) -> list[wire.Header]:
        """Return the channels; wait for a measurement as long as there is time."""
        while True:
            headers = wire.parse_headers(self._get(wire.HEADERS, deadline_s))
            if headers:
                return headers
            left_s = deadline_s - self._now()
            if left_s <= 0.1:
                raise DeviceTimeoutError(f"{self.name}: {WAITING}")
            self._wait(min(0.1, left_s))

    def _get(self, path: str, deadline_s: float | None = None) -> bytes:
        timeout_s = self._config.request_timeout_s
        if deadline_s is not None:
            timeout_s = min(timeout_s, max(deadline_s - self._now(), 0.01))
        return self._link.get(path, timeout_s)

    def _poll(self, spec: StreamSpec) -> list[Chunk]:
        """Fetch what is new. Its last sample is stamped with the reply's arrival."""
        self._next_poll_s = self._now() + self._config.poll_s
        batches = wire.parse_samples(self._get(wire.SAMPLES))
        arrived_s = self._now()
        self._watch_sample_index(batches)
        rows = self._merger.add(batches)
        self._tell_uneven()
        if len(rows) == 0:
            silent_s = arrived_s - self._last_rows_s
            if silent_s > self._config.stall_s:
                raise DeviceTimeoutError(
                    f"{self.name}: MR sent no samples for {silent_s:.1f} s; was the "
                    "measurement stopped?"
                )
            return []
        self._last_rows_s = arrived_s
        first, self._n_rows = self._n_rows, self._n_rows + len(rows)
        if not self._started:
            return []
        samples = np.empty((len(rows), len(spec.channels)), np.float32)
        samples[:, :-1] = rows
        samples[:, -1] = np.arange(first, self._n_rows) % stream.INDEX_MODULUS
        self._t_last = max(arrived_s - self._config.latency_s, self._t_last + 1e-6)
        return [Chunk(spec.name, samples, self._t_last)]

    def _watch_sample_index(self, batches: Sequence[wire.Batch]) -> None:
        """Where MR does number its samples, tell what it left out."""
        for batch in batches[:1]:
            if batch.sample_index is None:
                return
            missing = batch.sample_index - (
                batch.sample_index if self._expected is None else self._expected
            )
            if missing:
                message = f"MR's own sample index jumps by {missing} samples"
                data = {"n_missing": missing}
                self._notices.append(Notice("warning", "gap", message, data))
            self._expected = batch.sample_index + batch.samples.size

    def _tell_uneven(self) -> None:
        """Tell once when channels drift apart: rows wait, they are never mixed."""
        n_ahead = self._merger.n_ahead()
        if n_ahead > self._config.rate_hz and not self._uneven_told:
            self._uneven_told = True
            message = f"MR's channels are {n_ahead} samples apart; rows wait for all"
            data = {"n_ahead": n_ahead}
            self._notices.append(Notice("warning", "uneven", message, data))

    def _connected(self) -> StreamSpec:
        if self._spec is None:
            raise DeviceConnectionError(f"{self.name} is not connected")
        return self._spec
