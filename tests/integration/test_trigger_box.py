"""A session whose trigger line is driven by a box instead of the capture system."""

from pathlib import Path

import numpy as np
import pytest

from acquire.align import align
from acquire.rig import RigConfig, load_rig, parse_rig
from acquire.storage.layout import find_archives
from acquire.storage.reader import open_recording
from devices.sim.lab import LabClient
from tests.builders.run_command import Line, RunCommand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROTOCOL = """
protocol: 1
name: one_walk
title: One short walk
condition: Ideal
settings: {accel_mps2: 0.5, settle_s: 0, record_s: 6}
steps:
  - {type: trials, mode: LG_0, speed_mps: 1.0}
"""
INSTRUMENTS = {"vicon-markers": "exact", "vicon-forces": "exact"} | {
    "semg": "edges",
    "amode": "edges",
}


def rig_with_box() -> RigConfig:
    """The shipped rig, with a trigger box that captures."""
    text = load_rig().to_yaml().replace("capture: vicon", "capture: box")
    box = "devices:\n  box: {kind: trigger, port: 5331}\n"
    return parse_rig(text.replace("devices:\n", box), source="rig with a box")


def test_the_box_raises_the_line_that_aligns_every_instrument(tmp_path: Path) -> None:
    (tmp_path / "walk.yaml").write_text(PROTOCOL, encoding="utf-8")
    rig = rig_with_box()
    run = RunCommand(str(tmp_path / "walk.yaml"), tmp_path, rig=rig).start()
    changes: list[tuple[float, bool]] = []
    names: set[str] = set()

    def line_has_fallen(line: Line) -> bool:
        if line.get("event") != "trial_stop":
            return False
        lab = LabClient(run.lab_address)
        changes.extend(lab.history.line_changes())
        names.update(str(i.value["name"]) for i in lab.history.inputs if _line(i.kind))
        lab.close()
        return True

    run.watch(line_has_fallen, timeout_s=120.0)
    result = run.result(timeout_s=60.0)
    assert result["state"] == "finished", result
    assert [high for _, high in changes] == [True, False]
    assert names == {""}  # a capture datagram would have named it

    (archive,) = find_archives(run.dataset, "P43").values()
    recording = open_recording(archive)
    aligned = align(recording).streams
    for name, method in INSTRUMENTS.items():
        fit = aligned[name].fit
        assert (fit.status, fit.method) == ("ok", method), (name, fit.reasons)
    box = recording["trigger-box"]
    level = box.column("level")
    (rise,), (fall,) = (np.flatnonzero(np.diff(level) == step) for step in (1, -1))
    told_s = box.t_lsl[fall + 1] - box.t_lsl[rise + 1]
    assert told_s == pytest.approx(changes[1][0] - changes[0][0], abs=0.1)


def _line(kind: str) -> bool:
    return kind == "line"
