"""A person of known steps on two plates, seen by instruments with clocks of their own.

Written from Newton's laws and the plate manual's picture, not from the code under
test: vertical force is shared by the feet so that it always sums to the weight, the
pressure centre runs along the foot, and loads are taken into plate axes by rotating
world vectors about the deck's pivot.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.gait.plates import Plate
from acquire.storage.recording import RecordedStream, Recording
from acquire.storage.stream_description import header_xml
from acquire.storage.stream_header import parse_header
from devices.stream import Channel, Counter, StreamSpec, TriggerInput

Floats = NDArray[np.float64]
G = 9.80665
EMG = (
    "R_TA",
    "R_MG",
    "R_LG",
    "R_SOL",
    "R_RF",
    "R_VLO",
    "R_VMO",
    "R_BF",
    "R_SEM",
    "L_TA",
    "L_LG",
    "L_RF",
    "L_BF",
)
MARKERS = (
    "LASI",
    "RASI",
    "LPSI",
    "RPSI",
    "LTHI",
    "LKNE",
    "LTIB",
    "LANK",
    "LHEE",
    "LTOE",
    "RTHI",
    "RKNE",
    "RTIB",
    "RANK",
    "RHEE",
    "RTOE",
)
AXIS_NAMES = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
PIVOT_M = np.array([-0.8, 0.0, -0.1])
SURFACE_M = 0.015  #: belt surface above the plate origin


@dataclass(frozen=True)
class Walk:
    """What the person does; `facing` -1 walks toward -x."""

    duration_s: float = 14.0
    stride_s: float = 1.1
    stance: float = 0.62
    mass_kg: float = 72.0
    speed_mps: float = 1.0
    incline_deg: float = 0.0
    facing: int = 1
    offset_n: tuple[float, float] = (7.0, -4.0)
    noise_n: float = 0.5
    belt_kg: float = 0.0  #: weight on each plate, zeroed on the level

    def strikes(self, side: str) -> Floats:
        first = 0.35 + (0.0 if side == "left" else self.stride_s / 2)
        return np.arange(first, self.duration_s, self.stride_s)

    def offs(self, side: str) -> Floats:
        found = self.strikes(side) + self.stance * self.stride_s
        return np.concatenate([[found[0] - self.stride_s], found])

    def phase(self, side: str, t: Floats) -> Floats:
        first = 0.35 + (0.0 if side == "left" else self.stride_s / 2)
        return ((t - first) / self.stride_s) % 1.0

    def share(self, side: str, t: Floats) -> Floats:
        """Share of the weight on one foot: ramps in the two double supports."""
        phase, both = self.phase(side, t), self.stance - 0.5
        rise = np.clip(phase / both, 0, 1)
        fall = np.clip((self.stance - phase) / both, 0, 1)
        return np.where(phase < self.stance, np.minimum(rise, fall), 0.0)

    def turn(self) -> Floats:
        a = np.deg2rad(self.incline_deg)
        return np.array(
            [[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]]
        )

    def to_world(self, level: Floats) -> Floats:
        """Turn points given for the level deck about the pivot."""
        return (level - PIVOT_M) @ self.turn().T + PIVOT_M

    def heel(self, side: str, t: Floats) -> Floats:
        """Heel marker, world m, shape (n, 3)."""
        phase = self.phase(side, t)
        reach = self.speed_mps * self.stance * self.stride_s
        swing = np.clip((phase - self.stance) / (1 - self.stance), 0, 1)
        back = np.where(
            phase < self.stance,
            reach * (0.5 - phase / self.stance),
            reach * (-0.5 + (1 - np.cos(np.pi * swing)) / 2),
        )
        y = (0.12 if side == "left" else -0.12) * self.facing
        up = 0.05 + 0.15 * np.sin(np.pi * swing) * (phase >= self.stance)
        level = np.column_stack([self.facing * back, np.full_like(t, y), up])
        return self.to_world(level)

    def toe(self, side: str, t: Floats) -> Floats:
        along = self.turn() @ np.array([0.2 * self.facing, 0, 0])
        return self.heel(side, t) + along

    def cop(self, side: str, t: Floats) -> Floats:
        """Pressure centre on the belt surface, world m."""
        progress = np.clip(self.phase(side, t) / self.stance, 0, 1)
        heel, toe = self.heel(side, t), self.toe(side, t)
        spot = heel + (0.1 + 0.7 * progress)[:, None] * (toe - heel)
        level = (spot - PIVOT_M) @ self.turn() + PIVOT_M
        level[:, 2] = 0.0
        return self.to_world(level)

    def force(self, side: str, t: Floats) -> Floats:
        """Reaction on the person, world N: the weight's share, straight up."""
        up = self.mass_kg * G * self.share(side, t)
        return np.column_stack([np.zeros_like(t), np.zeros_like(t), up])


