"""A recording of a trial as the virtual lab would leave it, with known truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.storage.recording import RecordedStream, Recording
from devices.stream import Channel, Counter, TriggerInput

Array = NDArray[np.float64]
LSL_AT_ZERO_S = 5000.0


def line(rise: float, fall: float, rng: np.random.Generator, notches: bool) -> Array:
    """Instants at which the line toggles, the first one a rise."""
    toggles = [rise]
    at = rise + rng.uniform(0.6, 1.4)
    while notches and at + 0.42 < fall:
        toggles += [at, at + 0.12]
        at += rng.uniform(0.6, 1.4)
    return np.array([*toggles, fall])


@dataclass
class Device:
    """One simulated stream: its clock, its losses, how it is told to the reader."""

    name: str
    rate_hz: float
    skew_ppm: float = 0.0
    phase_s: float = 0.0
    latency_s: float = 0.004
    jitter_s: float = 0.003
    counter: str = "device"
    counter0: int = 0
    modulus: int = 2**24
    drop: tuple[tuple[int, int], ...] = ()
    trigger: TriggerInput | None = field(
        default_factory=lambda: TriggerInput("sync", "digital")
    )
    gated: bool = False
    seconds: float = 16.0
    chunk: int = 10

    def true_time(self, sample: Array) -> Array:
        period = (1.0 + self.skew_ppm * 1e-6) / self.rate_hz
        return self.phase_s + np.asarray(sample) * period

    def sampled(self) -> Array:
        n = np.arange(int(self.seconds * self.rate_hz))
        for first, count in self.drop:
            n = n[(n < first) | (n >= first + count)]
        return n.astype(np.float64)

    def stream(
        self, toggles: Array, rng: np.random.Generator
    ) -> tuple[RecordedStream, Array]:
        """Return the recorded stream and the true time of every row."""
        n = self.sampled()
        t = self.true_time(n)
        level = np.searchsorted(toggles, t, side="right") % 2
        if self.gated:
            inside = (t >= toggles[0]) & (t < toggles[-1])
            n, t, level = n[inside], t[inside], level[inside]
        count = n if self.counter == "device" else np.arange(n.size)
        count = (count + self.counter0) % self.modulus
        arrival = t + self.latency_s
        last = np.minimum(
            (np.arange(n.size) // self.chunk + 1) * self.chunk - 1, n.size - 1
        )
        delay = rng.exponential(self.jitter_s, n.size // self.chunk + 1)
        stamps = arrival[last] + delay[np.arange(n.size) // self.chunk]
        stamps -= (last - np.arange(n.size)) / self.rate_hz
        data = np.column_stack((rng.normal(size=n.size), level * 4.9, count))
        names = ("x", "sync", "index")
        source = RecordedStream(
            name=self.name,
            type="X",
            source_id=f"kinemuse:{self.name}:0:{self.name}",
            uid=self.name,
            rate_hz=self.rate_hz,
            dtype="float32",
            channels=tuple(Channel(label) for label in names),
            data=data.astype(np.float32),
            t_lsl=stamps + LSL_AT_ZERO_S,
            offsets=np.array([[5001.0, -2e-5, 1e-4], [5006.0, -3e-5, 1e-4]]),
            header_xml="<info/>",
            counter=Counter(self.counter, "index", self.modulus),
            trigger=self.trigger,
        )
        return source, t


@dataclass(eq=False)
class Lab:
    """A recording and what was really true."""

    recording: Recording
    toggles: Array
    truth: dict[str, Array]
    frame0: int

    def reference_s(self, t: Array) -> Array:
        """World seconds to Vicon seconds (frame / 100)."""
        return t + self.frame0 / 100.0

    def errors(self, name: str, time_s: Array) -> Array:
        return np.abs(time_s - self.reference_s(self.truth[name]))


def record(
    *devices: Device,
    seed: int = 1,
    notches: bool = True,
    frame0: int = 1234,
    rise: float = 2.7183,
    fall: float = 13.1415,
    change: Callable[[RecordedStream], RecordedStream] = lambda stream: stream,
    vicon: bool = True,
) -> Lab:
    rng = np.random.default_rng(seed)
    toggles = line(rise, fall, rng, notches)
    analog = TriggerInput("sync", "analog")
    streams = list(devices)
    if vicon:
        streams += [
            Device("vicon-markers", 100.0, counter0=frame0, trigger=None),
            Device("vicon-forces", 1000.0, counter0=frame0 * 10, trigger=analog),
        ]
    made = [(d.name, *d.stream(toggles, rng)) for d in streams]
    recording = Recording(Path("trial.xdf"), tuple(change(s) for _, s, _ in made))
    return Lab(recording, toggles, {name: t for name, _, t in made}, frame0)


def semg(**change: object) -> Device:
    return Device(
        "semg", 2000.0, skew_ppm=35.0, phase_s=0.2, counter="adapter", **change
    )  # type: ignore[arg-type]


def amode(**change: object) -> Device:
    defaults: dict[str, object] = {
        "skew_ppm": -20.0,
        "phase_s": 0.11,
        "modulus": 2**15,
        "chunk": 1,
    }
    return Device("amode", 20.0, **{**defaults, **change})  # type: ignore[arg-type]
