"""A trigger box over TCP and over a serial port: nothing moves that was not asked."""

import contextlib
import os
import sys
import threading
from time import perf_counter

import numpy as np
import pytest

from devices.errors import DeviceConnectionError, DeviceError, SetpointRejectedError
from devices.sim.config import LabConfig, TwinConfig
from devices.sim.faults import FaultSpec
from devices.sim.lab import LocalLab
from devices.testing import check_adapter
from devices.testing_peers import serving, silent
from devices.trigger.adapter import TriggerBoxAdapter
from devices.trigger.config import TriggerBoxConfig
from devices.trigger.twin import TriggerBoxTwin


@pytest.fixture
def box():
    """Make a box in a lab of its own and an adapter connected to it."""
    with contextlib.ExitStack() as stack:

        def make(faults=(), options=None, **settings):
            twin = TwinConfig(
                options=options or {},
                faults=tuple(FaultSpec.parse(text) for text in faults),
            )
            lab = LocalLab(LabConfig(twins={"box": twin}))
            served = TriggerBoxTwin(lab, "box", 0)
            stack.enter_context(serving(served))
            config = TriggerBoxConfig(port=served.port, **settings)
            adapter = TriggerBoxAdapter("box", config, perf_counter)
            stack.callback(adapter.close)
            adapter.connect(5.0)
            adapter.start()
            return lab, adapter

        yield make


def line(lab):
    return [item.value["high"] for item in lab.history.inputs if item.kind == "line"]


def read(adapter, seconds=0.3):
    end_s, rows = perf_counter() + seconds, []
    while perf_counter() < end_s:
        rows += [chunk.samples[0] for chunk in adapter.read(0.05)]
    return np.array(rows)


def test_the_contract_of_adapters_holds():
    lab = LocalLab(LabConfig())
    twin = TriggerBoxTwin(lab, "box", 0)

    def make(host, port):
        config = TriggerBoxConfig(host=host, port=port)
        return TriggerBoxAdapter("box", config, perf_counter)

    with serving(twin):
        samples = check_adapter(make, twin.port)
    assert tuple(samples) == ("trigger-box",)
    assert line(lab) == []  # connecting moves nothing


@pytest.mark.parametrize("noisy", [False, True])
def test_a_capture_raises_and_lowers_the_line(box, noisy):
    lab, adapter = box(options={"noisy": noisy})
    said = adapter.command("capture_start", {"name": "P43_LG_0"})
    assert said == {"level": 1, "capture": "P43_LG_0", "verified": True}
    rows = read(adapter)
    assert adapter.command("capture_stop", {"name": "P43_LG_0"})["level"] == 0
    rows = np.vstack([rows, read(adapter)])
    assert line(lab) == [True, False]
    assert sorted(set(rows[:, 0])) == [0.0, 1.0]
    np.testing.assert_array_equal(np.diff(rows[:, 1]), 1)
    assert [notice.code for notice in adapter.notices()] == ["raised", "lowered"]


def test_an_adapter_started_anew_in_mid_trial_leaves_the_line_high(box):
    lab, adapter = box()
    adapter.command("capture_start", {"name": "a"})
    adapter.close()
    adapter.connect(5.0)
    assert adapter.snapshot()["level"] == 1
    assert line(lab) == [True]


def test_a_box_that_does_not_answer_is_an_error_and_the_level_unknown(box):
    lab, adapter = box()
    lab.append("fault", {"device": "box", "fault": "stall", "for": 60.0})
    began_s = perf_counter()
    with pytest.raises(DeviceError, match="no answer to '1'"):
        adapter.command("capture_start", {"name": "a"})
    assert perf_counter() - began_s < 2.0
    assert adapter.snapshot()["level"] is None
    with pytest.raises(DeviceConnectionError):
        adapter.read(0.01)
    assert line(lab) == []


def test_a_box_without_answers_is_used_but_nothing_is_claimed():
    with silent() as port:
        config = TriggerBoxConfig(port=port, answers=False)
        adapter = TriggerBoxAdapter("box", config, perf_counter)
        adapter.connect(2.0)
        adapter.start()
        assert np.isnan(read(adapter)[:, 0]).all()
        assert adapter.command("capture_start", {"name": "a"})["verified"] is False
        assert [notice.code for notice in adapter.notices()] == ["unverified", "raised"]
        adapter.close()


def test_an_unknown_verb_lists_the_known(box):
    _, adapter = box()
    with pytest.raises(SetpointRejectedError, match="capture_start"):
        adapter.command("pulse", {})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"raise_text": ""}, "is empty"),
        ({"raise_text": "0"}, "are the same"),
        ({"high_answer": "0"}, "are the same"),
        ({"low_answer": ""}, "empty"),
    ],
)
def test_a_language_that_cannot_work_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        TriggerBoxConfig(**settings)


@pytest.mark.skipif(sys.platform == "win32", reason="serial ports over POSIX")
def test_a_box_on_a_serial_port():
    import tty

    board, port = os.openpty()
    tty.setraw(board)
    heard = []

    def answer():
        with contextlib.suppress(OSError):
            os.write(board, b"boot\r\n")  # what a board says as it starts
            while True:
                byte = os.read(board, 1)
                heard.append(byte)
                os.write(board, b"1" if byte == b"1" else b"0")

    config = TriggerBoxConfig(path=os.ttyname(port), ready_s=0.2)
    adapter = TriggerBoxAdapter("box", config, perf_counter)
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        adapter.connect(2.0)
        adapter.start()
        assert adapter.command("capture_start", {"name": "a"})["level"] == 1
        assert adapter.command("capture_stop", {"name": "a"})["level"] == 0
        assert set(read(adapter)[:, 0]) == {0.0}
        assert heard == [b"?", b"1", b"0"]
    finally:
        adapter.close()
        os.close(port)
        os.close(board)


def test_a_missing_serial_port_names_its_setting():
    config = TriggerBoxConfig(path="/dev/kinemuse-no-such-port")
    adapter = TriggerBoxAdapter("box", config, perf_counter)
    with pytest.raises(DeviceConnectionError, match=r"box\.path"):
        adapter.connect(1.0)