#: y forward (+x of the world), x left (+y), z down, as the treadmill's manual draws it
AXES = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def plate(name: str, y_low: float, y_high: float) -> Plate:
    corners = np.array(
        [[0.9, y_high, 0], [0.9, y_low, 0], [-0.9, y_low, 0], [-0.9, y_high, 0]]
    )
    return Plate(name, AXES, np.array([-0.9, 0.0, -SURFACE_M]), corners)


PLATES = (plate("FP1", 0.005, 0.505), plate("FP2", -0.505, -0.005))


def loads(walk: Walk, t: Floats, seed: int = 1) -> list[Floats]:
    """What each plate reports, shape (n, 6), plate axes, on the plate."""
    rng = np.random.default_rng(seed)
    found = []
    for k, one in enumerate(PLATES):
        side = ("left", "right")[k] if walk.facing > 0 else ("right", "left")[k]
        force = -walk.force(side, t)
        origin = walk.to_world(one.origin_m[None])[0]
        axes = walk.turn() @ one.rotation
        moment = np.cross(walk.cop(side, t) - origin, force)
        load = np.hstack([force @ axes, moment @ axes])
        load[:, :3] += rng.normal(0, walk.noise_n, (t.size, 3))
        load[:, 2] += walk.offset_n[k]
        load[:, 3] += 0.1 * walk.offset_n[k]
        load += belt_load(walk, one)
        found.append(load)
    return found


def belt_load(walk: Walk, one: Plate) -> Floats:
    """What belt and rollers add to a plate that was zeroed on the level, shape (6,)."""
    down = np.array([0.0, 0.0, -walk.belt_kg * G])
    force = down @ (walk.turn() @ one.rotation) - down @ one.rotation
    middle = (one.corners_m.mean(axis=0) - one.origin_m) @ one.rotation
    return np.concatenate([force, np.cross(middle, force)])


def with_treadmill(made: "Session") -> "Session":
    """Add the treadmill's status: belts and deck as the walk has them, all along."""
    walk, names = made.walk, ("left_mps", "right_mps", "incline_deg")
    speed = walk.facing * walk.speed_mps * (walk.mass_kg > 0)
    spec = StreamSpec(
        "treadmill", "Treadmill", 0.0, tuple(Channel(n) for n in names), "float64"
    )
    t = np.arange(0, walk.duration_s, 0.05)
    rows = np.tile([speed, speed, walk.incline_deg], (t.size, 1))
    added = stream(
        spec, rows, 5000.0 + t, simulated=made.recording.streams[0].simulated
    )
    streams = (*made.recording.streams, added)
    return replace(made, recording=replace(made.recording, streams=streams))


def markers(walk: Walk, t: Floats) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    for k, name in enumerate(MARKERS):
        side = "left" if name[0] == "L" else "right"
        y = (0.12 if side == "left" else -0.12) * walk.facing
        spot = np.array([0.0, y, 0.0])
        heights = {
            "ASI": 1.0,
            "PSI": 1.02,
            "THI": 0.7,
            "KNE": 0.5,
            "TIB": 0.3,
            "ANK": 0.1,
        }
        if name[1:] == "HEE":
            found[name] = walk.heel(side, t)
        elif name[1:] == "TOE":
            found[name] = walk.toe(side, t)
        else:
            follow = 1 - heights[name[1:]]
            base = (
                walk.to_world(spot[None]) * (1 - follow) + walk.heel(side, t) * follow
            )
            base[:, 2] = base[:, 2] * follow + heights[name[1:]]
            base[:, 0] += 0.08 * walk.facing * (name[1:] == "ASI")
            base[:, 0] += 0.002 * np.sin(2 * np.pi * t / walk.stride_s + k)
            found[name] = base
    return found


