"""Frame by frame the model gives what it gives of the whole trial."""

import numpy as np
import pytest

from acquire.gait.feet import FootLoad
from acquire.gait.inverse_dynamics import FILTERED, RAW
from acquire.gait.live_model import LiveFrames, LiveModel
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
    here = slice(k, k + 1) if isinstance(k, int) else k
    return {
        side: FootLoad(
            load.force_n[here], load.moment_nm[here], load.plate_moment_nm[here]
        )
        for side, load in loads.items()
    }


def first_of(frames):
    """The only frame of a push."""
    (angles,), (joints,), (ground,) = frames.angles, frames.joints, frames.ground
    return LiveFrames(angles, joints, ground)


def pushed(live, markers, loads, frames):
    for k in frames:
        one = {name: rows[k : k + 1] for name, rows in markers.items()}
        past = k - live.delay
        yield k, first_of(live.push(one, at(loads, past) if past >= 0 else None))


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


def test_several_frames_at_once_give_the_same(legs, markers, loads) -> None:
    one, many = (LiveModel(legs.body, calibration()) for _ in range(2))
    single = [found for _, found in pushed(one, markers, loads, range(10, N))]
    sizes, k = (3, 1, 40, 7, 2, 57), 10
    for size in sizes:
        rows = slice(k, k + size)
        past = slice(k - 10, k - 10 + size)
        found = many.push(
            {name: marker[rows] for name, marker in markers.items()}, at(loads, past)
        )
        for j in range(size):
            want = single[k + j - 10]
            assert found.angles[j] == pytest.approx(want.angles, abs=1e-9)
            # Lengths are means over all frames so far, those to come in a push too.
            assert found.joints[j] == pytest.approx(want.joints, abs=2e-3, nan_ok=True)
            assert found.ground[j] == pytest.approx(want.ground)
        k += size
    assert k == N


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
    first = live.push({n: rows[:1] for n, rows in markers.items()}).angles[0, pelvis]
    for k in range(150):
        one = {n: rows[k % N : k % N + 1] for n, rows in turned.items()}
        found = first_of(live.push(one))
    assert np.abs(first).max() < 30
    assert np.abs(found.angles[pelvis]).max() < 30
