"""The twin goes wrong as told, the adapter says so, and the truth is written down."""

import socket
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from devices.errors import DeviceConnectionError, DeviceTimeoutError
from devices.sim.faults import FaultSpec
from tests.builders.vicon_twin import (
    Collected,
    RunningTwin,
    collect,
    frames,
    lab_config,
)

MARKERS, FORCES = "vicon-markers", "vicon-forces"


def inject(running: RunningTwin, fault: str) -> None:
    """Inject a fault now, given as ``drop:n=3``; it begins 0.2 s ahead of the world."""
    value = FaultSpec.parse(f"vicon:{fault}").to_mapping()
    del value["at"]
    running.lab.append("fault", value)


def record(running: RunningTwin, fault: str, n: int = 80, **settings) -> Collected:
    """Record 5 frames, inject a fault, and record until there are `n` frames."""
    with closing(running.adapter(**settings)) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(5))
        if fault:
            inject(running, fault)
        return collect(adapter, seen, frames(n))


def truth(running: RunningTwin, kind: str, stream: str = MARKERS) -> list[dict]:
    records = running.lab.records
    return [r for r in records if r["kind"] == kind and r["stream"] == stream]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.perf_counter() + 20.0
    while not condition():
        assert time.perf_counter() < deadline
        time.sleep(0.01)


def gaps(seen: Collected) -> list[tuple[int, int]]:
    found = [notice.data for notice in seen.notices if notice.code == "gap"]
    return [(data["previous"] + 1, data["n_lost"]) for data in found]


def test_drop() -> None:
    with RunningTwin() as running:
        seen = record(running, "drop:n=7")
        lost = truth(running, "lost")
    assert gaps(seen) == [(lost[0]["counter"], 7)]
    assert lost[0]["n"] == 7
    forces = truth(running, "lost", FORCES)[0]
    assert (forces["counter"], forces["n"]) == (lost[0]["counter"] * 10, 70)
    missing = np.setdiff1d(
        np.arange(seen.column(FORCES, "index")[-1]), seen.column(FORCES, "index")
    )
    assert set(forces["counter"] + np.arange(70)) <= set(missing.astype(int))


def test_duplicate() -> None:
    with RunningTwin() as running:
        seen = record(running, "duplicate:n=3")
    assert sum(n.data["n"] for n in seen.notices if n.code == "duplicate") == 3
    assert np.all(np.diff(seen.column(MARKERS, "frame")) == 1)


def test_occlude() -> None:
    with RunningTwin() as running:
        seen = record(running, "occlude:marker=LKNE,for=0.2")
    knee, heel = (seen.column(MARKERS, f"{m}_X") for m in ("LKNE", "LHEE"))
    assert np.count_nonzero(np.isnan(knee)) == 20
    assert not np.isnan(heel).any()
    assert gaps(seen) == []


def test_stall_that_loses_frames() -> None:
    with RunningTwin() as running:
        seen = record(running, "stall:for=0.3")
        lost = truth(running, "lost")
    assert gaps(seen) == [(lost[0]["counter"], lost[0]["n"])]
    assert lost[0]["n"] == 30


def test_stall_longer_than_allowed() -> None:
    with (
        RunningTwin() as running,
        pytest.raises(DeviceTimeoutError, match="no frame for"),
    ):
        record(running, "stall:for=9", 500, stall_timeout_s=0.4)


def test_pause_goes_on_with_the_next_number() -> None:
    with RunningTwin() as running:
        seen = record(running, "stall:for=0.2,pause=1")
        clocks = truth(running, "clock")
    assert gaps(seen) == []
    assert np.all(np.diff(seen.column(MARKERS, "frame")) == 1)
    first, second = clocks
    assert second["reason"] == "pause"
    n = second["counter0"] - first["counter0"]
    paused_s = second["t0_s"] - first["t0_s"] - n * first["period_s"]
    assert paused_s == pytest.approx(0.2, abs=0.011)


def test_burst_loses_nothing() -> None:
    with RunningTwin() as running:
        seen = record(running, "burst:for=0.3")
    assert np.all(np.diff(seen.column(MARKERS, "frame")) == 1)
    assert max(len(c.samples) for c in seen.chunks if c.stream == MARKERS) >= 10
    for stream in (MARKERS, FORCES):
        t_last = [chunk.t_last for chunk in seen.chunks if chunk.stream == stream]
        assert np.all(np.diff(t_last) > 0)


def test_wrap_of_the_counter() -> None:
    with RunningTwin() as running:
        seen = record(running, "wrap:")
        clocks = truth(running, "clock", FORCES)
    index = seen.column(FORCES, "index").astype(int)
    assert index.max() == 2**24 - 1
    assert index[-1] < 10_000
    assert clocks[-1]["reason"] == "wrap"
    assert len(gaps(seen)) == 1
    steps = np.diff(index) % 2**24
    assert np.count_nonzero(steps != 1) == 1  # the jump; the wrap itself is none


def test_missing_plate() -> None:
    with RunningTwin() as running:
        seen = record(running, "drop:input=Force Plate 2,for=0.2")
    assert np.count_nonzero(np.isnan(seen.column(FORCES, "FP2_Fz"))) == 200
    assert not np.isnan(seen.column(FORCES, "FP1_Fz")).any()
    (notice,) = [n for n in seen.notices if n.code == "missing_samples"]
    assert "FP2 (Force Plate 2)" in notice.message


def test_saturated_plate() -> None:
    """The person stands: some 300 N on each plate, of which 100 N arrive."""
    with RunningTwin() as running:
        seen = record(running, "saturate:input=Force Plate 2,limit=100,for=0.3", 120)
    one, two = (np.abs(seen.column(FORCES, f"FP{i}_Fz")) for i in (1, 2))
    assert np.count_nonzero(two == 100.0) == 300
    assert np.count_nonzero(two > 200.0) > 300
    assert one.min() > 200.0


