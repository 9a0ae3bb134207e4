"""The one simulated person that drives every twin."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.sim.angles import StaticOffsets, joint_angles_deg, static_offsets
from devices.sim.body import Body, Pose
from devices.sim.config import LabConfig, Side
from devices.sim.echo import ECHO_MUSCLES, SAMPLES, Echo
from devices.sim.emg import EMG_CHANNELS, Emg
from devices.sim.forces import Plates, ground_forces
from devices.sim.history import History
from devices.sim.markers import MARKERS, place_markers
from devices.sim.noise import normal
from devices.sim.walk import BLOCK, RATE_HZ, EventKind, Rows, Walk

__all__ = ["ECHO_MUSCLES", "EMG_CHANNELS", "MARKERS", "EventKind", "Person"]

Array = NDArray[np.float64]
JOINTS = tuple(s + j + "Angles" for s in "LR" for j in ("Hip", "Knee", "Ankle"))
_ECHO_JOINTS = ("LAnkleAngles", "LAnkleAngles", "LKneeAngles", "LKneeAngles")
#: muscles are looked at every so many rows
EMG_STEP = 5
_KEPT_BLOCKS = 2400
_MARKER_CHANNEL = 400
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of the lattice; one row more at its start, two at its end."""

    first: int
    rows: Rows
    pose: Pose


