"""What the twin sent is what the adapter publishes."""

import time
from contextlib import closing

import numpy as np
import pytest

from devices.sim.person import Person
from devices.testing_peers import Proxy
from tests.builders.vicon_twin import (
    Collected,
    RunningTwin,
    collect,
    frames,
    lab_config,
)

FP = [f"{p}_{c}" for p in ("FP1", "FP2") for c in ("Fx", "Fy", "Fz", "Mx", "My", "Mz")]

WALK = {
    "left_mps": 1.0,
    "right_mps": 1.0,
    "accel_left_mps2": 5.0,
    "accel_right_mps2": 5.0,
}


@pytest.mark.parametrize(
    ("mode", "mangled"),
    [("push", False), ("push", True), ("pull", False), ("prefetch", False)],
)
def test_values_are_those_of_the_person(mode: str, mangled: bool) -> None:
    """Mangled: a proxy splits, merges and delays the bytes on their way."""
    with (
        RunningTwin(lab_config(skew_ppm=120.0)) as running,
        Proxy(running.port) as proxy,
    ):
        running.lab.append("belts", WALK)
        adapter = running.adapter(
            stream_mode=mode, port=proxy.port if mangled else running.port
        )
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(50 if mode == "push" else 20))
        adapter.stop()
        adapter.close()
        clocks = {r["stream"]: r for r in running.lab.records if r["kind"] == "clock"}
    number = seen.column("vicon-markers", "frame").astype(int)
    assert np.all(np.diff(number) > 0)
    if mode == "push":  # the others lose frames when they ask too late
        assert np.all(np.diff(number) == 1)
    truth = clocks["vicon-markers"]
    t_s = truth["t0_s"] + (number - truth["counter0"]) * truth["period_s"]
    person = Person(running.lab.config, running.lab.history)
    positions = person.markers_m(t_s).reshape(len(t_s), -1)
    np.testing.assert_allclose(
        seen.data("vicon-markers")[:, 1:], positions.astype(np.float32), atol=2e-7
    )
    index = seen.column("vicon-forces", "index").astype(int)
    rows = (number[:, None] * 10 + np.arange(10)).ravel()
    np.testing.assert_array_equal(index, rows)
    truth = clocks["vicon-forces"]
    t_s = truth["t0_s"] + (index - truth["counter0"]) * truth["period_s"]
    person = Person(running.lab.config, running.lab.history)
    loads = person.plate_loads(t_s).reshape(len(t_s), 12).astype(np.float32)
    sent = seen.data("vicon-forces")[:, :12]
    np.testing.assert_allclose(sent, loads, rtol=1e-6, atol=1e-6)
    assert sent[:, [2, 8]].sum(axis=1).mean() > 300.0  # N: someone stands there
    assert np.ptp(positions[:, 0]) > 0.001  # and moves
    assert [c.label for c in seen.specs["vicon-forces"].channels][:12] == FP


def test_a_twin_that_was_held_up_catches_up() -> None:
    """After a second without the processor nothing is lost, and nothing stays late."""
    with RunningTwin() as running, closing(running.adapter()) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(5))
        step = running.twin.step
        running.twin.step = lambda: time.sleep(0.01)
        time.sleep(1.0)
        running.twin.step = step

        def in_time(seen: Collected) -> bool:
            newest = seen.column("vicon-markers", "frame")[-1]
            return newest / 100.0 > running.lab.world_now() - 0.1

        collect(adapter, seen, in_time)
    assert "gap" not in seen.codes()
    assert len(seen.data("vicon-markers")) > 100
