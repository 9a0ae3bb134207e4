"""The adapter against a server whose every frame is written by hand."""

import socket
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from devices.adapter import Commandable, DeviceAdapter, Reporting, Restreaming
from devices.errors import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    SetpointRejectedError,
    WireFormatError,
)
from devices.registry import DeviceKind
from devices.vicon import twin_pack
from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.kind import KIND
from tests.builders.vicon_script import ScriptedServer
from tests.builders.vicon_session import (
    dynamics,
    loads,
    lock,
    plate,
    session,
    subject,
    sync,
)
from tests.builders.vicon_twin import Collected, collect, frames


def run(served: ScriptedServer, until, **settings) -> Collected:
    with served, closing(served.adapter(**settings)) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        return collect(adapter, seen, until)


def test_is_what_it_says() -> None:
    adapter = KIND.make("vicon", KIND.config(), time.perf_counter)
    assert isinstance(KIND, DeviceKind)
    for protocol in (DeviceAdapter, Reporting, Restreaming, Commandable):
        assert isinstance(adapter, protocol)
    assert adapter.snapshot()["running"] is False


def test_stamps_are_arrival_less_the_reported_latency() -> None:
    before_s = time.perf_counter()
    seen = run(ScriptedServer(), frames(5))
    markers = [c for c in seen.chunks if c.stream == "vicon-markers"]
    forces = [c for c in seen.chunks if c.stream == "vicon-forces"]
    for one, other in zip(markers, forces, strict=True):
        # 6 ms of latency; the last sub-sample is 9 ms younger than the frame, but
        # not younger than its own arrival
        assert other.t_last - one.t_last == pytest.approx(0.006)
        assert before_s < one.t_last < time.perf_counter()
    assert np.all(np.diff([chunk.t_last for chunk in markers]) > 0)


def test_doubtful_latency_is_not_used() -> None:
    def render(i: int):
        return [*dynamics(i), twin_pack.latency_info([("bad", float("nan"))])]

    seen = run(ScriptedServer(render), lambda seen: "latency" in seen.codes())
    assert all(np.isfinite(chunk.t_last) for chunk in seen.chunks)
    assert seen.codes().count("latency") == 1


@pytest.mark.parametrize("n_lost", [1, 40])
def test_gap_is_reported_exactly(n_lost: int) -> None:
    def render(i: int):
        return dynamics(i if i < 10 else i + n_lost)

    seen = run(ScriptedServer(render), frames(20))
    (gap,) = [notice for notice in seen.notices if notice.code == "gap"]
    assert (gap.data["n_lost"], gap.data["previous"]) == (n_lost, 10)
    steps = np.diff(seen.column("vicon-markers", "frame"))
    assert sorted(steps)[-1] == n_lost + 1
    assert np.count_nonzero(steps != 1) == 1


def test_burst_with_a_gap_keeps_stamps_in_order() -> None:
    with ScriptedServer() as served, closing(served.adapter()) as adapter:
        seen = Collected(adapter.connect(3.0))
        adapter.start()
        served.render = lambda i: (
            dynamics(i if i % 7 else i + 1) if i % 7 != 1 else None
        )
        time.sleep(0.15)
        seen = collect(adapter, seen, frames(40))
    for stream, n in (("vicon-markers", 1), ("vicon-forces", 10)):
        mine = [chunk for chunk in seen.chunks if chunk.stream == stream]
        assert np.all(np.diff([chunk.t_last for chunk in mine]) > 0)
        for chunk in mine:
            counter = chunk.samples[:, 0 if n == 1 else -1]
            assert np.all(np.diff(counter) == 1)


