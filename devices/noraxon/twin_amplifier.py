"""The amplifier behind the simulated MR: samples, its clock, and what goes wrong."""

import threading
import time
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from devices.noraxon.config import LABELS
from devices.sim.clock import SimClock
from devices.sim.config import ClockConfig
from devices.sim.faults import FaultKind, FaultSpec, active_faults
from devices.sim.person import Person
from devices.sim.trigger_line import TriggerLine
from devices.sim.world import Lab

STREAM = "semg"
RATE_HZ = 2000.0
N_EMG = len(LABELS)
SYNC, ACCEL = N_EMG, N_EMG + 1  #: indices of the channels after the sEMG
RAIL_UV = 5000.0
KEEP_UP_S = 0.5
OLDEST_S = 5.0  #: MR's own buffer: older samples are gone
Array = NDArray[np.float64]


class Muscles(Protocol):
    """Who is examined: `devices.sim.person.Person`, or less in tests."""

    def emg_uv(self, t: Array, /) -> Array:
        """Return sEMG in microvolts, shape (n, 13), at world times t (n,)."""
        ...


class Options(BaseModel, frozen=True, extra="forbid"):
    """A twin's options in the lab's configuration."""

    starts_s: float = 0.0
    """World time at which somebody starts the measurement in MR."""

    idle: Literal["empty", "refuse"] = "empty"
    """What MR does while nothing is measured: which one is unknown."""

    sync: Literal["switch", "analog"] = "switch"
    """The Sync channel: 0 or 1, or 0 to 5 V with noise."""

    samplerate: float = Field(default=RATE_HZ, gt=0)
    """The rate MR states; the twin samples at 2000 Hz whatever it says."""

    units: str = "uV"
    """The unit MR states."""

    names: dict[str, str] = {}
    """Other names for channels."""

    block: int = Field(default=16, ge=1)
    """Samples reach MR in blocks of so many."""

    uneven: int = Field(default=0, ge=0)
    """Each channel may lag behind by up to so many samples in a reply."""


