"""Whoever the rig names raises the line: Vicon's datagram, or a box and its process."""

import threading
import time
from pathlib import Path
from time import perf_counter

import pytest

from acquire.capture import DeviceCapture, capture_of
from acquire.control import ControlError, ControlServer
from acquire.device_host import DeviceHost, handlers
from acquire.rig import RigError, load_rig, parse_rig
from devices.sim.config import LabConfig
from devices.sim.lab import LocalLab
from devices.testing_peers import serving
from devices.trigger.adapter import TriggerBoxAdapter
from devices.trigger.config import TriggerBoxConfig
from devices.trigger.twin import TriggerBoxTwin
from devices.vicon.capture import CaptureSender

RIG = """
rig: 1
name: with a box
treadmill: null
capture: {capture}
devices:
  box: {{kind: trigger}}
  noraxon: {{kind: noraxon}}
"""


class NoOutlet:
    """Stands in for an outlet; nothing is published."""

    def __init__(self, spec: object) -> None:
        self.spec, self.source_id = spec, "none"

    def push(self, chunk: object) -> None:
        del chunk

    def close(self) -> None:
        pass


def test_the_shipped_rig_starts_captures_by_vicons_datagram(tmp_path: Path) -> None:
    sender = capture_of(load_rig(), tmp_path)
    assert isinstance(sender, CaptureSender)
    sender.close()


def test_a_device_that_starts_no_capture_is_refused_in_the_rig_file() -> None:
    with pytest.raises(RigError, match="'noraxon' starts no capture"):
        parse_rig(RIG.format(capture="noraxon"), source="here")


def test_a_box_raises_the_line_through_its_process(tmp_path: Path) -> None:
    lab = LocalLab(LabConfig())
    twin = TriggerBoxTwin(lab, "box", 0)
    rig = parse_rig(RIG.format(capture="box"), source="here")
    capture = capture_of(rig, tmp_path)
    assert isinstance(capture, DeviceCapture)
    with pytest.raises(ControlError):
        capture.start("nobody is there")
    with serving(twin):
        adapter = TriggerBoxAdapter(
            "box", TriggerBoxConfig(port=twin.port), perf_counter
        )
        host = DeviceHost(adapter, make_outlet=NoOutlet, now=perf_counter)  # type: ignore[arg-type]
        thread = threading.Thread(target=host.run)
        thread.start()
        try:
            with ControlServer("box", handlers(host), tmp_path):
                end_s = time.monotonic() + 5.0
                while host.state != "streaming" and time.monotonic() < end_s:
                    time.sleep(0.01)
                capture.start("P43_LG_0")
                assert host.snapshot()["device"]["capture"] == "P43_LG_0"
                capture.stop("P43_LG_0")
        finally:
            host.stop()
            thread.join(5.0)
    assert [i.value["high"] for i in lab.history.inputs] == [True, False]
