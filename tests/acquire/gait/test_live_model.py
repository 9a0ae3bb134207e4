"""Frame by frame the model gives what it gives of the whole trial."""

import numpy as np
import pytest

from acquire.gait.feet import FootLoad
from acquire.gait.inverse_dynamics import FILTERED, RAW
from acquire.gait.live_model import LiveModel
from acquire.gait.plug_in_gait import ANGLES, JOINT_OUTPUTS, kinematics, kinetics
from tests.acquire.gait.test_inverse_dynamics import Legs
from tests.acquire.gait.test_plug_in_gait import by_label, calibration

N = 120


@pytest.fixture(scope="module")
def legs():
    return Legs(1.0, 0.0)


@pytest.fixture(scope="module")
def markers(legs):
    return by_label(legs.walk.person.markers_m(legs.t))


@pytest.fixture(scope="module")
def loads(legs):
    return {
        side: FootLoad(load.force_n, load.moment_nm, np.zeros_like(load.force_n))
        for side, load in legs.ground.items()
    }


def at(loads, k):
    here = slice(k, k + 1)
    return {
        side: FootLoad(
            load.force_n[here], load.moment_nm[here], load.plate_moment_nm[here]
        )
        for side, load in loads.items()
    }


def pushed(live, markers, loads, frames):
    for k in frames:
        one = {name: rows[k : k + 1] for name, rows in markers.items()}
        past = k - live.delay
        yield k, live.push(one, at(loads, past) if past >= 0 else None)


@pytest.mark.parametrize(("smoothing", "delay"), [(FILTERED, 4), (RAW, 10)])
def test_live_is_offline_half_a_window_late(
    legs, markers, loads, smoothing, delay: int
) -> None:
    segments, angles = kinematics(markers, legs.body, calibration())
    whole = kinetics(segments, legs.body, calibration(), loads, 100.0, smoothing)
    live = LiveModel(legs.body, calibration(), smoothing=smoothing)
    assert live.delay == delay
    for k, found in pushed(live, markers, loads, range(N)):
        rows = found.angles.reshape(-1, 3)
        for name, row in zip(ANGLES, rows, strict=True):
            assert row == pytest.approx(angles[name][k], abs=1e-9)
        if k < 2 * delay:
            assert np.isnan(found.joints).all()
            continue
        rows = found.joints.reshape(-1, 3)
        for name, row in zip(JOINT_OUTPUTS, rows, strict=True):
            assert row == pytest.approx(whole[name][k - delay], abs=2e-3), name
        ground = whole["RGroundReactionForce"][k - delay]
        assert found.ground[1] == pytest.approx(ground)


def test_without_plates_there_are_angles_alone(legs, markers) -> None:
    live = LiveModel(legs.body, calibration())
    found = live.push({name: rows[:1] for name, rows in markers.items()})
    assert np.isfinite(found.angles).all()
    assert np.isnan(found.joints).all()
    assert np.isnan(found.ground).all()


def test_a_hidden_marker_hides_what_rests_on_it(legs, markers, loads) -> None:
    hidden = {**markers, "LANK": markers["LANK"].copy()}
    hidden["LANK"][40] = np.nan
    live = LiveModel(legs.body, calibration())
    power = 3 * JOINT_OUTPUTS.index("LAnklePower") + 2
    for k, found in pushed(live, hidden, loads, range(80)):
        shown = dict(zip(ANGLES, found.angles.reshape(-1, 3), strict=True))
        assert np.isnan(shown["LAnkleAngles"]).any() == (k == 40)
        assert np.isfinite(shown["RAnkleAngles"]).all()
        if k >= 20:
            assert np.isnan(found.joints[power]) == (40 <= k <= 60)
            assert np.isfinite(found.joints[27 + power])  # the right ankle's


def test_lost_frames_leave_no_false_derivatives(legs, markers, loads) -> None:
    live = LiveModel(legs.body, calibration())
    list(pushed(live, markers, loads, range(40)))
    live.skip(3)
    for k, found in pushed(live, markers, loads, range(43, 75)):
        assert np.isfinite(found.angles).all()
        assert np.isnan(found.joints).all() == (k < 43 + 20)
    live.skip(500)
    for k, found in pushed(live, markers, loads, range(20, 45)):
        assert np.isnan(found.joints).all() == (k < 40)


def test_the_way_turns_with_who_turns(legs, markers) -> None:
    turned = {
        name: rows * [-1.0, -1.0, 1.0]  # half round the vertical
        for name, rows in markers.items()
    }
    live = LiveModel(legs.body, calibration())
    pelvis = slice(0, 3)
    first = live.push({n: rows[:1] for n, rows in markers.items()}).angles[pelvis]
    for k in range(150):
        one = {n: rows[k % N : k % N + 1] for n, rows in turned.items()}
        found = live.push(one)
    assert np.abs(first).max() < 30
    assert np.abs(found.angles[pelvis]).max() < 30
