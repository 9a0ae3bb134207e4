"""The adapter against simulated MR, over HTTP."""

import contextlib
from time import perf_counter

import numpy as np
import pytest

from devices.errors import DeviceConnectionError, DeviceTimeoutError, WireFormatError
from devices.noraxon.adapter import NoraxonAdapter
from devices.noraxon.config import LABELS, NoraxonConfig
from devices.noraxon.kind import KIND
from devices.noraxon.twin import NoraxonTwin
from devices.sim.config import ClockConfig, LabConfig, TwinConfig
from devices.sim.lab import LocalLab
from devices.testing import check_counter, check_wrong_peers
from devices.testing_peers import serving
from tests.builders.device_bench import DeviceBench

CLOCK = ClockConfig(skew_ppm=-30.0, jitter_s=0.004, latency_s=0.02)


class Muscles:
    """Every channel is world time in milliseconds, plus 10000 per channel."""

    def emg_uv(self, t):
        return t[:, None] * 1000 + 10000 * np.arange(13)


class Bench(DeviceBench):
    def __init__(self, stack, options=None, **settings):
        twin = TwinConfig(clock=CLOCK, options=options or {})
        lab = LocalLab(LabConfig(twins={"emg": twin}, waveform="level"))
        self.twin = NoraxonTwin(lab, "emg", 0, Muscles())
        stack.enter_context(serving(self.twin))
        config = NoraxonConfig(port=self.twin.port, **settings)
        adapter = NoraxonAdapter("emg", config, perf_counter)
        super().__init__("emg", lab, adapter, read_s=0.1)
        stack.callback(self.adapter.close)

    def true_s(self):
        """Return the true time of every row: the clock, and what was lost."""
        clock = self.truth("clock")[-1]
        index = self.rows[:, -1].astype(np.float64)
        for lost in self.truth("lost"):
            index[self.rows[:, -1] >= lost["counter"]] += lost["n"]
        return clock["t0_s"] + (index - clock["counter0"]) * clock["period_s"]


@pytest.fixture
def bench():
    with contextlib.ExitStack() as stack:
        yield lambda *args, **settings: Bench(stack, *args, **settings)


def test_the_stream_is_as_the_design_says(bench):
    emg = bench().connect()
    labels = tuple(channel.label for channel in emg.spec.channels)
    assert labels == (*LABELS, "sync", "index")
    assert (emg.spec.name, emg.spec.type, emg.spec.rate_hz) == ("semg", "EMG", 2000)
    assert emg.spec.dtype == "float32"
    assert KIND.config is NoraxonConfig


@pytest.mark.parametrize("options", [{}, {"uneven": 9, "block": 7}])
def test_samples_and_truth_agree_channel_by_channel(bench, options):
    emg = bench(options).connect()
    emg.pump(0.8)
    check_counter(emg.spec, emg.rows)
    assert emg.rows[0, -1] == 0
    expected = emg.true_s()[:, None] * 1000 + 10000 * np.arange(13)
    np.testing.assert_allclose(emg.rows[:, :13], expected, atol=0.02)
    assert emg.notices == []


def test_the_trigger_line_is_recorded(bench):
    emg = bench().connect()
    rise_s = emg.lab.append("line", {"high": True, "name": "t"})
    emg.pump(0.5)
    fall_s = emg.lab.append("line", {"high": False, "name": "t"})
    emg.pump(0.6)
    true_s, high = emg.true_s(), emg.rows[:, -2] > 0.5
    assert true_s[high][0] == pytest.approx(rise_s, abs=0.0006)
    assert true_s[high][-1] == pytest.approx(fall_s, abs=0.0006)


def test_an_analog_trigger_channel(bench):
    emg = bench({"sync": "analog"}, sync={"kind": "analog"}).connect()
    emg.lab.append("line", {"high": True, "name": "t"})
    emg.pump(0.6)
    assert emg.spec.trigger.kind == "analog"
    assert emg.rows[-1, -2] == pytest.approx(5.0, abs=0.2)
    assert emg.spec.channels[-2].unit == "V"