def emg_uv(t: Floats) -> Floats:
    """Thirteen sines of their own frequencies in true time, shape (n, 13)."""
    rates = 31.0 + 3.0 * np.arange(13)
    return np.asarray(80.0 * np.sin(2 * np.pi * rates * t[:, None]))


@dataclass(frozen=True)
class Clock:
    """Sample k of an instrument is taken at `start_s` + k/rate·(1 + skew)."""

    start_s: float
    skew_ppm: float
    rate_hz: float

    def at(self, index: Floats) -> Floats:
        return self.start_s + index / self.rate_hz * (1 + self.skew_ppm * 1e-6)


@dataclass(frozen=True)
class Session:
    """A recorded trial and what was true in it; times on the lab's clock, s."""

    recording: Recording
    walk: Walk
    rise_s: float
    fall_s: float
    clocks: dict[str, Clock] = field(default_factory=dict)
    kept: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def t0_s(self) -> float:
        """Trial time 0: the first Vicon frame at or after the rise."""
        return float(np.ceil(self.rise_s * 100 - 1e-9) / 100)

    def trial_time_s(self) -> dict[str, Floats]:
        """True trial time of every recorded row."""
        return {
            name: self.clocks[name].at(np.flatnonzero(kept).astype(np.float64))
            - self.t0_s
            for name, kept in self.kept.items()
        }


def line(t: Floats, rise_s: float, fall_s: float) -> NDArray[np.bool_]:
    """The trigger level with 120 ms notches at irregular times."""
    high = (t >= rise_s) & (t < fall_s)
    at, gaps = rise_s, np.random.default_rng(5).uniform(0.6, 1.4, 400)
    for gap in gaps:
        at += gap
        if at > fall_s - 0.3:
            break
        high &= ~((t >= at) & (t < at + 0.12))
    return np.asarray(high)


def stream(
    spec: StreamSpec, data: NDArray[Any], t_lsl: Floats, *, simulated: bool = True
) -> RecordedStream:
    xml = header_xml(
        spec,
        device=spec.name.split("-")[0],
        kind="test",
        simulated=simulated,
        waveform="level+pulses",
    )
    head = parse_header(xml)
    times = np.arange(t_lsl[0], t_lsl[-1], 2.0) if t_lsl.size else np.empty(0)
    offsets = np.column_stack([times, np.zeros_like(times), np.full_like(times, 2e-4)])
    return RecordedStream(
        spec.name,
        spec.type,
        head.source_id,
        "uid",
        spec.rate_hz,
        spec.dtype,
        spec.channels,
        data,
        t_lsl,
        offsets,
        xml,
        head.counter,
        head.trigger,
        head.waveform,
        simulated,
        "lab",
        0,
    )


def plate_metadata(one: Plate) -> dict[str, Any]:
    """As the Vicon adapter writes it."""
    return {
        "device": one.name,
        "translation_m": one.origin_m.tolist(),
        "rotation": one.rotation.tolist(),
        "corners_m": one.corners_m.tolist(),
        "pose_incline_deg": one.pose_incline_deg,
    }


