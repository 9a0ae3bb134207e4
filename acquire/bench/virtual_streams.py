"""What the adapters of the virtual lab would publish of a stretch of a planned walk.

Headers are made by the adapters' own code from what the twins tell of themselves;
samples are the person's, taken at the instants of each twin's clock, counted and
stamped as the adapters do it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.bench.virtual_walk import Walk
from acquire.event_stream import EVENTS
from acquire.rig import RigConfig
from acquire.storage.stream_description import header_xml
from devices.amode import stream as amode
from devices.bertec import stream as bertec
from devices.bertec.state import BeltState
from devices.noraxon import stream as noraxon
from devices.noraxon.wire import Header
from devices.sim.clock import SimClock
from devices.sim.config import ClockConfig
from devices.sim.person import Person
from devices.sim.trigger_line import TriggerLine
from devices.stream import StreamSpec
from devices.vicon import specs as vicon
from devices.vicon.layout import build_layout
from devices.vicon.objects import decode_statics
from devices.vicon.twin_scene import FRAME_HZ, SAMPLES_PER_FRAME, SYNC_HIGH_V, Scene

Floats = NDArray[np.float64]
LSL_AT_ZERO_S = 10_000.0  #: the host clock at world time 0
STATUS_HZ = 10.0
BURST_S = 0.05  #: samples that an adapter hands on together


@dataclass(frozen=True, eq=False)
class Rendered:
    """One stream of one trial: header, samples (n, n_channels), stamps (n,)."""

    spec: StreamSpec
    header_xml: str
    samples: NDArray[Any]
    stamps: Floats


class VirtualStreams:
    """Renders every stream of a walk, stretch by stretch in order of time."""

    def __init__(self, rig: RigConfig, walk: Walk) -> None:
        if rig.lab is None:
            raise ValueError(f"{rig.name!r} is a real laboratory, not simulated")
        self._rig, self.walk, self._lab = rig, walk, walk.config
        self._person: Person = walk.person()
        self._line = TriggerLine(walk.history, self._lab.waveform, self._lab.seed)
        self._random = np.random.default_rng(self._lab.seed)
        self._specs = self._make_specs()

    def render(self, t0_s: float, t1_s: float) -> Iterator[Rendered]:
        """Yield every stream of the world times [t0_s, t1_s), one at a time."""
        yield self._frames(t0_s, t1_s)
        yield self._loads(t0_s, t1_s)
        yield self._muscles(t0_s, t1_s)
        yield self._echoes(t0_s, t1_s)
        yield self._belts(t0_s, t1_s)

    def event(self, text: str, t_s: float) -> Rendered:
        """Return the events of a trial: one, at world time `t_s`."""
        stamps = np.array([LSL_AT_ZERO_S + t_s])
        return self._rendered(EVENTS, np.array([[text]], object), stamps, "session")

    def _make_specs(self) -> dict[str, StreamSpec]:
        settings = {name: entry.settings for name, entry in self._rig.devices.items()}
        scene = Scene(self._lab, self.walk.history)
        packed: dict[int, list[memoryview]] = {}
        for object_id, body in scene.statics():
            packed.setdefault(int(object_id), []).append(memoryview(body))
        layout = build_layout(decode_statics(packed), settings["vicon"], "virtual lab")
        sync = Header("Sync", "switch", settings["noraxon"].rate_hz, "", 13)
        made = (
            vicon.marker_spec(layout, settings["vicon"]),
            vicon.force_spec(layout, settings["vicon"], SAMPLES_PER_FRAME),
            noraxon.spec(settings["noraxon"], sync),
            amode.spec(settings["amode"], np.dtype(np.int16)),
            bertec.spec(settings["bertec"]),
        )
        return {spec.name: spec for spec in made}

    def _clock(self, device: str, rate_hz: float) -> SimClock:
        twin = self._lab.twins.get(device)
        config = twin.clock if twin else ClockConfig()
        return SimClock(config, rate_hz, 0.0, seed=self._lab.seed)

    def _taken(
        self, device: str, rate_hz: float, t0_s: float, t1_s: float
    ) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Return sample numbers, world times and stamps of a stretch, (n,) each."""
        clock = self._clock(device, rate_hz)
        index = np.arange(clock.due(t0_s), clock.due(t1_s))
        times = clock.true_time(index)
        burst = max(round(BURST_S * rate_hz), 1)
        last = np.minimum((index // burst + 1) * burst - 1, index[-1])
        arrived = clock.delivery_time(last)
        stamps = LSL_AT_ZERO_S + arrived - (last - index) / rate_hz
        return index, times, stamps

    def _frames(self, t0_s: float, t1_s: float) -> Rendered:
        spec = self._specs[vicon.MARKERS]
        index, times, stamps = self._taken("vicon", FRAME_HZ, t0_s, t1_s)
        markers = self._person.markers_m(times).reshape(index.size, -1)
        rows = np.column_stack([index % vicon.COUNTER_MODULUS, markers])
        return self._rendered(spec, rows, stamps, "vicon")

    def _loads(self, t0_s: float, t1_s: float) -> Rendered:
        spec = self._specs[vicon.FORCES]
        rate = FRAME_HZ * SAMPLES_PER_FRAME
        index, times, stamps = self._taken("vicon", rate, t0_s, t1_s)
        loads = self._person.plate_loads(times).reshape(index.size, -1)
        level = self._line.level(times) * SYNC_HIGH_V
        rows = np.column_stack([loads, level, index % vicon.COUNTER_MODULUS])
        return self._rendered(spec, rows, stamps, "vicon")

    def _muscles(self, t0_s: float, t1_s: float) -> Rendered:
        spec = self._specs[noraxon.NAME]
        index, times, stamps = self._taken("noraxon", spec.rate_hz, t0_s, t1_s)
        emg, level = self._person.emg_uv(times), self._line.level(times)
        rows = np.column_stack([emg, level, index % noraxon.INDEX_MODULUS])
        return self._rendered(spec, rows, stamps, "noraxon")

    def _echoes(self, t0_s: float, t1_s: float) -> Rendered:
        spec = self._specs[amode.NAME]
        index, times, stamps = self._taken("amode", spec.rate_hz, t0_s, t1_s)
        level = self._line.level(times)
        tick_us = np.round(self._clock("amode", spec.rate_hz).device_time(index) * 1e6)
        parts = [
            tick_us.astype(np.int64) >> (amode.TICK_BITS * k) & (2**amode.TICK_BITS - 1)
            for k in range(amode.N_TICKS)
        ]
        lines = self._person.echo(times).reshape(index.size, -1)
        seq = index % amode.SEQ_MODULUS
        rows = np.column_stack([seq, level, level, *parts, lines])
        return self._rendered(spec, rows, stamps, "amode")

    def _belts(self, t0_s: float, t1_s: float) -> Rendered:
        spec = self._specs[bertec.NAME]
        index, times, stamps = self._taken("bertec", STATUS_HZ, t0_s, t1_s)
        belts = self.walk.history.belt_mps(times)
        incline = self.walk.history.incline_deg(times)
        facing = -1.0 if self.walk.reversed else 1.0
        codes = BeltState.MOVING.value, BeltState.IDLE.value
        state = np.where(belts.any(axis=1), *codes)
        side = np.full(index.size, facing)
        rows = np.column_stack([belts, incline, belts, incline, side, state, index])
        return self._rendered(spec, rows, stamps, "bertec")

    def _rendered(
        self, spec: StreamSpec, rows: NDArray[Any], stamps: Floats, device: str
    ) -> Rendered:
        entry = self._rig.devices.get(device)
        header = header_xml(
            spec,
            device=device,
            kind=entry.kind if entry else "events",
            simulated=True,
            waveform=self._lab.waveform,
            uid=f"virtual-{spec.name}",
        )
        kind = object if spec.dtype == "string" else spec.dtype
        return Rendered(spec, header, rows.astype(kind), stamps)
