"""The walk: gait phase integrated over the lab's history, and the steps that follow.

Simulated forward on a lattice of 1 ms, in blocks of fixed length, so that every
process finds the same numbers. What comes out is a table, one row per millisecond;
the body's pose is a pure function of a row (`devices.sim.body`).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from devices.sim import pattern
from devices.sim.config import LabConfig, Side
from devices.sim.filters import Smoother
from devices.sim.history import History
from devices.sim.noise import normal, wander
from devices.sim.steps import SETTLED, Anchor, Foot, Prediction

Array = NDArray[np.float64]
EventKind = Literal["strike", "off"]

RATE_HZ = 1000
BLOCK = 40
BLOCK_S = BLOCK / RATE_HZ
DT_S = 1 / RATE_HZ

#: below this belt speed the person stands
STAND_MPS = 0.02
TURN_RAD_S = math.radians(50)
STEP_WIDTH_M = 0.16
TOE_OUT_RAD = math.radians(6)
PARALLEL_M = 0.05
DRIFTED_M = 0.07
JUST_LANDED = 0.06
#: smallest progress of a swing: 0 means on the ground
ALOFT = 1e-9
_TAU_S = 0.12
_CADENCE, _PLACE, _WIDTH, _FORE, _LATERAL = 11, 12, 14, 16, 17
_SMOOTHER = Smoother(math.exp(-DT_S / _TAU_S), BLOCK)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the walk is at n instants. Left comes before right on axis 1."""

    t_s: Array
    phase: Array  #: strides since the start; the left foot strikes at whole numbers
    speed_mps: Array  #: low-passed mean belt speed, along the person's heading
    slope_deg: Array  #: low-passed, positive uphill
    gait: Array  #: 0 standing to 1 walking
    heading_rad: Array
    incline_rad: Array
    centre_m: Array  #: (n, 2) where the person keeps to on the deck: x, y
    place: Array  #: (n, 2, 3) x, y (m) and yaw (rad) of each foot on the deck
    swing: Array  #: (n, 2) progress of the swing, 0 to 1; 0 in stance
    load: Array  #: (n,) the left foot's share of the load, 0 to 1

    @property
    def cycle(self) -> Array:
        """Return each foot's phase since its strike, shape (n, 2), 0 to 1."""
        return np.stack([self.phase, self.phase - 0.5], axis=-1) % 1.0

    def inner(self) -> "Rows":
        """Return these rows without the first and the last."""
        return Rows(**{name: getattr(self, name)[1:-1] for name in _FIELDS})


_FIELDS = tuple(Rows.__dataclass_fields__)
_SHAPES: dict[str, tuple[int, ...]] = {
    "centre_m": (2,),
    "place": (2, 3),
    "swing": (2,),
}