class Person:
    """A body over the lab's history; every process gets identical values.

    Times are world seconds, shape (n,), no later than the lab's horizon and within
    about 10 s of the latest asked for. Between the instants of the 1 ms lattice values
    are interpolated.

    A **strike** is the instant the sole first touches the belt, an **off** the instant
    it leaves it; the force on that foot is zero exactly outside.
    """

    def __init__(self, config: LabConfig, history: History) -> None:
        self.config, self.history = config, history
        self.body = Body(config)
        self.anatomy = self.body.anatomy
        self.walk = Walk(config, history)
        self._plates = Plates(config)
        self._emg = Emg(config, history)
        self._echo = Echo(config)
        self._blocks: OrderedDict[int, _Block] = OrderedDict()
        self._cache: OrderedDict[tuple[str, int], Array] = OrderedDict()
        self._offsets: StaticOffsets | None = None

    @property
    def static_offsets(self) -> StaticOffsets:
        """What a static trial of this person, standing level and calm, yields."""
        if self._offsets is None:
            calm = Walk(self.config, History())
            calm.advance(1.0)
            self._offsets = static_offsets(self.body.pose(calm.rows(0, 1000)))
        return self._offsets

    def markers_m(self, t: Array) -> Array:
        """Return marker positions in world axes, shape (n, 16, 3), metres."""
        markers = self._between(t, "markers", self._block_markers)
        noise_mm = self.config.person.marker_noise_mm
        if noise_mm:
            index = np.round(t * 1e5).astype(np.int64)[:, None] * 48 + np.arange(48)
            noise = normal(self.config.seed, _MARKER_CHANNEL, index)
            markers = markers + noise.reshape(-1, 16, 3) * (noise_mm / 1000)
        return markers

    def plate_loads(self, t: Array) -> Array:
        """Return Fx Fy Fz (N) Mx My Mz (N·m) on each plate, shape (n, 2, 6)."""
        return self._between(t, "loads", self._block_loads)

    def foot_forces_n(self, t: Array) -> Array:
        """Return the true force on each foot in world axes, shape (n, 2, 3)."""
        return self._between(t, "forces", self._block_forces)

    def pressure_m(self, t: Array) -> Array:
        """Return each foot's centre of pressure in the world, shape (n, 2, 3)."""
        return self._between(t, "contact", lambda b: b.pose.feet.contact[1:-1])

    def com_m(self, t: Array) -> Array:
        """Return the centre of mass in world axes, shape (n, 3), metres."""
        return self._between(t, "com", lambda b: b.pose.com[1:-1])

    def angles_deg(self, t: Array) -> dict[str, Array]:
        """Return true joint angles, e.g. ``LKneeAngles`` (n, 3), degrees."""
        values = self._between(t, "angles", self._block_angles)
        return {name: values[:, i] for i, name in enumerate(JOINTS)}

    def emg_uv(self, t: Array) -> Array:
        """Return surface EMG in microvolts, shape (n, 13): `EMG_CHANNELS`."""
        t = np.asarray(t, np.float64)
        if not t.size:
            return np.empty((0, len(EMG_CHANNELS)))
        return self._emg.uv(t, self._rows_over(t, EMG_STEP))

    def echo(self, t: Array) -> NDArray[np.int16]:
        """Return A-mode lines, raw counts, shape (n, 4, 1000): `ECHO_MUSCLES`."""
        t = np.asarray(t, np.float64)
        if not t.size:
            return np.empty((0, len(ECHO_MUSCLES), SAMPLES), np.int16)
        k = np.floor(t * RATE_HZ + 1e-6).astype(np.int64)
        self.walk.reach(int(k.max()))
        rows = self.walk.at(k)
        angles = joint_angles_deg(self.body.pose(rows), self.static_offsets)
        bent = [angles[name][:, 0] for name in _ECHO_JOINTS]
        return self._echo.lines(t, rows, np.radians(np.stack(bent, axis=-1)))

    def phase(self, t: Array) -> Array:
        """Return left and right gait phase since strike, shape (n, 2), 0 to 1."""
        rows = self._rows_over(t)
        phase = np.interp(t, rows.t_s, rows.phase)
        return np.stack([phase, phase - 0.5], axis=-1) % 1.0

    def heel_strikes(
        self, t0_s: float, t1_s: float
    ) -> list[tuple[float, Side, EventKind]]:
        """Return strikes and offs in [t0_s, t1_s): time, side, event."""
        self.walk.advance(t1_s)
        events = self.walk.events
        begin = bisect_left(events, t0_s, key=lambda event: event[0])
        end = bisect_left(events, t1_s, key=lambda event: event[0])
        return events[begin:end]

    events = heel_strikes

    def _rows_over(self, t: Array, step: int = 1) -> Rows:
        """Return rows whose index is a multiple of `step` that cover `t`."""
        first = int(np.floor(t.min() * RATE_HZ)) // step * step
        last = int(np.floor(t.max() * RATE_HZ)) + step
        k = np.arange(first, last + step, step)
        self.walk.reach(int(k[-1]))
        return self.walk.at(k)

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            first = number * BLOCK
            self.walk.reach(first + BLOCK + 1)
            rows = self.walk.rows(first - 1, BLOCK + 3)
            block = _Block(first, rows, self.body.pose(rows))
            _remember(self._blocks, number, block)
        return block

    def _between(self, t: Array, name: str, make: Callable[[_Block], Array]) -> Array:
        """Interpolate what `make` finds in each block (BLOCK + 1 rows) at `t`."""
        t = np.asarray(t, np.float64)
        if not t.size:
            return np.empty((0,))
        at = t * RATE_HZ
        k = np.floor(at + 1e-6).astype(np.int64)
        part = np.clip(at - k, 0.0, 1.0)
        numbers = k // BLOCK
        lowest, highest = int(numbers.min()), int(numbers.max())
        if lowest == highest:
            return _interpolated(self._values(name, lowest, make), k % BLOCK, part)
        found: Array | None = None
        for number in np.unique(numbers).tolist():
            values = self._values(name, number, make)
            if found is None:
                found = np.empty((t.size, *values.shape[1:]))
            here = numbers == number
            found[here] = _interpolated(values, k[here] % BLOCK, part[here])
        return np.empty((0,)) if found is None else found

    def _values(self, name: str, number: int, make: Callable[[_Block], Array]) -> Array:
        values = self._cache.get((name, number))
        if values is None:
            values = make(self._block(number))
            _remember(self._cache, (name, number), values)
        return values

    def _block_markers(self, block: _Block) -> Array:
        return place_markers(self.anatomy, block.pose)[1:-1]

    def _block_forces(self, block: _Block) -> Array:
        return ground_forces(self.anatomy.mass_kg, block.pose, block.rows)

    def _block_loads(self, block: _Block) -> Array:
        forces = self._block_forces(block)
        rows, contact = block.rows.inner(), block.pose.feet.contact[1:-1]
        return self._plates.loads(block.first, rows, contact, forces)

    def _block_angles(self, block: _Block) -> Array:
        angles = joint_angles_deg(block.pose, self.static_offsets)
        return np.stack([angles[name][1:-1] for name in JOINTS], axis=1)


def _interpolated(values: Array, i: NDArray[np.int64], part: Array) -> Array:
    """Return `values` (rows, ...) between rows i and i + 1."""
    low = values[i]
    weight = part.reshape(-1, *(1,) * (values.ndim - 1))
    between: Array = low + weight * (values[i + 1] - low)
    return between


def _remember(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    kept[key] = value
    while len(kept) > _KEPT_BLOCKS:
        kept.popitem(last=False)
