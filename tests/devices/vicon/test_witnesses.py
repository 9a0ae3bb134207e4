"""The vendor's SDK and our client read the same server: equal to the last bit."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager

import numpy as np
import pytest

from devices.link import TcpLink
from devices.vicon import twin_pack
from devices.vicon.adapter import ViconAdapter
from devices.vicon.back_end import WANTED, WANTED_FOR_FORCES
from devices.vicon.client import CgStreamClient
from devices.vicon.config import ViconConfig
from devices.vicon.load import Load, LoadScene
from devices.vicon.sdk import SdkClient
from devices.vicon.sdk_frame import Wanted, all_outputs
from devices.vicon.wire import ObjectId
from tests.builders.vicon_script import ScriptedServer
from tests.builders.vicon_sdk import RunningLoad, needs_sdk
from tests.builders.vicon_session import dynamics, lock, plate, session, subject
from tests.builders.vicon_twin import Collected, RunningTwin, lab_config

pytestmark = needs_sdk
WALK = {
    "left_mps": 1.0,
    "right_mps": 1.0,
    "accel_left_mps2": 5.0,
    "accel_right_mps2": 5.0,
}
MARKERS = "vicon-markers"
TURNED = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))


def both(make, n: int = 30, **settings) -> tuple[Collected, Collected]:
    """What the two back ends published of the same session, read by turns."""
    with ExitStack() as stack:
        adapters = [
            stack.enter_context(closing(make(back_end=back_end, **settings)))
            for back_end in ("sdk", "native")
        ]
        seen = [Collected(adapter.connect(10.0)) for adapter in adapters]
        for adapter in adapters:
            adapter.start()
        deadline = time.perf_counter() + 30.0 + n / 50
        read = [0, 0]
        while min(read) < n:
            assert time.perf_counter() < deadline
            for i, (adapter, one) in enumerate(zip(adapters, seen, strict=True)):
                chunks = adapter.read(0.02)
                read[i] += sum(len(c.samples) for c in chunks if c.stream == MARKERS)
                one.chunks += chunks
                one.changed += adapter.changed_specs()
                one.notices += adapter.notices()
        for adapter in adapters:
            adapter.stop()
    return seen[0], seen[1]


def common(sdk: Collected, ours: Collected, stream: str, key: int) -> int:
    """Compare rows of the frames both read, bit by bit; return how many."""
    one, two = sdk.data(stream), ours.data(stream)
    shared = np.intersect1d(one[:, key], two[:, key])
    one = one[np.isin(one[:, key], shared)]
    two = two[np.isin(two[:, key], shared)]
    np.testing.assert_array_equal(one.view(np.uint32), two.view(np.uint32))
    return len(shared)


def assert_equal(sdk: Collected, ours: Collected, at_least: int = 20) -> None:
    assert sdk.specs == ours.specs
    assert common(sdk, ours, "vicon-markers", 0) >= at_least
    assert common(sdk, ours, "vicon-forces", -1) >= at_least


def test_the_walking_person() -> None:
    faults = ["occlude:marker=LKNE,at=0,for=9", "drop:input=Lock Lab,at=0.3,for=9"]
    with RunningTwin(lab_config(skew_ppm=80.0, faults=faults)) as running:
        running.lab.append("belts", WALK)
        sdk, ours = both(running.adapter, 50)
    assert_equal(sdk, ours)
    assert np.isnan(sdk.column("vicon-markers", "LKNE_X")).any()
    assert np.isnan(sdk.column("vicon-forces", "sync")).any()
    assert np.isfinite(sdk.column("vicon-forces", "FP1_Fz")).all()


def test_stamps_differ_by_no_more_than_the_reading() -> None:
    with RunningTwin() as running:
        sdk, ours = both(running.adapter)

    def stamps(seen: Collected) -> dict[int, float]:
        chunks = [c for c in seen.chunks if c.stream == "vicon-markers"]
        return {int(c.samples[-1, 0]): c.t_last for c in chunks}

    first, second = stamps(sdk), stamps(ours)
    apart_s = [first[n] - second[n] for n in first.keys() & second.keys()]
    assert apart_s
    assert abs(np.median(apart_s)) < 0.02


@pytest.mark.parametrize("y_up", [False, True])
def test_turned_plates_and_axes(y_up: bool) -> None:
    turned = plate(rotation=TURNED, at_mm=(123.0, 456.0, 7.0))
    statics = session(subject(), *turned, *lock(), y_up=y_up)
    with ScriptedServer(statics=statics) as served:
        sdk, ours = both(served.adapter)
    assert_equal(sdk, ours)


def test_every_value_of_a_full_frame() -> None:
    """Also centres of pressure and the analog channels that no stream has."""
    load = Load(n_markers=45, n_samples=20)
    wanted = WANTED | WANTED_FOR_FORCES | {ObjectId.COP_FRAME}
    with RunningLoad(LoadScene(load)) as running:
        link = TcpLink("127.0.0.1", running.port, now=time.perf_counter, port_option="")
        ours = CgStreamClient(link, "test", frozenset(wanted), time.perf_counter)
        sdk = SdkClient(
            "127.0.0.1", running.port, "test", Wanted(all_outputs), time.perf_counter
        )
        found = []
        for client in (sdk, ours):
            with closing(client):
                client.open(5.0)
                client.ask()
                client.start("push")
                seen = {}
                deadline = time.perf_counter() + 20.0
                while len(seen) < 110 and time.perf_counter() < deadline:
                    for frame in client.poll(0.1):
                        seen[frame.number] = frame
            found.append(seen)
    numbers = [sorted(seen) for seen in found]
    for run in numbers:
        assert np.all(np.diff(run) == 1)  # nothing was lost
    kinds = [{n % 50: seen[n] for n in seen} for seen in found]  # they repeat
    shared = kinds[0].keys() & kinds[1].keys()
    assert len(shared) == 50
    for kind in shared:
        one, two = kinds[0][kind], kinds[1][kind]
        assert one.labeled["marker"].tolist() == two.labeled["marker"].tolist()
        same = (
            one.labeled["position_mm"].tobytes() == two.labeled["position_mm"].tobytes()
        )
        assert same
        assert one.hardware_frame == one.number + 6
        assert one.latency_s == pytest.approx(two.latency_s)
        values = [
            {
                (s.object_id, s.device_id, s.channel_id): s.values.tobytes()
                for s in frame.samples
            }
            for frame in (one, two)
        ]
        assert len(values[0]) == 2 * 3 + 16
        assert values[0] == values[1]


def test_timecode_and_hardware_frame() -> None:
    def render(i: int):
        extra = [twin_pack.timecode((1, 2, 3, 4), 1, 4, standard=2)]
        return [*dynamics(i), *extra, twin_pack.hardware_frame_info(i + 5)]

    with ScriptedServer(render) as served:
        sdk, ours = both(served.adapter)
    for seen in (sdk, ours):
        first = next(n.data for n in seen.notices if n.code == "first_frame")
        assert first["timecode"] == "01:02:03:04.1"
        assert first["hardware_frame"] == first["frame"] + 4


@contextmanager
def load_process(rate_hz: float):
    command = [sys.executable, "-m", "devices.vicon.load", "--rate", str(rate_hz)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "seconds", [3, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(200)])]
)
def test_a_laboratory_s_load_loses_nothing(seconds: int) -> None:
    """45 markers, two plates and 16 analog channels at 2 kHz, both at once."""

    def adapter(**settings) -> ViconAdapter:
        config = ViconConfig.model_validate({"port": port} | settings)
        return ViconAdapter("vicon", config, time.perf_counter)

    with load_process(100.0) as port:
        sdk, ours = both(adapter, 100 * seconds)
    for seen in (sdk, ours):
        assert "gap" not in seen.codes()
        assert np.all(np.diff(seen.column("vicon-markers", "frame")) == 1)
    assert_equal(sdk, ours, 100 * seconds - 50)
