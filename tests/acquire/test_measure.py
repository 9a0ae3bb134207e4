"""What a recording shows of the instruments, against what was put in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquire.measure import measure, slopes, treadmill_seen
from acquire.storage.recording import RecordedStream, Recording
from devices.bertec import stream as treadmill
from devices.bertec.config import BertecConfig
from devices.stream import Channel
from tests.builders.lab_recording import Device, record, semg


def mill(hz: float = 40.0, noise: float = 0.0, seed: int = 1) -> RecordedStream:
    """Readback of a walk (0.4 m/s² to 1 m/s) and then of a deck move (0.8 deg/s)."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, 30.0, 1.0 / hz)
    speed = np.interp(t, [2.0, 4.5, 12.0, 14.5], [0.0, 1.0, 1.0, 0.0])
    deck = np.interp(t, [18.0, 24.25], [0.0, 5.0])
    speed = speed + noise * rng.normal(size=t.size) * (speed > 0)
    t[t > 20.0] += 0.5  # half a second of silence
    spec = treadmill.spec(BertecConfig())
    data = np.zeros((t.size, len(spec.channels)), np.float32)
    data[:, 0], data[:, 1], data[:, 2] = speed, speed, deck
    base = record(semg(seconds=4.0)).recording["semg"]
    return replace(
        base,
        name="treadmill",
        rate_hz=0.0,
        channels=spec.channels,
        data=data,
        t_lsl=t + 5000.0,
        trigger=None,
    )


def test_rate_silence_belts_and_deck_are_measured() -> None:
    seen = treadmill_seen(mill())
    assert seen.status_hz == pytest.approx(40.0, rel=0.03)
    assert seen.longest_silence_s == pytest.approx(0.525, abs=0.001)
    assert seen.fastest_mps == pytest.approx(1.0)
    assert seen.belt_accel_mps2 == pytest.approx(0.4, rel=0.05)
    assert (seen.deck_low_deg, seen.deck_high_deg) == (0.0, 5.0)
    assert seen.deck_dps == pytest.approx(0.8, rel=0.05)
    assert seen.deck_noise_deg == pytest.approx(0.0, abs=1e-3)


def test_noise_is_told_from_ramps() -> None:
    seen = treadmill_seen(mill(noise=0.002))
    assert seen.belt_noise_mps == pytest.approx(0.002, rel=0.3)


def test_a_deck_that_stands_has_no_speed() -> None:
    still = mill()
    still.data[:, 2] = 3.0
    assert treadmill_seen(still).deck_dps is None


def test_a_slope_needs_a_whole_window() -> None:
    t = np.linspace(0.0, 2.0, 41)
    found = slopes(t, 3.0 * t)
    assert found[20] == pytest.approx(3.0)
    assert found[0] == found[-1] == 0.0


def test_latency_is_that_of_the_stamps_against_vicons() -> None:
    probes = Device("amode", 20.0, latency_s=0.034, jitter_s=1e-4, modulus=2**15)
    lab = record(semg(latency_s=0.049, jitter_s=1e-4), probes)
    found = {pace.stream: pace for pace in measure(lab.recording).streams}
    vicon_ms = 4.0 + 3.0 * np.log(2)  # its own latency, and the median of its jitter
    assert found["semg"].later_ms == pytest.approx(49.0 - vicon_ms, abs=3.0)
    assert found["amode"].later_ms == pytest.approx(34.0 - vicon_ms, abs=6.0)
    assert found["vicon-markers"].later_ms is None
    assert found["semg"].rate_hz == pytest.approx(2000.0, rel=1e-3)


def test_plates_are_weighed() -> None:
    base = record(semg()).recording["vicon-forces"]
    channels = [f"{p}_{axis}" for p in ("FP1", "FP2") for axis in ("Fx", "Fy", "Fz")]
    rng = np.random.default_rng(3)
    data = rng.normal([0, 0, 300.0, 0, 0, 404.2], size=(len(base.t_lsl), 6))
    forces = replace(
        base, channels=tuple(Channel(c, "N") for c in channels), data=data, trigger=None
    )
    seen = measure(Recording(Path("w.xdf"), (forces,)))
    assert [plate.plate for plate in seen.plates] == ["FP1", "FP2"]
    assert seen.plates[0].fz_n == pytest.approx(300.0, abs=0.1)
    assert seen.plates[0].noise_n == pytest.approx(1.0, rel=0.05)
    assert seen.load_kg == pytest.approx(71.8, abs=0.1)


def test_without_edges_no_latency_is_claimed() -> None:
    lab = record(semg(trigger=None))
    found = {pace.stream: pace for pace in measure(lab.recording).streams}
    assert found["semg"].later_ms is None
