"""A process that publishes every stream with plausible signals, for pictures and load.

``python -m tests.builders.synthetic_lab --session-id ID [--unplug R_SOL]``
"""

import argparse
import json
import time

import numpy as np

from acquire.lsl import Outlet, configure, local_clock
from devices.stream import Channel, Chunk, Counter, StreamSpec, TriggerInput

MUSCLES_TEXT = "R_TA R_MG R_LG R_SOL R_RF R_VLO R_VMO R_BF R_SEM L_TA L_LG L_RF L_BF"
MUSCLES = MUSCLES_TEXT.split()
MARKERS_TEXT = (
    "LASI RASI LPSI RPSI LTHI LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE RTOE"
)
MARKERS = MARKERS_TEXT.split()
STRIDE_S = 1.1
STEP_S = 0.05


def specs() -> dict[str, StreamSpec]:
    axes = [Channel(f"{m}_{a}", "meters") for m in MARKERS for a in "XYZ"]
    loads = [
        Channel(f"{side}_{what}")
        for side in ("left", "right")
        for what in ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
    ]
    lines = [Channel(f"CH{p}_{k:04d}") for p in range(1, 5) for k in range(1000)]
    head = [Channel(name) for name in ("seq", "trigger", "flags")]
    ticks = [Channel(f"tick_{k}") for k in range(4)]
    names = (
        "left_mps right_mps incline_deg left_set_mps right_set_mps "
        "incline_set_deg facing state index"
    )
    belts = names.split()
    found = [
        StreamSpec(
            "vicon-markers", "MoCap", 100.0, (Channel("frame"), *axes),
            counter=Counter("device", "frame"),
        ),
        StreamSpec(
            "vicon-forces", "Force", 1000.0,
            (*loads, Channel("sync"), Channel("index")),
            counter=Counter("device", "index"), trigger=TriggerInput("sync"),
        ),
        StreamSpec(
            "semg", "EMG", 2000.0,
            (*(Channel(m, "uV") for m in MUSCLES), Channel("sync"), Channel("index")),
            counter=Counter("adapter", "index"),
            trigger=TriggerInput("sync", "digital"),
        ),
        StreamSpec(
            "amode", "Ultrasound", 20.0, (*head, *ticks, *lines), "int16",
            counter=Counter("device", "seq", 2**15),
            trigger=TriggerInput("trigger", "digital"),
        ),
        StreamSpec(
            "treadmill", "Treadmill", 0.0, tuple(Channel(b) for b in belts),
            counter=Counter("adapter", "index"),
            metadata={"state_codes": {"unknown": "0", "idle": "1", "moving": "2"}},
        ),
        StreamSpec(
            "kinemuse-events", "Markers", 0.0, (Channel("event"),), "string"
        ),
    ]  # fmt: skip
    return {spec.name: spec for spec in found}


