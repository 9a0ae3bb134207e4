"""Sample clocks, fault rules, the trigger line, plate poses."""

import numpy as np
import pytest

from devices.sim.clock import SimClock
from devices.sim.config import ClockConfig, PlateConfig
from devices.sim.faults import FaultSpec, active_faults, starting_faults
from devices.sim.history import History
from devices.sim.trigger_line import NOTCH_S, TriggerLine, line_level


def test_positive_skew_comes_slower():
    clock = SimClock(ClockConfig(skew_ppm=100, offset_s=7.0), 1000.0, 2.0)
    assert clock.true_time(1_000_000) == pytest.approx(2.0 + 1000.1)
    assert clock.device_time(1000) == pytest.approx(10.0)


@pytest.mark.parametrize("t_end", [1.9, 2.0, 2.0005, 3.0, 1234.567])
def test_due_counts_samples_taken(t_end):
    clock = SimClock(ClockConfig(skew_ppm=-40), 1000.0, 2.0)
    due = clock.due(t_end)
    assert due == 0 or clock.true_time(due - 1) <= t_end
    assert clock.true_time(due) > t_end


def test_delivery_is_late_and_repeatable():
    clock = SimClock(ClockConfig(latency_s=0.01, jitter_s=0.002), 100.0, seed=4)
    index = np.arange(5000)
    delay = clock.delivery_time(index) - clock.true_time(index)
    assert delay.min() >= 0.01
    assert delay.mean() == pytest.approx(0.01 + 0.002 * 0.798, rel=0.05)
    assert np.array_equal(clock.delivery_time(index)[7:9], clock.delivery_time([7, 8]))


def test_fault_text():
    fault = FaultSpec.parse("vicon:occlude:marker=LKNE,at=3,for=1")
    assert (fault.device, fault.fault, fault.at, fault.for_s) == (
        "vicon",
        "occlude",
        3.0,
        1.0,
    )
    assert fault.text("marker") == "LKNE"
    assert FaultSpec.from_mapping(fault.to_mapping()) == fault
    assert FaultSpec.parse("amode:wrap").options == {}


@pytest.mark.parametrize(
    "text", ["", "vicon", "vicon:sing", "vicon:drop:n", ":drop", "vicon:drop:at=-1"]
)
def test_bad_fault_text(text):
    with pytest.raises(ValueError, match=r"fault|at"):
        FaultSpec.parse(text)


def test_fault_times():
    timed = FaultSpec.parse("a:stall:at=3,for=2")
    after = FaultSpec.parse("a:stall:at=1,for=2,after=rise")
    faults = [timed, after]
    assert active_faults(faults, "stall", 4.0, None) == [timed]
    assert active_faults(faults, "stall", 11.5, 10.0) == [after]
    assert active_faults(faults, "drop", 4.0, 10.0) == []
    assert starting_faults(faults, "stall", 2.9, 3.0, None) == [timed]
    assert starting_faults(faults, "stall", 3.0, 3.1, None) == []


def captured():
    history = History()
    history.append(2.0, "line", {"high": True, "name": "a"})
    history.append(22.0, "line", {"high": False, "name": "a"})
    return history


def test_level_is_one_rise_and_one_fall():
    line = TriggerLine(captured(), "level", 1)
    assert line.edges(0, 30) == [(2.0, True), (22.0, False)]
    assert line.level(np.array([1.9, 2.0, 21.9, 22.0])).tolist() == [0, 1, 1, 0]


def test_pulses_are_irregular_and_repeatable():
    line = TriggerLine(captured(), "level+pulses", 1)
    edges = line.edges(0, 30)
    falls = np.array([t for t, rising in edges if not rising])[:-1]
    gaps = np.diff([2.0, *falls])
    assert gaps.min() >= 0.6
    assert gaps.max() <= 1.4
    assert gaps.std() > 0.05
    t = np.arange(0, 30, 0.0005)
    level = line_level(captured(), "level+pulses", 1)(t)
    changes = t[1:][np.diff(level) != 0]
    assert np.abs(changes - [edge for edge, _ in edges]).max() < 0.001
    low = [b - a for a, b in zip(falls, [e for e, up in edges if up][1:], strict=False)]
    assert np.allclose(low, NOTCH_S)
    other = TriggerLine(captured(), "level+pulses", 2).edges(0, 30)
    assert other != edges


def test_edges_of_a_part():
    line = TriggerLine(captured(), "level+pulses", 1)
    parts = [e for a in range(30) for e in line.edges(a, a + 1)]
    assert parts == line.edges(0, 30)


def test_plate_pose():
    plates = PlateConfig()
    axes = plates.rotation(0.0)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert axes[:, 0].tolist() == [0, 1, 0]
    assert axes[:, 2].tolist() == [0, 0, -1]
    up = plates.corners_m("left", 10.0)
    assert up[0, 2] > up[2, 2]
    assert np.allclose(np.linalg.norm(up[0] - up[3]), plates.length_m)
    fixed = plates.model_copy(update={"plates_follow_deck": False})
    assert np.array_equal(fixed.corners_m("left", 10.0), fixed.corners_m("left", 0.0))
