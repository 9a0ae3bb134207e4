"""The adapter against the simulated frame server, over a socket."""

import contextlib
from time import perf_counter

import numpy as np
import pytest

from devices.amode.adapter import AModeAdapter
from devices.amode.config import AModeConfig
from devices.amode.kind import KIND
from devices.amode.twin import AModeTwin
from devices.errors import DeviceConnectionError, DeviceTimeoutError, WireFormatError
from devices.sim.config import ClockConfig, LabConfig, TwinConfig
from devices.sim.lab import LocalLab
from devices.testing import check_counter, check_wrong_peers
from devices.testing_peers import garbage, serving, silent
from tests.builders.device_bench import DeviceBench

CLOCK = ClockConfig(offset_s=1000.0, skew_ppm=40.0, jitter_s=0.002, latency_s=0.01)


class Muscles:
    """Lines that name their instant: sample 0 is milliseconds of world time."""

    def echo(self, t):
        lines = np.tile(np.arange(1000, dtype=np.int16), (t.size, 4, 1))
        lines[:, :, 0] = (np.round(t * 1000) % 30000).astype(np.int16)[:, None]
        lines += np.arange(4, dtype=np.int16)[:, None]
        return lines


class Bench(DeviceBench):
    def __init__(self, stack, options=None, waveform="level", **settings):
        twin = TwinConfig(clock=CLOCK, options=options or {})
        lab = LocalLab(LabConfig(twins={"us": twin}, waveform=waveform))
        self.twin = AModeTwin(lab, "us", 0, Muscles())
        stack.enter_context(serving(self.twin))
        config = AModeConfig(port=self.twin.port, **settings)
        super().__init__("us", lab, AModeAdapter("us", config, perf_counter))
        stack.callback(self.adapter.close)
        if config.trigger.role == "gates":
            self.patience_s = 0.0  # nothing may come at all


@pytest.fixture
def bench():
    with contextlib.ExitStack() as stack:
        yield lambda *args, **settings: Bench(stack, *args, **settings)


def test_the_stream_is_as_the_design_says(bench):
    us = bench().connect()
    labels = [channel.label for channel in us.spec.channels]
    assert labels[:8] == [
        *("seq", "trigger", "flags", "tick_0", "tick_1", "tick_2", "tick_3"),
        "CH1_0000",
    ]
    assert labels[-1] == "CH4_0999"
    assert (us.spec.name, us.spec.type, us.spec.rate_hz) == ("amode", "Ultrasound", 20)
    assert us.spec.dtype == "int16"
    assert us.spec.counter.modulus == 2**15
    assert KIND.config is AModeConfig


def test_lines_ticks_and_truth_agree(bench):
    us = bench().connect()
    us.pump(0.7)
    check_counter(us.spec, us.rows)
    rows = us.rows.astype(np.int64)
    tick_us = sum(rows[:, 3 + k] << (15 * k) for k in range(4))
    np.testing.assert_allclose(np.diff(tick_us), 50_000, atol=1)
    (clock,) = us.truth("clock")
    true_s = clock["t0_s"] + (rows[:, 0] - clock["counter0"]) * clock["period_s"]
    np.testing.assert_allclose(rows[:, 7], np.round(true_s * 1000) % 30000, atol=1)
    assert clock["period_s"] == pytest.approx(0.05 * (1 + 40e-6))
    np.testing.assert_array_equal(rows[:, 7 + 3000] - rows[:, 7], 3)


def test_the_trigger_line_is_in_the_frames(bench):
    us = bench().connect()
    us.lab.append("line", {"high": True, "name": "t"})
    us.pump(0.6)
    us.lab.append("line", {"high": False, "name": "t"})
    us.pump(0.6)
    level = us.rows[:, 1]
    changes = np.flatnonzero(np.diff(level))
    assert level[changes].tolist() == [0, 1]
    assert 10 <= changes[1] - changes[0] <= 14