class Body:
    """Something that walks at one stride in `STRIDE_S`."""

    def __init__(self, unplugged: set[str]) -> None:
        self.rng = np.random.default_rng(1)
        self.unplugged = unplugged
        self.depth = self.rng.uniform(60, 900, (4, 25)).astype(int)
        self.gain = self.rng.uniform(150, 900, (4, 25))

    def emg(self, t):
        out = np.empty((len(t), 13))
        for row, name in enumerate(MUSCLES):
            phase = (t / STRIDE_S + row * 0.23 + 0.5 * (name[0] == "L")) % 1
            burst = 120 * np.exp(-(((phase - 0.4) / 0.1) ** 2)) + 5
            noise = self.rng.standard_normal(len(t) + 8)
            smooth = np.convolve(noise, [1, 3, 4, 3, 1, -2, -4, -2, -1], "valid") / 6
            out[:, row] = smooth * burst
            if name in self.unplugged:
                out[:, row] = 60 * self.rng.standard_normal(len(t))
        return out

    def forces(self, t):
        out = self.rng.standard_normal((len(t), 12))
        for side in (0, 1):
            phase = (t / STRIDE_S + 0.5 * side) % 1
            on = phase < 0.62
            s = np.where(on, phase / 0.62, 0)
            fz = 706 * (1.09 * np.sin(np.pi * s) ** 0.5 - 0.25 * np.sin(np.pi * s) ** 8)
            out[:, 6 * side + 2] += np.where(on, np.clip(fz * 1.13, 0, None), 0)
            out[:, 6 * side + 1] += np.where(on, -130 * np.sin(2 * np.pi * s), 0)
            out[:, 6 * side] += np.where(on, 35 * np.sin(np.pi * s), 0)
        return out

    def markers(self, t):
        out = np.empty((len(t), 16, 3))
        sway = 0.02 * np.sin(4 * np.pi * t / STRIDE_S)
        for row, name in enumerate(MARKERS):
            y = 0.13 if name[0] == "L" else -0.13
            if name[1:] in ("ASI", "PSI"):
                x = 0.1 if name[1] == "A" else -0.1
                out[:, row] = np.stack([x + 0 * t, y + 0 * t, 0.98 + sway], 1)
                continue
            phase = 2 * np.pi * (t / STRIDE_S + 0.5 * (name[0] == "L"))
            hip = 0.42 * np.sin(phase)
            knee = hip - 0.45 - 0.45 * np.cos(phase + 0.6)
            thigh = np.stack([np.sin(hip), -np.cos(hip)], 1)
            shank = np.stack([np.sin(knee), -np.cos(knee)], 1)
            foot = np.stack([np.cos(knee * 0.5), np.sin(knee * 0.5)], 1)
            at = np.stack([0 * t, 0.9 + sway], 1) + {
                "THI": thigh * 0.2, "KNE": thigh * 0.42,
                "TIB": thigh * 0.42 + shank * 0.2,
                "ANK": thigh * 0.42 + shank * 0.41,
                "HEE": thigh * 0.42 + shank * 0.44 - foot * 0.06,
                "TOE": thigh * 0.42 + shank * 0.45 + foot * 0.15,
            }[name[1:]]  # fmt: skip
            out[:, row] = np.stack([at[:, 0], y + 0 * t, at[:, 1]], 1)
        return out

    def echoes(self, t):
        z = np.arange(1000)
        out = self.rng.normal(0, 12, (len(t), 4, 1000))
        ring = 1800 * np.exp(-z / 22.0) * np.sin(z * np.pi / 2)
        for k, when in enumerate(t):
            shift = 18 * np.sin(2 * np.pi * when / STRIDE_S + np.arange(4))
            for probe in range(4):
                for depth, gain in zip(
                    self.depth[probe], self.gain[probe], strict=True
                ):
                    at = int(depth + shift[probe] * depth / 500)
                    part = slice(max(0, at - 8), min(1000, at + 8))
                    out[k, probe, part] += gain * np.sin(z[part] * np.pi / 2)
                out[k, probe] += ring
        return np.clip(out, -2047, 2047)


def publish(seconds: float, unplug: set[str], occlude: set[str]) -> None:
    made = {
        name: Outlet(spec, device="synthetic", kind="test", simulated=True)
        for name, spec in specs().items()
    }
    body, n = Body(unplug), dict.fromkeys(made, 0)
    t0 = local_clock()
    hidden = [row for row, name in enumerate(MARKERS) if name in occlude]
    made["kinemuse-events"].push_text(json.dumps({"event": "session_start"}), t0)
    while (now := local_clock()) - t0 < seconds:
        for name, spec in specs_cache().items():
            due = int((now - t0) * (spec.rate_hz or 10.0))
            index = np.arange(n[name], due)
            n[name] = due
            if not index.size or spec.dtype == "string":
                continue
            t = index / (spec.rate_hz or 10.0)
            line = ((t % 8) > 3).astype(float)
            made[name].push(
                Chunk(name, rows_of(name, body, t, index, line, hidden), now)
            )
        time.sleep(STEP_S)


def specs_cache(cache={}):  # noqa: B006
    return cache or cache.update(specs()) or cache


def rows_of(name, body, t, index, line, hidden):
    if name == "semg":
        return np.column_stack([body.emg(t), line, index]).astype(np.float32)
    if name == "vicon-forces":
        return np.column_stack([body.forces(t), 5 * line, index]).astype(np.float32)
    if name == "vicon-markers":
        positions = body.markers(t)
        positions[:, hidden] = np.nan
        rows = np.column_stack([index, positions.reshape(len(t), -1)])
        return rows.astype(np.float32)
    if name == "amode":
        zeros = np.zeros((len(t), 5))
        lines = body.echoes(t).reshape(len(t), -1)
        return np.column_stack([index % 2**15, line, zeros, lines]).astype(np.int16)
    row = [1.0, 1.0, 5.0, 1.0, 1.0, 5.0, 1.0, 2.0, index[-1]]
    return np.array([row], np.float32)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--session-id", required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--unplug", default="")
    parser.add_argument("--occlude", default="")
    options = parser.parse_args()
    configure(options.session_id)
    publish(
        options.seconds, set(options.unplug.split(",")), set(options.occlude.split(","))
    )