class Amplifier:
    """13 sEMG channels of the person and the trigger line, on a clock of its own.

    Faults: ``drop`` loses n samples of all channels without a trace; ``burst`` hands
    out nothing, then everything; ``restart`` forgets which channels are enabled;
    ``electrode_off`` turns ``channel`` (default R_TA) into broadband noise;
    ``saturate`` drives it to the rails.
    """

    def __init__(
        self,
        lab: Lab,
        name: str,
        clock: ClockConfig,
        options: Options,
        person: Muscles | None = None,
    ) -> None:
        self._lab, self._name, self._options = lab, name, options
        self._person: Muscles = (
            Person(lab.config, lab.history) if person is None else person
        )
        self._line = TriggerLine(lab.history, lab.config.waveform, lab.config.seed)
        seed = lab.config.seed
        t_start_s = max(lab.world_now(), options.starts_s, 0.0)
        self._clock = SimClock(clock, RATE_HZ, t_start_s, seed=seed)
        self._random = np.random.default_rng(seed + 2)
        self._lock = threading.Lock()
        self._enabled: list[int] = []
        self._waiting: dict[int, list[float]] = {}
        self._next = self._n_handed_out = 0
        self._fresh = True  #: nothing handed out since the last channel was enabled
        self._seen_s = 0.0
        self._done_drops: set[int] = set()
        self._done_restarts: set[int] = set()

    def answer(self, path: str) -> dict[str, Any] | None:
        """Return the reply to a GET, or None for a path MR does not know."""
        with self._lock:
            self._restart()
            if path == "/headers":
                return {"headers": self._headers() if self._measures else []}
            if path == "/samples":
                return {"channels": self._samples() if self._measures else []}
            if path == "/disable/all":
                self._enabled.clear()
                self._waiting.clear()
                return {}
            index = path.removeprefix("/enable/")
            if path.startswith("/enable/") and index.isdigit() and int(index) <= SYNC:
                self._enable(int(index))
                return {}
            return None

    def keep_up(self) -> None:
        """Look at the person now and then: a long silence is slow to catch up."""
        with self._lock:
            horizon_s = self._lab.horizon()
            if horizon_s - self._seen_s > KEEP_UP_S:
                self._seen_s = horizon_s
                self._person.emg_uv(np.array([horizon_s]))

    def refuses(self) -> bool:
        """Tell whether connections are closed without an answer."""
        if self._options.idle == "refuse" and not self._measures:
            return True
        return bool(self._active("refuse") or self._active("disconnect"))

    def wait_while_stalled(self) -> None:
        while self._lab.alive and self._active("stall"):
            time.sleep(0.01)

    @property
    def _measures(self) -> bool:
        return self._lab.world_now() >= self._options.starts_s

    def _headers(self) -> list[dict[str, Any]]:
        emg = [(label, "real.emg", self._options.units) for label in LABELS]
        analog = self._options.sync == "analog"
        sync = ("Sync", "real.analog", "V") if analog else ("Sync", "switch", "")
        return [
            {
                "name": self._options.names.get(name, name),
                "type": kind,
                "samplerate": self._options.samplerate,
                "units": units,
                "index": index,
            }
            for index, (name, kind, units) in enumerate(
                [*emg, sync, ("R_TA Accel", "vector3.accel", "g")]
            )
        ]

    def _enable(self, index: int) -> None:
        """Have a channel sent from now on; numbering starts with the last one."""
        end = self._available()
        self._render(end)
        self._enabled.append(index)
        self._waiting[index] = []
        self._next, self._n_handed_out = end, 0
        self._fresh = True

    def _samples(self) -> list[dict[str, Any]]:
        first, self._fresh = self._fresh, False
        if first and self._enabled:
            self._tell_clock("enable")
        if not self._active("burst"):
            self._render(self._available())
        replies = []
        for index in self._enabled:
            values = self._waiting[index]
            most = 0 if first else self._options.uneven
            n = max(len(values) - int(self._random.integers(0, most + 1)), 0)
            replies.append({"index": index, "samples": values[:n]})
            self._waiting[index] = values[n:]
        return replies

    def _available(self) -> int:
        """Return how many samples have reached MR, in whole blocks."""
        config = self._clock.config
        late_s = config.latency_s + config.jitter_s * abs(self._random.normal())
        due = self._clock.due(self._lab.horizon() - late_s)
        return max(due - due % self._options.block, self._next)

    def _render(self, end: int) -> None:
        """Take the samples up to `end`, less what gets lost."""
        oldest = self._clock.due(self._lab.horizon() - OLDEST_S)
        if self._enabled and self._next < oldest:
            self._tell_lost(self._n_handed_out, min(oldest, end) - self._next)
        self._next = min(max(self._next, oldest), end)
        index = np.arange(self._next, end)
        self._next = end
        if not self._enabled or index.size == 0:
            return
        t_s = self._clock.true_time(index)
        emg = self._spoil(t_s, self._person.emg_uv(t_s))
        self._seen_s = float(t_s[-1])
        level = self._line.level(t_s).astype(np.float64)
        if self._options.sync == "analog":
            level = 5.0 * level + self._random.normal(0.0, 0.02, level.shape)
        kept = self._drop(t_s)
        columns = np.round(np.column_stack([emg, level])[kept], 3)
        for channel in self._enabled:
            self._waiting[channel] += columns[:, channel].tolist()
        self._n_handed_out += int(kept.sum())

    def _drop(self, t_s: Array) -> NDArray[np.bool_]:
        """Return which samples are kept; those lost go into the truth."""
        kept = np.ones(t_s.size, np.bool_)
        rise_s = self._lab.history.last_rise_s(float(t_s[-1]))
        for fault in self._lab.faults(self._name):
            start_s = fault.start_s(rise_s) if fault.fault == "drop" else None
            key = hash((fault.model_dump_json(), start_s))
            if start_s is None or start_s > t_s[-1] or key in self._done_drops:
                continue
            n_lost = int(fault.number("n", 40))
            end_s = start_s + (n_lost - 0.5) * self._clock.period_s
            lost = (t_s >= start_s - 1e-9) & (t_s < end_s + self._clock.period_s / 2)
            self._mark_lost(kept, lost)
            if t_s[-1] >= end_s:
                self._done_drops.add(key)
        return kept

    def _mark_lost(self, kept: NDArray[np.bool_], lost: NDArray[np.bool_]) -> None:
        if not lost.any():
            return
        before = int(kept[: np.argmax(lost)].sum())
        kept[lost] = False
        self._tell_lost(self._n_handed_out + before, int(lost.sum()))

    def _tell_lost(self, counter: int, n: int) -> None:
        """Tell the truth: `n` samples are missing before the one counted `counter`."""
        self._lab.truth(
            {
                "kind": "lost",
                "device": self._name,
                "stream": STREAM,
                "counter": counter,
                "n": n,
                "counted": False,
            }
        )

    def _spoil(self, t_s: Array, emg: Array) -> Array:
        emg = emg.copy()
        for kind in ("electrode_off", "saturate"):
            for fault in self._of_kind(kind):
                rise_s = self._lab.history.last_rise_s(float(t_s[-1]))
                start_s = fault.start_s(rise_s)
                if start_s is None:
                    continue
                during = (t_s >= start_s) & (t_s < start_s + fault.for_s)
                column = LABELS.index(fault.text("channel", LABELS[0]))
                noise = self._random.normal(0.0, 400.0, int(during.sum()))
                if kind == "saturate":
                    noise = np.where(noise > 0, RAIL_UV, -RAIL_UV)
                emg[during, column] = noise
        return emg

    def _restart(self) -> None:
        now_s = self._lab.world_now()
        rise_s = self._lab.history.last_rise_s(now_s)
        for fault in self._of_kind("restart"):
            start_s = fault.start_s(rise_s)
            key = hash((fault.model_dump_json(), start_s))
            if start_s is None or start_s > now_s or key in self._done_restarts:
                continue
            self._done_restarts.add(key)
            self._enabled.clear()
            self._waiting.clear()

    def _tell_clock(self, reason: str) -> None:
        self._lab.truth(
            {
                "kind": "clock",
                "device": self._name,
                "stream": STREAM,
                "t0_s": float(self._clock.true_time(self._next)),
                "period_s": self._clock.period_s,
                "counter0": 0,
                "reason": reason,
            }
        )

    def _of_kind(self, kind: str) -> list[FaultSpec]:
        return [one for one in self._lab.faults(self._name) if one.fault == kind]

    def _active(self, kind: FaultKind) -> list[FaultSpec]:
        now_s = self._lab.world_now()
        rise_s = self._lab.history.last_rise_s(now_s)
        return active_faults(self._lab.faults(self._name), kind, now_s, rise_s)