def test_duplicates_are_dropped_with_a_notice() -> None:
    seen = run(ScriptedServer(lambda i: dynamics(i // 2)), frames(10))
    assert np.all(np.diff(seen.column("vicon-markers", "frame")) == 1)
    assert "duplicate" in seen.codes()


def test_restart_of_the_numbering() -> None:
    def render(i: int):
        return dynamics(i + 5000 if i < 10 else i - 10)

    seen = run(ScriptedServer(render), frames(20))
    assert "restart" in seen.codes()
    assert "gap" not in seen.codes()
    assert seen.column("vicon-markers", "frame")[-1] < 50


def test_missing_samples_are_nan_and_noted_once() -> None:
    def render(i: int):
        whole = dynamics(i)
        if 10 <= i < 15:
            return [o for o in whole if o[0] not in (10, 11, 12)]
        return whole

    seen = run(ScriptedServer(render), frames(25))
    fx = seen.column("vicon-forces", "FP1_Fx")
    assert np.count_nonzero(np.isnan(fx)) == 50
    assert not np.isnan(seen.column("vicon-forces", "sync")).any()
    noted = [n for n in seen.notices if n.code in ("missing_samples", "samples_back")]
    assert [notice.code for notice in noted] == ["missing_samples", "samples_back"]
    assert noted[1].data["n_missing"] == 50
    assert noted[0].data["frame"] == 11


def test_server_without_devices() -> None:
    statics = session(subject())
    seen = run(ScriptedServer(statics=statics), frames(5), sync_device="")
    assert list(seen.specs) == ["vicon-markers"]


def test_forces_alone_are_not_asked_for_when_not_wanted() -> None:
    with ScriptedServer() as served, closing(served.adapter(forces=False)) as adapter:
        assert [spec.name for spec in adapter.connect(3.0)] == ["vicon-markers"]
        (client,) = served.server.clients
        assert client.wanted is not None
        assert not client.wanted & {3, 4, 10, 11, 12, 13, 20}


def test_connect_says_what_is_missing() -> None:
    served = ScriptedServer(statics=session(subject("Wand"), *plate(), *lock()))
    with served, closing(served.adapter()) as adapter:
        began_s = time.perf_counter()
        with pytest.raises(DeviceError, match=r"no subject with markers.*\['Wand'\]"):
            adapter.connect(5.0)
        assert time.perf_counter() - began_s < 3.0


def test_connect_to_a_server_that_is_not_live() -> None:
    served = ScriptedServer(lambda _: None)
    message = r"no frame within 0\.4 s.*live"
    with (
        served,
        closing(served.adapter()) as adapter,
        pytest.raises(DeviceTimeoutError, match=message),
    ):
        adapter.connect(0.4)


def test_connect_to_devices_that_send_nothing() -> None:
    def render(i: int):
        return dynamics(i)[:3]

    served = ScriptedServer(render)
    with (
        served,
        closing(served.adapter()) as adapter,
        pytest.raises(DeviceTimeoutError, match="no samples of Plate, Lock Lab"),
    ):
        adapter.connect(0.4)


def test_stall_is_an_error_in_time() -> None:
    served = ScriptedServer(lambda i: dynamics(i) if i < 20 else None)
    began_s = time.perf_counter()
    with pytest.raises(DeviceTimeoutError, match=r"no frame for .*live"):
        run(served, frames(10_000), stall_timeout_s=0.3)
    assert time.perf_counter() - began_s < 3.0


def test_stall_while_another_marker_set_is_being_learnt() -> None:
    def render(i: int):
        if i == 20:
            served.describe(session(subject("P44"), *plate(), *lock()))
        return dynamics(i) if i <= 20 else None

    served = ScriptedServer(render)
    with pytest.raises(DeviceTimeoutError, match="no frame for"):
        run(served, frames(10_000), stall_timeout_s=0.3)


def test_damage_in_mid_stream() -> None:
    def render(i: int):
        return dynamics(i) if i < 10 else [*dynamics(i)[:2], (6, b"\xff\xff\xff\xff")]

    with pytest.raises(WireFormatError, match=r"vicon at 127.*LABELED_RECONS"):
        run(ScriptedServer(render), frames(10_000))


def test_not_connected_not_started() -> None:
    with ScriptedServer() as served, closing(served.adapter()) as adapter:
        for call in (adapter.start, lambda: adapter.read(0.0)):
            with pytest.raises(DeviceError, match="not connected"):
                call()
        adapter.connect(3.0)
        with pytest.raises(DeviceError, match="before start"):
            adapter.read(0.0)
        adapter.close()
        with pytest.raises(DeviceConnectionError):
            adapter.start()


def test_stop_and_start_again() -> None:
    with ScriptedServer() as served, closing(served.adapter()) as adapter:
        seen = Collected(adapter.connect(3.0))
        for n in (10, 20):
            adapter.start()
            collect(adapter, seen, frames(n))
            adapter.stop()
            adapter.stop()
            time.sleep(0.05)
    assert "gap" not in seen.codes()
    assert seen.codes().count("first_frame") == 2


def test_reconnect_on_the_same_object_counts_what_was_lost() -> None:
    with ScriptedServer() as served, closing(served.adapter()) as adapter:
        first = adapter.connect(3.0)
        adapter.start()
        collect(adapter, Collected(first), frames(5))
        adapter.close()
        again = Collected(adapter.connect(3.0))
        adapter.start()
        collect(adapter, again, frames(5))
        assert list(again.specs.values()) == list(first)
        lost = sum(n.data["n_lost"] for n in again.notices if n.code == "gap")
    assert lost > 0


def test_commands() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(2.0)
        config = ViconConfig.model_validate({"capture": {"port": ear.getsockname()[1]}})
        adapter = ViconAdapter("vicon", config, time.perf_counter)
        done = adapter.command("capture_start", {"name": "T1", "notes": "n"})
        assert done["name"] == "T1"
        assert b'<CaptureStart><Name VALUE="T1"/><Notes VALUE="n"/>' in ear.recv(4096)
        adapter.command("capture_stop", {})
        assert b'<CaptureStop><Name VALUE="T1"/>' in ear.recv(4096)
        with pytest.raises(SetpointRejectedError, match="capture_start, capture_stop"):
            adapter.command("dance", {})
        with pytest.raises(SetpointRejectedError, match="name"):
            adapter.command("capture_start", {})
        adapter.close()
        adapter.close()


def test_another_marker_set_in_mid_stream() -> None:
    other = session(subject(markers=("A", "B", "C")), *plate(), *lock())

    def render(i: int):
        if i == 30:
            served.describe(other)
        return dynamics(i, markers=(1, 2, 3) if i >= 30 else (1, 2))

    served = ScriptedServer(render)
    with served, closing(served.adapter()) as adapter:
        specs = {spec.name: spec for spec in adapter.connect(3.0)}
        adapter.start()
        widths, changed, seen = set(), [], 0
        while seen < 60:
            for chunk in adapter.read(0.05):
                assert chunk.samples.shape[1] == len(specs[chunk.stream].channels)
                if chunk.stream == "vicon-markers":
                    widths.add(chunk.samples.shape[1])
                    seen += len(chunk.samples)
                    last = chunk.samples[-1]
            for spec in adapter.changed_specs():
                changed.append(spec)
                specs[spec.name] = spec
    assert widths == {7, 10}
    (spec,) = changed
    assert (spec.name, spec.generation) == ("vicon-markers", 1)
    assert spec.channels[7].label == "C_X"
    assert last[8] == np.float32(0.003)
    assert "gap" not in [notice.code for notice in adapter.notices()]


def test_changed_markers_after_reconnecting_are_a_new_generation() -> None:
    with ScriptedServer() as served, closing(served.adapter()) as adapter:
        assert [spec.generation for spec in adapter.connect(3.0)] == [0, 0]
        adapter.close()
        served.describe(session(subject(markers=("A", "C")), *plate(), *lock()))
        assert [spec.generation for spec in adapter.connect(3.0)] == [1, 0]


def test_a_restarted_process_reuses_no_source_id(tmp_path: Path) -> None:
    state = tmp_path / "vicon.state"
    with ScriptedServer() as served:
        for markers, generation in (("AB", 0), ("AC", 1), ("AC", 1)):
            served.describe(session(subject(markers=markers), *plate(), *lock()))
            with closing(served.adapter(state_file=state)) as adapter:
                first, _ = adapter.connect(3.0)
            assert first.generation == generation


def test_session_that_cannot_be_followed_keeps_its_channels() -> None:
    def render(i: int):
        if i == 20:
            served.describe(session(*plate(), *lock()))
        return dynamics(i) if i < 20 else dynamics(i, markers=())

    served = ScriptedServer(render)
    seen = run(served, frames(60))
    assert [n.severity for n in seen.notices if n.code == "session"] == ["error"]
    x = seen.column("vicon-markers", "A_X")
    assert np.isnan(x[-10:]).all()
    assert not np.isnan(seen.column("vicon-forces", "FP1_Fz")).any()
    assert np.all(np.diff(seen.column("vicon-markers", "frame")) == 1)
    assert seen.changed == []


def test_statics_in_every_frame_and_first_frames_without_samples() -> None:
    def render(i: int):
        served.n_described += 1
        served.server.version = served.n_described
        return dynamics(i) if i > 3 else [*dynamics(i)[:3], *loads(i)[:0], sync(i)]

    served = ScriptedServer(render)
    seen = run(served, frames(20))
    assert seen.changed == []
    assert seen.specs["vicon-forces"].rate_hz == 1000.0
