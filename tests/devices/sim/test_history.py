"""Inputs become curves; lookups never disagree with what was appended."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.sim.history import History

SPEED = st.floats(-2, 2)
GAPS = st.lists(st.tuples(st.floats(0, 3), SPEED, SPEED, st.floats(0.1, 3)), max_size=8)


def at(*times):
    return np.array(times, float)


def belts(left, right, accel=0.5):
    return {
        "left_mps": left,
        "right_mps": right,
        "accel_left_mps2": accel,
        "accel_right_mps2": accel,
    }


def test_belts_ramp_from_the_current_speed():
    history = History()
    history.append(1.0, "belts", belts(1.0, 0.5))
    assert history.belt_mps(at(0, 2, 3, 9)).tolist() == [
        [0, 0],
        [0.5, 0.5],
        [1.0, 0.5],
        [1.0, 0.5],
    ]
    assert history.belt_travel_m(at(3))[0] == pytest.approx([1.0, 0.75])
    history.append(2.0, "belts", belts(0.0, 0.5))
    assert history.belt_mps(at(2.5, 3.5))[:, 0] == pytest.approx([0.25, 0.0])


@given(GAPS)
def test_travel_is_the_integral_of_speed(gaps):
    history, t = History(), 0.0
    for gap, left, right, accel in gaps:
        t += gap
        history.append(t, "belts", belts(left, right, accel))
    fine = np.arange(0, t + 3, 0.001)
    middle = history.belt_mps(fine[:-1] + 0.0005)
    travel = history.belt_travel_m(fine)
    assert np.abs(np.cumsum(middle, axis=0) * 0.001 - travel[1:]).max() < 0.01
    speed = history.belt_mps(fine)
    assert np.abs(np.diff(speed, axis=0)).max(initial=0) < 3 * 0.001 + 1e-9


@given(GAPS, st.floats(0.01, 5))
def test_the_past_never_changes(gaps, later):
    history, t = History(), 0.0
    for gap, left, right, accel in gaps:
        t += gap
        history.append(t, "belts", belts(left, right, accel))
    before = np.linspace(0, t, 50)
    told = history.belt_mps(before), history.belt_travel_m(before)
    history.append(t + later, "belts", belts(1, -1))
    assert np.array_equal(history.belt_mps(before), told[0])
    assert np.array_equal(history.belt_travel_m(before), told[1])


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(-10, 10)), min_size=1, max_size=5))
def test_the_deck_eases_to_its_target(moves):
    history, t = History(), 0.0
    for gap, target in moves:
        t += gap
        history.append(t, "deck", {"target_deg": target, "rate_dps": 1.0})
    fine = np.arange(0, t + 30, 0.01)
    angle = history.incline_deg(fine)
    assert angle[-1] == pytest.approx(moves[-1][1], abs=1e-6)
    rate = np.diff(angle) / 0.01
    assert np.abs(rate).max(initial=0) < 1.0 + 1e-6
    assert np.abs(np.diff(rate)).max(initial=0) < 4.0 * 0.01 + 1e-6


def test_steps_and_line():
    history = History()
    history.append(1.0, "line", {"high": True, "name": "Trial_1"})
    history.append(2.0, "facing", {"reversed": True})
    history.append(3.0, "fatigue", {"level": 0.5})
    history.append(4.0, "line", {"high": False, "name": "Trial_1"})
    assert history.line(at(0.5, 1.0, 3.9, 4.0)).tolist() == [False, True, True, False]
    assert history.reversed_(at(1, 2)).tolist() == [False, True]
    assert history.fatigue(at(2, 3)).tolist() == [0.0, 0.5]
    assert history.line_name(1.5) == "Trial_1"
    assert history.last_rise_s(3.0) == 1.0
    assert history.last_rise_s(0.9) is None


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("belts", {}, "left_mps"),
        ("belts", belts(99, 0), "beyond"),
        ("belts", belts(1, 1, 0), "not above 0"),
        ("belts", belts(float("nan"), 0), "beyond"),
        ("deck", {"target_deg": 5, "rate_dps": -1}, "not above 0"),
        ("facing", {"reversed": 1}, "true or false"),
        ("fatigue", {"level": -0.1}, "within 0 to 1"),
        ("line", {"name": "x"}, "high"),
        ("fault", {"device": "vicon", "fault": "sing"}, "unknown"),
        ("weather", {}, "there are"),
    ],
)
def test_bad_inputs_are_refused_whole(kind, value, said):
    history = History()
    with pytest.raises(ValueError, match=said):
        history.append(1.0, kind, value)
    assert history.inputs == ()


def test_time_does_not_go_back():
    history = History()
    history.append(2.0, "fatigue", {"level": 0.1})
    with pytest.raises(ValueError, match="comes before"):
        history.append(1.0, "fatigue", {"level": 0.2})


def test_faults_at_run_time():
    history = History()
    history.append(2.0, "fault", {"device": "vicon", "fault": "drop", "n": 3})
    (fault,) = history.faults("vicon")
    assert (fault.at, fault.number("n", 1)) == (2.0, 3.0)
    assert history.faults("noraxon") == []
