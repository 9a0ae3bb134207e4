"""A-mode ultrasound over the framed TCP protocol."""

from collections.abc import Callable, Sequence

import numpy as np

from devices.amode import stream
from devices.amode.config import AModeConfig
from devices.amode.sequence import Numbers
from devices.amode.wire import Frame, FrameParser
from devices.errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    WireFormatError,
)
from devices.link import TcpLink
from devices.stream import Chunk, Notice, StreamSpec

GATED_LOOK_S = 0.2  #: a gated source may be silent; what does come must be frames


class AModeAdapter:
    """A `DeviceAdapter` that is `Reporting`.

    A gated source (`config.trigger.role` ``gates``) sends nothing while the trigger
    line is low: connecting then proves the connection only, and silence is no stall.
    """

    def __init__(
        self, name: str, config: AModeConfig, now: Callable[[], float]
    ) -> None:
        self.name, self._config, self._now = name, config, now
        self._link = TcpLink(
            config.host, config.port, now=now, port_option=f"{name}.port"
        )
        self._gated = config.trigger.role == "gates"
        self._spec: StreamSpec | None = None
        self._t_last = float("-inf")
        self._notices: list[Notice] = []
        self._reset()

    # the seam

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        self.close()
        self._reset()
        began_s = self._now()
        self._link.open(timeout_s)
        try:
            first = self._first_frame(began_s + timeout_s)
            source = first.lines.dtype if first else self._expected_dtype()
            if first is not None:
                self._check(first)
            self._spec = stream.spec(self._config, source)
        except DeviceError:
            self.close()
            raise
        return [self._spec]

    def start(self) -> None:
        """Begin with what comes from now on; frames queued before are not news."""
        self._connected()
        while not self._gated:
            data, _ = self._link.receive(0.0)
            self._numbers.runs(self._parser.feed(data))
            if not data:
                break
        self._last_frame_s = self._now()
        self._started = True

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        spec = self._connected()
        deadline_s = self._now() + timeout_s
        try:
            while True:
                left_s = max(deadline_s - self._now(), 0.0)
                chunks = self._receive(spec, left_s)
                if chunks or self._now() >= deadline_s:
                    return chunks
        except DeviceError:
            self.close()
            raise

    def stop(self) -> None:
        self._started = False

    def close(self) -> None:
        self._link.close()
        self._spec, self._started = None, False

    def notices(self) -> Sequence[Notice]:
        found = self._notices + self._numbers.notices
        self._notices, self._numbers.notices = [], []
        return found

    # inside

    def _reset(self) -> None:
        most_bytes = self._config.n_probes * self._config.n_depths * 8
        self._parser = FrameParser(most_bytes)
        self._numbers = Numbers()
        self._last_frame_s = self._now()
        self._started = False

    def _first_frame(self, deadline_s: float) -> Frame | None:
        """Wait for a frame; a gated source may be silent, though not babble."""
        if self._gated:
            deadline_s = min(deadline_s, self._now() + GATED_LOOK_S)
        while (left_s := deadline_s - self._now()) > 0:
            data, _ = self._link.receive(left_s)
            frames = self._parser.feed(data)
            self._numbers.runs(frames)
            if frames:
                return frames[0]
        if self._gated and self._parser.n_skipped_bytes == 0:
            return None
        raise DeviceTimeoutError(
            f"{self._config.host}:{self._config.port} accepts connections but sent no "
            f"A-mode frame ({self._parser.n_skipped_bytes} foreign bytes, "
            f"{self._parser.n_crc_errors} CRC errors); is this the frame server, is "
            "the device collecting, or is it gated by the trigger "
            f"({self.name}.trigger.role)?"
        )

    def _expected_dtype(self) -> np.dtype[np.generic]:
        return np.dtype("int16" if self._config.dtype == "auto" else self._config.dtype)

    def _check(self, frame: Frame) -> None:
        wanted = self._config.n_probes, self._config.n_depths
        if frame.lines.shape != wanted:
            raise WireFormatError(
                f"frame {frame.seq} has {frame.lines.shape[0]} probes of "
                f"{frame.lines.shape[1]} samples; the rig says {wanted[0]} of "
                f"{wanted[1]} ({self.name}.n_probes, n_depths)"
            )
        source = frame.lines.dtype
        if self._config.dtype != "auto" and source != np.dtype(self._config.dtype):
            raise WireFormatError(
                f"the source sends {source.name}; {self.name}.dtype says "
                f"{self._config.dtype}"
            )
        dtype = stream.stream_dtype(source)
        if self._spec is not None and dtype != self._spec.dtype:
            raise WireFormatError(
                f"the source sends {source.name} now, but the stream is "
                f"{self._spec.dtype}: set {self.name}.dtype and connect again"
            )

    def _receive(self, spec: StreamSpec, timeout_s: float) -> list[Chunk]:
        data, arrived_s = self._link.receive(timeout_s)
        n_crc = self._parser.n_crc_errors
        frames = self._parser.feed(data)
        if self._parser.n_crc_errors > n_crc:
            n = self._parser.n_crc_errors - n_crc
            what = f"{n} A-mode frames failed their CRC and were thrown away"
            self._notices.append(Notice("warning", "crc", what, {"n": n}))
        if frames:
            self._last_frame_s = arrived_s
        elif not self._gated and arrived_s - self._last_frame_s > self._config.stall_s:
            raise DeviceTimeoutError(
                f"{self.name}: no A-mode frame for {self._config.stall_s} s"
            )
        runs = self._numbers.runs(frames)
        for frame in frames:
            self._check(frame)
        if not self._started:
            return []
        return [self._chunk(spec, run, frames[-1].seq, arrived_s) for run in runs]

    def _chunk(
        self, spec: StreamSpec, run: list[Frame], newest: int, arrived_s: float
    ) -> Chunk:
        """Stamp a run: the newest frame at its arrival, others before it at 1/rate."""
        behind_s = max(newest - run[-1].seq, 0) / spec.rate_hz
        stamp_s = arrived_s - self._config.latency_s - behind_s
        self._t_last = max(stamp_s, self._t_last + 1e-6)
        return Chunk(spec.name, stream.rows(run, spec.dtype), self._t_last)

    def _connected(self) -> StreamSpec:
        if self._spec is None:
            raise DeviceConnectionError(f"{self.name} is not connected")
        return self._spec
