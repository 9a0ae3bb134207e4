"""Windows with known faults."""

import numpy as np
from scipy import signal

from acquire.live.stream import StreamStats
from acquire.quality.metric import Window


def stats(**changes) -> StreamStats:
    values = {
        "name": "s", "connected": True, "nominal_hz": 100.0, "rate_hz": 100.0,
        "n_samples": 1000, "age_s": 0.02, "latency_s": 0.01, "n_lost": 0,
        "n_doubled": 0, "n_restarts": 0, "counter_source": "device",
        "trigger_high": None, "n_rises": 0, "n_falls": 0, "offset_s": 0.0,
        "rtt_s": 0.0002, "simulated": True, "gated": False,
    }  # fmt: skip
    return StreamStats(**{**values, **changes})


def window(samples, rate_hz, labels, **changes) -> Window:
    samples = np.asarray(samples)
    stamps = np.arange(len(samples)) / (rate_hz or 1.0)
    return Window("s", rate_hz, tuple(labels), samples, stamps, **changes)


def muscle(seconds=6.0, *, burst_uv=150.0, noise_uv=3.0, seed=0) -> np.ndarray:
    """One channel at 2 kHz: band-limited bursts over quiet noise."""
    rng = np.random.default_rng(seed)
    n = int(2000 * seconds)
    sos = signal.butter(2, (40, 180), "bandpass", fs=2000, output="sos")
    carrier = signal.sosfilt(sos, rng.standard_normal(n)) * 2.5
    phase = (np.arange(n) / 2000 / 1.1) % 1
    envelope = np.exp(-(((phase - 0.5) / 0.12) ** 2)) * burst_uv + noise_uv
    return carrier * envelope


def white(rms_uv, seconds=6.0, seed=1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rms_uv * rng.standard_normal(int(2000 * seconds))


def steps(seconds=8.0, *, weight_n=706.0, offset_n=0.0) -> np.ndarray:
    """Two plates at 1 kHz, (n, 6): mean vertical force is exactly body weight."""
    n = int(1000 * seconds)
    t = np.arange(n) / 1000
    out = np.zeros((n, 6))
    for side in (0, 1):
        phase = (t / 1.0 + 0.5 * side) % 1
        out[:, 3 * side + 2] = np.where(phase < 0.6, np.sin(np.pi * phase / 0.6), 0)
        out[:, 3 * side + 1] = np.where(phase < 0.6, np.sin(2 * np.pi * phase / 0.6), 0)
    total = out[:, [2, 5]].sum(axis=1).mean()
    out *= weight_n / total
    out[:, 2] += offset_n
    return out


PLATES = ("left_Fx", "left_Fy", "left_Fz", "right_Fx", "right_Fy", "right_Fz")


def lines(n=100, *, gain=400.0, seed=2) -> np.ndarray:
    """One probe, (n, 1000): ring-down, echoes that move a little, noise."""
    rng = np.random.default_rng(seed)
    z = np.arange(1000)
    out = rng.normal(0, 10, (n, 1000))
    out += 1500 * np.exp(-z / 20) * np.sin(z * np.pi / 2)
    for depth in (200, 330, 520, 700):
        for k in range(n):
            at = int(depth + 6 * np.sin(k / 5))
            out[k, at : at + 12] += gain * np.sin(z[:12] * np.pi / 2)
    return np.round(out)


PROBE = tuple(f"CH1_{k:04d}" for k in range(1000))
