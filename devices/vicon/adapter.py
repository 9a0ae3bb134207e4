"""Vicon: markers and force plates from a DataStream server, capture commands to it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import DeviceError, DeviceTimeoutError, SetpointRejectedError
from devices.stream import Chunk, Notice, StreamSpec
from devices.vicon.back_end import choose, native
from devices.vicon.capture import CaptureSender
from devices.vicon.config import ViconConfig
from devices.vicon.describe import SdkRefusedError
from devices.vicon.frames import Frame
from devices.vicon.generations import Generations
from devices.vicon.session import Learner, Session
from devices.vicon.watch import FrameWatch

log = logging.getLogger("kinemuse.vicon")

MAX_LATENCY_S = 5.0
LEARN_S = 1.0  #: left for the first frames, however long the SDK took to start
MAX_WAITING_FRAMES = 20


class ViconAdapter:
    """Publishes `vicon-markers` and `vicon-forces`.

    And, where the configuration wants them, `vicon-segments` and `vicon-unlabeled`.
    Also `Reporting`, `Restreaming` and `Commandable`, with the verbs ``capture_start
    {"name": "Trial_1"}`` and ``capture_stop {}``. `read` waits once for the network.
    When the session changes (another marker set, another plate), it ends before the
    first frame of the new kind: call `changed_specs` after every read, and open the
    new streams before the next one.
    """

    def __init__(
        self, name: str, config: ViconConfig, now: Callable[[], float]
    ) -> None:
        self.name = name
        self._config, self._now = config, now
        self._where = f"{name} at {config.host}:{config.port}"
        self._back_end, self._client = choose(name, config, self._where, now)
        self._watch = FrameWatch(self._where)
        self._generations = Generations(config.state_file)
        self._session: Session | None = None
        self._learner: Learner | None = None
        self._waiting: list[Frame] = []
        self._changed: dict[str, StreamSpec] = {}
        self._last_frame_s: float | None = None  #: None unless running
        self._last_capture = ""
        self._sender: CaptureSender | None = None

    def connect(self, timeout_s: float) -> Sequence[StreamSpec]:
        deadline = self._now() + timeout_s
        self._waiting, self._changed, self._learner = [], {}, None
        self._open(timeout_s)
        deadline = max(deadline, self._now() + LEARN_S)
        self._watch.connect()
        learner = Learner(self._config, self._where, self._generations)
        self._client.ask()
        while (remaining_s := deadline - self._now()) > 0:
            for frame in self._client.poll(remaining_s):
                session = learner.look(frame)
                if session:
                    self._session = session
                    return session.specs
                self._client.ask()
        raise learner.give_up(timeout_s)

    def start(self) -> None:
        self._known_session()
        self._watch.start()
        self._client.start(self._config.stream_mode)
        self._last_frame_s = self._now()

    def read(self, timeout_s: float) -> Sequence[Chunk]:
        session = self._known_session()
        if self._last_frame_s is None:
            raise DeviceError(f"{self._where}: read before start")
        if not self._waiting or self._learner:
            arrived = self._client.poll(timeout_s)
            self._check_stall(self._last_frame_s, bool(arrived))
            self._waiting += arrived
        frames = self._waiting
        known = 0
        while known < len(frames) and frames[known].statics is session.statics:
            known += 1
        self._waiting = frames[known:]
        chunks = self._chunks(session, frames[:known])
        if self._waiting:
            self._learn(session)
        return chunks

    def stop(self) -> None:
        if self._last_frame_s is not None:
            self._last_frame_s = None
            self._waiting, self._learner = [], None
            self._watch.stop()
            self._client.stop()

    def close(self) -> None:
        self._last_frame_s = None
        self._client.close()
        if self._sender:
            self._sender.close()
            self._sender = None

    def notices(self) -> Sequence[Notice]:
        return self._watch.take()

    def changed_specs(self) -> Sequence[StreamSpec]:
        changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def command(self, verb: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if verb not in ("capture_start", "capture_stop"):
            raise SetpointRejectedError(
                f"{self.name}: no verb {verb!r}; there are capture_start, capture_stop"
            )
        starting = verb == "capture_start"
        name = str(arguments.get("name", "" if starting else self._last_capture))
        if starting and not name.strip():
            raise SetpointRejectedError(f"{self.name}: capture_start needs a name")
        self._sender = self._sender or CaptureSender.of(self._config)
        if starting:
            self._sender.start(name, notes=str(arguments.get("notes", "")))
            self._last_capture = name
        else:
            self._sender.stop(name)
        return {"verb": verb, "name": name, "sent_at_s": self._now()}

    def snapshot(self) -> Mapping[str, Any]:
        layout = self._session.layout if self._session else None
        return {
            "back_end": self._back_end,
            "running": self._last_frame_s is not None,
            "frame": self._watch.newest_frame,
            "subjects": list(layout.subjects) if layout else [],
            "markers": list(layout.marker_labels) if layout else [],
            "plates": [plate.name for plate in layout.plates] if layout else [],
            "round_trip_s": self._client.round_trip_s,
        }

    def _open(self, timeout_s: float) -> None:
        may_change = self._config.back_end == "auto"
        if may_change and self._client.died:
            self._go_native(f"the vendor's SDK {self._client.died}")
        try:
            self._client.open(timeout_s)
        except SdkRefusedError as error:
            if not may_change:
                raise
            self._go_native(str(error))
            self._client.open(timeout_s)

    def _go_native(self, why: str) -> None:
        text = f"{self._where} goes on with back end native: {why}"
        self._watch.add(Notice("warning", "back_end", text))
        self._back_end = "native"
        self._client = native(self.name, self._config, self._where, self._now)

    def _known_session(self) -> Session:
        if self._session is None:
            raise DeviceError(f"{self._where} is not connected")
        return self._session

    def _check_stall(self, last_frame_s: float, arrived: bool) -> None:
        now = self._now()
        if arrived:
            self._last_frame_s = now
        elif now - last_frame_s > self._config.stall_timeout_s:
            raise DeviceTimeoutError(
                f"{self._where}: no frame for {now - last_frame_s:.1f} s "
                f"(last {self._watch.newest_frame}); is it live, is the cable in?"
            )

    def _chunks(self, session: Session, frames: Sequence[Frame]) -> list[Chunk]:
        """Cut frames into runs without a gap, one chunk per stream and run."""
        runs: list[list[Frame]] = []
        for frame in frames:
            step = self._watch.look(frame)
            if step.verdict == "next" and runs:
                runs[-1].append(frame)
            elif step.accepted:
                runs.append([frame])
        chunks: list[Chunk] = []
        later: list[Frame] = []
        for run in reversed(runs):
            n_later = sum(frame.arrival_s == run[-1].arrival_s for frame in later)
            chunks = self._run(session, run, n_later) + chunks
            later += run
        return chunks

    def _run(
        self, session: Session, frames: Sequence[Frame], n_later: int
    ) -> list[Chunk]:
        """Make chunks of consecutive frames; `n_later` more came at the same time."""
        last = frames[-1]
        arrival_s = last.arrival_s - n_later / session.layout.frame_hz
        t_frame = arrival_s - self._latency_s(last)
        chunks = []
        for spec, rows in session.per_frame:
            samples = np.concatenate([rows.row(frame) for frame in frames])
            chunks.append(Chunk(spec.name, samples, t_frame))
        if session.forces and session.force_spec:
            blocks: list[NDArray[np.float32]] = []
            for frame in frames:
                blocks.append(block := session.forces.block(frame))
                self._watch.look_at_samples(block, frame, session.layout)
            # the latency is that of the frame; its last sub-sample came later
            after_s = (session.forces.n_rows - 1) / session.force_spec.rate_hz
            t_last = min(t_frame + after_s, arrival_s)
            name = session.force_spec.name
            chunks.append(Chunk(name, np.concatenate(blocks), t_last))
        return chunks

    def _latency_s(self, frame: Frame) -> float:
        if 0.0 <= frame.latency_s <= MAX_LATENCY_S:
            return frame.latency_s
        self._watch.doubt_latency(frame)
        return 0.0

    def _learn(self, session: Session) -> None:
        """Look at frames that came with another description of the session."""
        self._learner = self._learner or Learner(
            self._config, self._where, self._generations
        )
        learned: Session | None = None
        n_used = 0
        try:
            for frame in self._waiting:
                n_used += 1
                learned = self._learner.look(frame)
                if learned:
                    break
        except DeviceError as error:
            learned = self._keep(session, error)
        if learned is None and n_used > MAX_WAITING_FRAMES:
            learned = self._keep(session, self._learner.give_up(0.0))
        if learned:
            self._adopt(learned, session, n_used)

    def _keep(self, session: Session, error: DeviceError) -> Session:
        """Go on with the channels there were: what is gone becomes NaN."""
        text = f"the session changed and cannot be followed: {error}"
        self._watch.add(Notice("error", "session", f"{self._where}: {text}"))
        return replace(session, statics=self._waiting[-1].statics)

    def _adopt(self, learned: Session, old: Session, n_used: int) -> None:
        self._session, self._learner = learned, None
        used = [replace(f, statics=learned.statics) for f in self._waiting[:n_used]]
        self._waiting = used + self._waiting[n_used:]
        for spec in learned.changed_since(old):
            self._changed[spec.name] = spec
            text = f"{spec.name} has new channels, generation {spec.generation}"
            self._watch.add(Notice("info", "restream", f"{self._where}: {text}"))