class Walk:
    """The table of rows, kept for the last `KEPT_S`, and all events."""

    KEPT_S = 16.0

    def __init__(self, config: LabConfig, history: History) -> None:
        self._seed, self._history = config.seed, history
        self._leg_m = config.person.leg_length_mm / 1000
        self._ring = int(self.KEPT_S * RATE_HZ) // BLOCK * BLOCK
        self._table = {
            name: np.zeros((self._ring, *_SHAPES.get(name, ()))) for name in _FIELDS
        }
        self._n = -BLOCK  #: rows made; the lattice starts one block before time 0
        self.events: list[tuple[float, Side, EventKind]] = []
        start = np.zeros(1)
        self._turned = math.pi if bool(history.reversed_(start)[0]) else 0.0
        #: filter states of: left and right speed, slope, gait, heading
        levels = np.array([0.0, 0.0, 0.0, 0.0, self._turned])
        self._filter = _SMOOTHER.settled(levels)
        self._walking = False
        self._phase = 0.5 * (_rest_duty() - 0.5)
        self._settle: tuple[float, float, float, float] | None = None
        self._feet = [Foot(self._standing_anchor(side)) for side in (0, 1)]
        self._strides = [0, 0]
        self._last_cycle = np.array([self._phase, (self._phase + 0.5) % 1.0])
        self._rate_hz = pattern.MIN_STRIDE_HZ
        self._goal = self._turned

    @property
    def end_s(self) -> float:
        """Return the time up to which rows exist."""
        return (self._n - 1) * DT_S

    def advance(self, t_s: float) -> None:
        """Make rows up to `t_s`, in whole blocks."""
        self.reach(math.ceil(t_s * RATE_HZ))

    def reach(self, k: int) -> None:
        """Make rows up to lattice index `k`, in whole blocks."""
        while self._n <= k:
            self._block()

    def rows(self, first: int, count: int) -> Rows:
        """Return `count` rows of the lattice from `first` on, made already."""
        return self.at(np.arange(first, first + count))

    def at(self, k: NDArray[np.int64]) -> Rows:
        """Return the rows at lattice indices, made already."""
        oldest = max(self._n - self._ring, -BLOCK)
        if k.min() < oldest or k.max() >= self._n:
            raise ValueError(
                f"the walk keeps {oldest / RATE_HZ} s to {self._n / RATE_HZ} s, "
                f"not {k.min() / RATE_HZ} s to {k.max() / RATE_HZ} s"
            )
        i = k % self._ring
        return Rows(**{name: table[i] for name, table in self._table.items()})

    def _block(self) -> None:
        k = np.arange(self._n, self._n + BLOCK)
        t = k / RATE_HZ
        belts = self._history.belt_mps(t)
        travel = self._history.belt_travel_m(t)
        incline = self._history.incline_deg(t)
        heading = self._heading(bool(self._history.reversed_(t[:1])[0]))
        along = np.cos(heading)
        self._decide(belts[0], travel[0])
        raw = np.stack(
            [
                belts[:, 0] * along,
                belts[:, 1] * along,
                incline * along,
                np.full(BLOCK, float(self._walking)),
                heading,
            ],
            axis=-1,
        )
        smoothed: Array
        smoothed, self._filter = _SMOOTHER(raw, self._filter)
        speed = 0.5 * (smoothed[:, 0] + smoothed[:, 1])
        slope = smoothed[:, 2]
        duty = pattern.duty(speed)
        rate = pattern.stride_hz(speed, slope, self._leg_m)
        rate = rate * (1 + 0.012 * wander(self._seed, _CADENCE, t, 1.7))
        phase = self._advance_phase(t, rate)
        centre = self._centre(t)
        cycle = np.stack([phase, phase - 0.5], axis=-1) % 1.0
        context = _Context(
            t, belts, travel, smoothed, duty, rate, slope, centre, cycle, phase
        )
        place = np.empty((BLOCK, 2, 3))
        swing = np.zeros((BLOCK, 2))
        for side in (0, 1):
            place[:, side], swing[:, side] = self._step(side, context)
        self._last_cycle, self._rate_hz = cycle[-1], float(rate[-1])
        self._store(
            k[0],
            t_s=t,
            phase=phase,
            speed_mps=speed,
            slope_deg=slope,
            gait=smoothed[:, 3],
            heading_rad=smoothed[:, 4],
            incline_rad=np.radians(incline),
            centre_m=centre,
            place=place,
            swing=swing,
            load=_left_load(cycle[:, 0], duty, swing),
        )
        self._n += BLOCK

    def _store(self, first: int, **values: Array) -> None:
        at = int(first) % self._ring
        for name, value in values.items():
            self._table[name][at : at + BLOCK] = value

    def _heading(self, turned: bool) -> Array:
        """Turn on the spot at a steady rate towards where the person is to face."""
        self._goal = goal = math.pi if turned else 0.0
        start = self._turned
        move = np.arange(1, BLOCK + 1) * (TURN_RAD_S * DT_S)
        heading: Array = start + np.clip(goal - start, -move, move)
        self._turned = float(heading[-1])
        return heading

    def _centre(self, t: Array) -> Array:
        fore = 0.018 * wander(self._seed, _FORE, t, 3.1)
        lateral = 0.008 * wander(self._seed, _LATERAL, t, 4.3)
        return np.stack([fore, lateral], axis=-1)

    def _decide(self, belts: Array, travel: Array) -> None:
        """Start or stop walking, at the beginning of a block."""
        apart, astray = self._feet_astray(travel)
        wanted = (
            astray
            or float(np.abs(belts).max()) > STAND_MPS
            or abs(self._goal - self._turned) > 1e-3
        )
        if wanted:
            self._walking, self._settle = True, None
        elif self._walking and not any(foot.swinging for foot in self._feet):
            just_landed = bool((self._last_cycle < JUST_LANDED).any())
            if apart < PARALLEL_M and just_landed:
                self._walking, self._settle = False, self._settling()

    def _feet_astray(self, travel: Array) -> tuple[float, bool]:
        """Return how far the feet are apart, and whether they need a step."""
        along = math.cos(self._turned)
        ahead, astray = [], False
        for foot in self._feet:
            x, _, yaw = foot.place(np.zeros(1), travel[None])[0].tolist()
            ahead.append(along * x + pattern.STAND_AHEAD_M)
            astray |= abs(ahead[-1]) > DRIFTED_M
            astray |= abs(math.remainder(yaw - self._turned, 2 * math.pi)) > 0.35
        return abs(ahead[0] - ahead[1]), astray

    def _settling(self) -> tuple[float, float, float, float]:
        """Return how the phase comes to rest in the middle of double support."""
        goal = 0.5 * (_rest_duty() - 0.5)
        gap = max(goal - float(self._last_cycle.min()), 1e-3)
        return (self._n * DT_S, self._phase + gap, gap, self._rate_hz)

    def _advance_phase(self, t: Array, rate: Array) -> Array:
        if self._walking:
            phase = self._phase + np.cumsum(rate) * DT_S
        elif self._settle is None:
            phase = np.full(BLOCK, self._phase)
        else:
            start_s, goal, gap, hz = self._settle
            tau = t - start_s + DT_S
            decay = 8.0
            slow = decay - hz / gap
            quick = slow * decay - decay * decay / 2
            phase = goal - gap * (1 + slow * tau + quick * tau * tau) * np.exp(
                -decay * tau
            )
        self._phase = float(phase[-1])
        return phase

    def _step(self, side: int, now: "_Context") -> tuple[Array, Array]:
        """Advance one foot by a block; return its place (n, 3) and swing (n,)."""
        foot = self._feet[side]
        if foot.swinging:
            return self._swing(side, now)
        place, swing = np.empty((BLOCK, 3)), np.zeros(BLOCK)
        cycle, duty = now.cycle[:, side], now.duty
        before = np.concatenate([[self._last_cycle[side]], cycle[:-1]])
        leaves = np.flatnonzero((before < duty) & (cycle >= duty) & (cycle > before))
        at = int(leaves[0]) if leaves.size and self._walking else BLOCK
        place[:at] = foot.place(swing[:at], now.travel[:at])
        if at < BLOCK:
            part = (duty[at] - before[at]) / (cycle[at] - before[at])
            self._event(now.t[at], part, side, "off")
            stride = math.floor(now.phase[at] - 0.5 * side)
            foot.leave(self._plan(side, now, at), stride)
            u = (cycle[at:] - duty[at:]) / (1 - duty[at:])
            place[at:] = foot.place(u, now.travel[at:])
            swing[at:] = np.maximum(u, ALOFT)
        return place, swing

    def _swing(self, side: int, now: "_Context") -> tuple[Array, Array]:
        """Advance a foot that is in the air, or has just struck."""
        foot = self._feet[side]
        cycle = now.phase - 0.5 * side - foot.stride
        u = (cycle - now.duty) / (1 - now.duty)
        if u[0] < 1:
            self._correct(side, now, float(u[0]))
        place = foot.place(u, now.travel)
        struck = int(np.searchsorted(cycle, 1.0))
        if struck < BLOCK and not foot.struck:
            foot.struck = True
            gained = float(cycle[1] - cycle[0])
            part = 1 - (float(cycle[struck]) - 1.0) / gained
            self._event(now.t[struck], part, side, "strike")
            self._strides[side] += 1
        if u[-1] >= SETTLED:
            foot.land()
        return place, np.where(cycle < 1, np.maximum(u, ALOFT), 0.0)

    def _event(self, t_s: float, part: float, side: int, kind: EventKind) -> None:
        """Write down a crossing between `t_s` and the row before it."""
        at = float(t_s) - DT_S * (1 - min(max(float(part), 0.0), 1.0))
        name: Side = "left" if side == 0 else "right"
        self.events.append((at, name, kind))

    def _plan(self, side: int, now: "_Context", j: int) -> Anchor:
        """Choose where to land: as far ahead as stance will carry the foot back."""
        swing_s = float((1 - now.duty[j]) / now.rate[j])
        stance_s = float(now.duty[j] / now.rate[j])
        heading = self._heading_in(swing_s + 0.5 * stance_s)
        outward = 1.0 if side == 0 else -1.0
        index = np.array([self._strides[side]])
        wide = 0.007 * float(normal(self._seed, _WIDTH + side, index)[0])
        lateral = outward * (STEP_WIDTH_M / 2 + now.gait(j) * wide)
        yaw = heading + outward * TOE_OUT_RAD
        c, s = math.cos(heading), math.sin(heading)
        ahead = self._ahead_m(now, j, c, lateral) + self._spread_m(side, now.gait(j))
        x = now.centre[j, 0] + c * ahead - s * lateral
        y = s * ahead + c * lateral
        belt = 0 if y > 0 else 1
        travel = now.prediction(j, belt).travel_after(swing_s)
        return Anchor(belt, x + travel, y, yaw)

    def _spread_m(self, side: int, gait: float) -> float:
        """Return by how much this step is longer than meant."""
        index = np.array([self._strides[side]])
        return 0.008 * gait * float(normal(self._seed, _PLACE + side, index)[0])

    def _ahead_m(self, now: "_Context", j: int, along: float, lateral: float) -> float:
        """Return the landing place ahead of the person's centre."""
        belt = 0 if lateral * along > 0 else 1
        stance_s = float(now.duty[j] / now.rate[j])
        swing_s = float((1 - now.duty[j]) / now.rate[j])
        coming = now.prediction(j, belt)
        speed = (coming.speed_mps + coming.accel_mps2 * swing_s) * along
        if speed * coming.speed_mps * along < 0:  # it will have stopped by then
            speed = 0.0
        bias = pattern.step_ahead_m(np.array([speed]), now.slope[j : j + 1])
        return float(bias[0]) + 0.5 * speed * stance_s

    def _correct(self, side: int, now: "_Context", u: float) -> None:
        """Keep the landing place where it is wanted as belts change speed."""
        foot = self._feet[side]
        if foot.target is None:
            return
        remaining_s = float((1 - now.cycle[0, side]) / now.rate[0])
        c, s = math.cos(foot.target.yaw_rad), math.sin(foot.target.yaw_rad)
        if abs(s) > 0.3:  # turning: the plan stands
            return
        lateral = foot.target.y_m * math.copysign(1.0, c)
        prediction = now.prediction(0, foot.target.belt)
        lands = foot.landing_x_m() - prediction.travel_after(remaining_s)
        ahead = self._ahead_m(now, 0, math.copysign(1.0, c), lateral)
        ahead += self._spread_m(side, now.gait(0))
        wanted = now.centre[0, 0] + math.copysign(1.0, c) * ahead
        foot.correct(u, wanted - lands)

    def _heading_in(self, tau_s: float) -> float:
        """Return the heading expected `tau_s` from now."""
        move = TURN_RAD_S * tau_s
        return self._turned + min(max(self._goal - self._turned, -move), move)

    def _standing_anchor(self, side: int) -> Anchor:
        outward = 1.0 if side == 0 else -1.0
        c = math.cos(self._turned)
        y = c * outward * STEP_WIDTH_M / 2
        x = -c * pattern.STAND_AHEAD_M
        return Anchor(0 if y > 0 else 1, x, y, self._turned + outward * TOE_OUT_RAD)