def session(
    walk: Walk = Walk(),
    *,
    lost_emg: slice = slice(0, 0),
    lost_us: slice = slice(0, 0),
    first_frame: int = 1000,
    simulated: bool = True,
    trigger: bool = True,
    path: Path = Path("Trial_1_take1.h5"),
) -> Session:
    """Record a walk: 1 s before the rise at 1.003 s, 1 s after the fall."""
    end = walk.duration_s
    rise, fall = 1.003, end - 1.0
    clocks = {
        "vicon-markers": Clock(0.0, 0.0, 100.0),
        "vicon-forces": Clock(0.0, 0.0, 1000.0),
        "semg": Clock(0.0213, 60.0, 2000.0),
        "amode": Clock(0.0371, -45.0, 20.0),
    }
    count = {name: int((end - c.start_s) * c.rate_hz) for name, c in clocks.items()}
    index = {name: np.arange(n, dtype=np.float64) for name, n in count.items()}
    t = {name: clocks[name].at(index[name]) for name in clocks}
    level = {name: trigger * line(t[name], rise, fall) for name in clocks}
    wave = TriggerInput

    placed = markers(walk, t["vicon-markers"])
    xyz = tuple(Channel(f"{m}_{a}", "meters") for m in MARKERS for a in "XYZ")
    frames = np.column_stack(
        [first_frame + index["vicon-markers"], *(placed[m] for m in MARKERS)]
    ).astype("f4")
    specs: list[tuple[StreamSpec, NDArray[Any]]] = [
        (
            StreamSpec(
                "vicon-markers",
                "MoCap",
                100.0,
                (Channel("frame"), *xyz),
                counter=Counter("device", "frame"),
            ),
            frames,
        )
    ]
    force_channels = tuple(
        Channel(f"{p.name}_{a}", "newtons" if a[0] == "F" else "newton-meters")
        for p in PLATES
        for a in AXIS_NAMES
    )
    specs.append(
        (
            StreamSpec(
                "vicon-forces",
                "Force",
                1000.0,
                (*force_channels, Channel("sync", "V"), Channel("index")),
                counter=Counter("device", "index"),
                trigger=wave("sync"),
                metadata={
                    "plates": {p.name: plate_metadata(p) for p in PLATES},
                },
            ),
            np.column_stack(
                [
                    *loads(walk, t["vicon-forces"]),
                    5.0 * level["vicon-forces"],
                    first_frame * 10 + index["vicon-forces"],
                ]
            ).astype("f4"),
        )
    )
    emg = np.column_stack([emg_uv(t["semg"]), 5.0 * level["semg"], index["semg"]])
    specs.append(
        (
            StreamSpec(
                "semg",
                "EMG",
                2000.0,
                (
                    *(Channel(m, "uV") for m in EMG),
                    Channel("sync", "V"),
                    Channel("index"),
                ),
                counter=Counter("device", "index"),
                trigger=wave("sync"),
            ),
            emg.astype("f4"),
        )
    )
    echo = np.zeros((count["amode"], 4000), "i2")
    echo[:] = (index["amode"][:, None] * 7 + np.arange(4000)) % 2000 - 1000
    ticks = np.zeros((count["amode"], 4), "i2")
    heads = np.column_stack(
        [index["amode"] % 2**15, level["amode"], np.zeros(count["amode"])]
    ).astype("i2")
    depth = tuple(Channel(f"CH{c}_{k:04d}") for c in (1, 2, 3, 4) for k in range(1000))
    lead = ["seq", "trigger", "flags", "tick_0", "tick_1", "tick_2", "tick_3"]
    specs.append(
        (
            StreamSpec(
                "amode",
                "Ultrasound",
                20.0,
                (*(Channel(c) for c in lead), *depth),
                "int16",
                counter=Counter("device", "seq", 2**15),
                trigger=wave("trigger", "digital"),
            ),
            np.hstack([heads, ticks, echo]),
        )
    )
    made, rows = [], {}
    for spec, data in specs:
        keep = np.ones(data.shape[0], bool)
        keep[lost_emg if spec.name == "semg" else slice(0, 0)] = False
        keep[lost_us if spec.name == "amode" else slice(0, 0)] = False
        rows[spec.name] = keep
        stamps = 5000.0 + t[spec.name] + 0.004
        made.append(stream(spec, data[keep], stamps[keep], simulated=simulated))
    texts = [{"event": "trial_start", "t_lsl": 5000.0 + rise - 0.02}]
    made.append(
        stream(
            StreamSpec(
                "kinemuse-events", "Markers", 0.0, (Channel("event"),), "string"
            ),
            np.array([[json.dumps(text)] for text in texts], dtype=object),
            np.array([text["t_lsl"] for text in texts], dtype=np.float64),
            simulated=simulated,
        )
    )
    attributes = {
        "participant": "P43",
        "session": "2026-11-22_1",
        "condition": "Ideal",
        "mode": "LG_0",
        "speed": "S_1",
        "trial": 1,
        "take": 1,
        "simulated": simulated,
        "complete": True,
        "facing": "forward" if walk.facing > 0 else "reversed",
    }
    recording = Recording(path, tuple(made), True, attributes)
    return Session(recording, walk, rise, fall, clocks, rows)