def test_a_silent_loss_shows_in_the_truth_alone(bench):
    emg = bench().connect()
    emg.pump(0.3)
    emg.inject("drop:n=40")
    emg.pump(1.2)
    check_counter(emg.spec, emg.rows)
    lost = emg.truth("lost")
    assert sum(record["n"] for record in lost) == 40
    expected = emg.true_s() * 1000
    np.testing.assert_allclose(emg.rows[:, 0], expected, atol=0.02)
    assert np.diff(emg.rows[:, 0]).max() == pytest.approx(20.5, abs=0.05)


@pytest.mark.parametrize("fault", ["burst:for=0.5", "stall:for=0.5"])
def test_late_samples_are_all_there(bench, fault):
    emg = bench().connect()
    emg.pump(0.2)
    emg.inject(fault)
    emg.pump(1.4)
    check_counter(emg.spec, emg.rows)
    assert max(len(chunk.samples) for chunk in emg.chunks) > 800
    assert emg.truth("lost") == []


def test_mr_that_hangs_is_a_timeout(bench):
    emg = bench(request_timeout_s=0.8).connect()
    emg.pump(0.3)
    emg.inject("stall:for=9")
    with pytest.raises(DeviceTimeoutError, match="did not answer"):
        emg.pump(2.0)
    emg.lab.alive = False


def test_mr_that_goes_away_is_a_connection_error(bench):
    emg = bench().connect()
    emg.pump(0.3)
    emg.inject("disconnect:for=0.5")
    with pytest.raises(DeviceConnectionError):
        emg.pump(2.0)


def test_a_measurement_that_ends_is_told(bench):
    emg = bench(stall_s=0.8).connect()
    emg.pump(0.3)
    emg.inject("restart")
    with pytest.raises(DeviceTimeoutError, match="measurement stopped"):
        emg.pump(3.0)
    emg.chunks.clear()
    emg.connect()
    emg.pump(0.3)
    assert emg.rows[0, -1] == 0
    assert len(emg.truth("clock")) == 2


def test_nothing_measured_is_said(bench):
    with pytest.raises(DeviceTimeoutError, match="measures nothing"):
        bench({"starts_s": 99.0}).connect(0.3)
    with pytest.raises(DeviceConnectionError, match="MR"):
        bench({"starts_s": 99.0, "idle": "refuse"}).connect(0.3)


def test_connecting_waits_for_the_measurement(bench):
    emg = bench({"starts_s": 0.4}).connect(2.0)
    emg.pump(0.3)
    assert emg.chunks


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"samplerate": 4000.0}, "4000 Hz"),
        ({"units": "mV"}, "'mV'"),
        ({"names": {"R_BF": "BicFem"}}, "R_BF"),
    ],
)
def test_what_does_not_fit_is_refused(bench, options, names):
    with pytest.raises(WireFormatError, match=names):
        bench(options).connect()


def test_names_in_mr_are_mapped(bench):
    names = {label: f"{label} (uV)" for label in LABELS}
    emg = bench({"names": names}, channels=names).connect()
    assert emg.spec.channels[0].label == "R_TA"


@pytest.mark.parametrize(("fault", "rms"), [("electrode_off", 400), ("saturate", 5000)])
def test_a_bad_electrode_concerns_one_channel(bench, fault, rms):
    emg = bench().connect()
    emg.inject(f"{fault}:for=9,channel=R_LG")
    emg.pump(0.8)
    bad = emg.rows[emg.true_s() > emg.lab.history.inputs[0].t_s + 0.01]
    assert np.std(bad[:, 2]) == pytest.approx(rms, rel=0.15)
    np.testing.assert_allclose(np.diff(bad[:, 3]), 0.5, atol=0.05)


def test_wrong_peers():
    check_wrong_peers(
        lambda host, port: NoraxonAdapter(
            "emg", NoraxonConfig(host=host, port=port), perf_counter
        )
    )