@dataclass(frozen=True, slots=True)
class _Context:
    """What a block knows when it steps: arrays of one row per millisecond."""

    t: Array
    belts: Array
    travel: Array
    smoothed: Array
    duty: Array
    rate: Array
    slope: Array
    centre: Array
    cycle: Array
    phase: Array

    def gait(self, j: int) -> float:
        return float(self.smoothed[j, 3])

    def prediction(self, j: int, belt: int) -> Prediction:
        """Return what belt `belt` is doing at row `j`."""
        i = max(j, 1)
        accel = float(self.belts[i, belt] - self.belts[i - 1, belt]) / DT_S
        return Prediction(
            float(self.travel[j, belt]), float(self.belts[j, belt]), accel
        )


def _rest_duty() -> float:
    return float(pattern.duty(np.zeros(1))[0])


def _left_load(cycle: Array, duty: Array, swing: Array) -> Array:
    """Return the left foot's share: quick at first contact and last, slow between."""
    both = duty - 0.5
    first = np.clip(cycle / both, 0.0, 1.0)
    second = np.clip((cycle - 0.5) / both, 0.0, 1.0)
    share = np.where(cycle < 0.5, transfer(first), 1 - transfer(second))
    share = np.where(swing[:, 0] > 0, 0.0, share)
    return np.where(swing[:, 1] > 0, 1.0, share)


def transfer(x: Array) -> Array:
    """Return the share of load taken over at progress `x` of double support."""
    taken: Array = x + 1.6 * x * (1 - x) * (1 - 2 * x)
    return taken