def test_drops_are_counted_exactly(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("drop:n=3")
    us.pump(1.4)
    (gap,) = [notice for notice in us.notices if notice.code == "gap"]
    lost = us.truth("lost")
    assert gap.data["n_missing"] == len(lost) == 3
    assert gap.data["first_missing"] == lost[0]["counter"]
    after = np.flatnonzero(np.diff(us.rows[:, 0].astype(int)) == 4)[0] + 1
    assert us.rows[after, 2] & 4


def test_a_damaged_frame_is_thrown_away_and_told(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("crc")
    us.pump(1.3)
    assert us.codes() == ["crc", "gap"]
    assert us.notices[1].data["n_missing"] == 1


def test_refilled_frames_keep_their_flag(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("drop:n=2,refill=1")
    us.pump(1.3)
    check_counter(us.spec, us.rows)
    assert np.count_nonzero(us.rows[:, 2] & 2) == 2


def test_a_duplicate_is_recorded_once(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("duplicate:n=2")
    us.pump(1.3)
    check_counter(us.spec, us.rows)
    assert us.codes() == ["duplicate", "duplicate"]


@pytest.mark.parametrize("fault", ["stall:for=0.5", "burst:for=1,n=6"])
def test_late_frames_are_all_there_with_growing_stamps(bench, fault):
    us = bench().connect()
    us.pump(0.2)
    us.inject(fault)
    us.pump(1.6)
    check_counter(us.spec, us.rows)
    assert max(len(chunk.samples) for chunk in us.chunks) >= 5
    assert np.all(np.diff([chunk.t_last for chunk in us.chunks]) > 0)


def test_a_stall_beyond_its_time_is_an_error(bench):
    us = bench(stall_s=0.8).connect()
    us.pump(0.3)
    us.inject("stall:for=9")
    with pytest.raises(DeviceTimeoutError, match="no A-mode frame"):
        us.pump(3.0)


def test_a_disconnect_is_an_error_and_connecting_again_works(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("disconnect:for=0.3")
    with pytest.raises(DeviceConnectionError):
        us.pump(3.0)
    end_s = perf_counter() + 3.0
    while perf_counter() < end_s:
        with contextlib.suppress(DeviceConnectionError, DeviceTimeoutError):
            us.connect()
            break
    us.pump(0.3)
    assert us.chunks


def test_the_number_wraps_without_a_gap(bench):
    us = bench({"seq0": 2**15 - 40, "split_bytes": 999}).connect()
    for _ in range(20):
        us.pump(0.3)
        if us.rows[-1, 0] < 100:
            break
    check_counter(us.spec, us.rows)
    assert us.rows[0, 0] > 2**15 - 40
    assert us.rows[:, 0].min() == 0
    assert us.notices == []


@pytest.mark.parametrize(
    ("source", "stream"), [("uint8", "int16"), ("uint16", "int32"), ("int32", "int32")]
)
def test_other_types_of_samples(bench, source, stream):
    us = bench({"dtype": source}).connect()
    assert us.spec.dtype == stream
    us.pump(0.3)
    assert us.rows.dtype == stream


def test_floats_are_refused(bench):
    with pytest.raises(WireFormatError, match="float32"):
        bench({"dtype": "float32"}).connect()


def test_another_geometry_is_refused_naming_the_setting(bench):
    with pytest.raises(WireFormatError, match="n_depths"):
        bench(n_depths=500).connect()
    with pytest.raises(WireFormatError, match="dtype"):
        bench(dtype="uint8").connect()


# gated by the trigger


def gated(bench, **options):
    us = bench({"gated": True, **options}, trigger={"role": "gates"}, stall_s=0.2)
    return us.connect()


def test_a_gated_source_is_silent_until_the_line_rises(bench):
    us = gated(bench, start_latency_s=0.04)
    assert us.spec.trigger.role == "gates"
    assert us.spec.trigger.start_latency_max_s == 0.05
    us.pump(0.6)  # longer than stall_s: silence is no stall
    assert us.chunks == []
    rise_s = us.lab.append("line", {"high": True, "name": "t"})
    us.pump(0.8)
    fall_s = us.lab.append("line", {"high": False, "name": "t"})
    us.pump(0.6)
    n_frames = len(us.rows)
    us.pump(0.3)
    assert len(us.rows) == n_frames
    (clock,) = us.truth("clock")
    assert clock["reason"] == "gate"
    assert clock["counter0"] == us.rows[0, 0]
    assert 0.04 <= clock["t0_s"] - rise_s <= 0.04 + 0.051
    last_s = clock["t0_s"] + (n_frames - 1) * clock["period_s"]
    assert fall_s - 0.051 <= last_s < fall_s
    check_counter(us.spec, us.rows)


def test_a_second_gate_goes_on_counting(bench):
    us = gated(bench)
    for _ in range(2):
        us.lab.append("line", {"high": True, "name": "t"})
        us.pump(0.4)
        us.lab.append("line", {"high": False, "name": "t"})
        us.pump(0.4)
    check_counter(us.spec, us.rows)
    first, second = us.truth("clock")
    assert second["counter0"] == pytest.approx(first["counter0"] + 8, abs=2)
    assert us.notices == []


def test_a_gated_adapter_accepts_silence_but_not_babble():
    def make(host, port):
        config = AModeConfig(host=host, port=port, trigger={"role": "gates"})
        return AModeAdapter("us", config, perf_counter)

    with silent() as port:
        adapter = make("127.0.0.1", port)
        adapter.connect(1.0)
        adapter.close()
    with garbage() as port, pytest.raises(DeviceTimeoutError, match="foreign bytes"):
        make("127.0.0.1", port).connect(1.0)


def test_a_source_that_should_not_be_gated_says_so(bench):
    with pytest.raises(DeviceTimeoutError, match="gated"):
        bench({"gated": True}).adapter.connect(0.4)


def test_wrong_peers():
    check_wrong_peers(
        lambda host, port: AModeAdapter(
            "us", AModeConfig(host=host, port=port), perf_counter
        )
    )


def test_a_badly_coupled_probe_has_no_echo(bench):
    us = bench().connect()
    us.pump(0.3)
    us.inject("coupling_loss:for=9,probe=2")
    us.pump(0.6)
    lines = us.rows[-1, 7:].reshape(4, 1000)
    assert np.abs(lines[1]).max() < 150
    assert lines[0].max() >= 999