def test_bouncing_line() -> None:
    with RunningTwin() as running, closing(running.adapter()) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(5))
        inject(running, "bounce:ms=6,for=9")
        collect(adapter, seen, frames(10))
        running.lab.append("line", {"high": True, "name": "T1"})
        collect(adapter, seen, lambda s: s.column(FORCES, "sync")[-20:].min() > 2.5)
    high = seen.column(FORCES, "sync") > 2.5
    first = int(np.flatnonzero(high)[0])
    rises = np.flatnonzero(np.diff(high[first - 1 : first + 20].astype(int)) > 0)
    assert rises.size in (2, 3)  # the edge itself, and the chatter within 6 ms
    assert rises.max() <= 6


@pytest.mark.parametrize("fault", ["disconnect", "restart"])
def test_outage_and_reconnection(fault: str) -> None:
    with RunningTwin(lab_config(options={"first_frame": 5000})) as running:
        adapter = running.adapter()
        with closing(adapter):
            seen = Collected(adapter.connect(3.0))
            adapter.start()
            collect(adapter, seen, frames(5))
            inject(running, f"{fault}:for=0.5")
            with pytest.raises(DeviceConnectionError, match="lost"):
                collect(adapter, seen, frames(1000))
            adapter.close()
            with pytest.raises(DeviceConnectionError, match="is port right"):
                adapter.connect(0.2)
            last = int(seen.column(MARKERS, "frame")[-1])
            time.sleep(0.6)
            again = Collected(adapter.connect(3.0))
            adapter.start()
            collect(adapter, again, frames(10))
        clocks = truth(running, "clock")
    first = int(again.column(MARKERS, "frame")[0])
    if fault == "restart":
        assert first < 4000
        assert again.codes()[:1] == ["restart"]
        assert clocks[-1]["reason"] == "restart"
        assert clocks[-1]["counter0"] == 1
    else:
        assert gaps(again) == [(last + 1, first - last - 1)]
        assert len(clocks) == 1


def test_fault_by_rule() -> None:
    faults = ["drop:n=4,at=0.2,after=rise"]
    with RunningTwin(lab_config(faults=faults)) as running:
        running.lab.append("line", {"high": True, "name": "T1"})
        rise_s = running.lab.history.last_rise_s(99.0)
        wait_for(lambda: truth(running, "lost"))
        lost, clock = truth(running, "lost")[0], truth(running, "clock")[0]
    assert rise_s is not None
    late_s = clock["t0_s"] + (lost["counter"] - clock["counter0"]) * clock["period_s"]
    assert lost["n"] == 4
    assert 0.2 < late_s - rise_s <= 0.2101


def test_capture_raises_the_line_in_the_analog_channel() -> None:
    with RunningTwin() as running, closing(running.adapter()) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, seen, frames(10))
        adapter.command("capture_start", {"name": "Trial_1"})
        collect(adapter, seen, lambda s: s.column(FORCES, "sync")[-1] > 2.5)
        history = running.lab.history
        assert history.line_name(running.lab.world_now() + 0.3) == "Trial_1"
        adapter.command("capture_stop", {})
        while len(history.line_changes()) < 2:
            collect(adapter, seen, frames(len(seen.data(MARKERS)) + 1))
        ((rise_s, _), (fall_s, _)) = history.line_changes()
        start = truth(running, "clock", FORCES)[0]

        def t_s(seen: Collected) -> np.ndarray:
            n = seen.column(FORCES, "index").astype(float) - start["counter0"]
            return start["t0_s"] + n * start["period_s"]

        collect(adapter, seen, lambda seen: t_s(seen)[-1] > fall_s + 0.05)
    level = seen.column(FORCES, "sync")
    assert set(np.unique(level)) == {0.0, 5.0}
    high = t_s(seen)[level > 2.5]
    assert 0 <= high[0] - rise_s < 0.00101
    assert -0.121 <= high[-1] - fall_s < 0


def test_two_clients_get_the_same() -> None:
    with RunningTwin() as running:
        one, two = running.adapter(), running.adapter(stream_mode="pull")
        with closing(one), closing(two):
            seen = [Collected(adapter.connect(3.0)) for adapter in (one, two)]
            for adapter in (one, two):
                adapter.start()
            for _ in range(200):
                for adapter, collected in zip((one, two), seen, strict=True):
                    collected.chunks += adapter.read(0.02)
                if all(len(collected.data(MARKERS)) > 30 for collected in seen):
                    break
    first, second = (collected.data(MARKERS) for collected in seen)
    _, i, j = np.intersect1d(first[:, 0], second[:, 0], return_indices=True)
    assert i.size > 20
    np.testing.assert_array_equal(first[i], second[j])


def test_nonsense_from_a_client_ends_only_that_client() -> None:
    with (
        RunningTwin() as running,
        socket.create_connection(("127.0.0.1", running.port)) as bad,
    ):
        bad.sendall(b"GET / HTTP/1.0\r\n\r\n")
        bad.settimeout(2.0)
        while bad.recv(4096):
            pass
        assert gaps(record(running, "", 20)) == []


def test_marker_sets_of_the_options() -> None:
    legs = ["LKNE", "LANK", "RKNE", "RANK"]
    options = {"marker_sets": [{"at": 0.1, "markers": legs}]}
    with RunningTwin(lab_config(options=options)) as running:
        wait_for(lambda: running.twin.scene.version > 0)
        with closing(running.adapter()) as adapter:
            spec = adapter.connect(3.0)[0]
    assert [c.label for c in spec.channels][1::3] == [f"{m}_X" for m in legs]
