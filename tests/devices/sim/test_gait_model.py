"""The gait model finds in the markers what the body did."""

import numpy as np
import pytest

from devices.sim.history import History
from devices.sim.person import MARKERS, Person
from tests.builders.gait_model import LABELS, angles, segments, static
from tests.builders.walkers import SLOPES, SPEEDS, downhill_walker, walker

ROOM_DEG = 0.01


def offsets_of(w):
    calm = Person(w.config, History())
    markers = calm.markers_m(np.arange(100) / 100)
    return static(segments(markers * 1000, w.config.person))


def worst(w):
    t = w.times(100)
    found = segments(w.person.markers_m(t) * 1000, w.config.person)
    modelled, true = angles(found, offsets_of(w)), w.person.angles_deg(t)
    assert set(modelled) == set(true)
    return {name: np.abs(modelled[name] - true[name]).max() for name in true}


def test_marker_order_is_that_of_the_gait_model():
    assert tuple(LABELS) == MARKERS


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("slope", SLOPES)
def test_angles_return(speed, slope):
    errors = worst(walker(speed, slope))
    assert max(errors.values()) < ROOM_DEG, errors


def test_angles_return_when_facing_backwards():
    errors = worst(downhill_walker(1.0, -10.0))
    assert max(errors.values()) < ROOM_DEG, errors


def test_static_offsets_are_those_of_a_static_trial():
    w = walker(1.0, 0.0)
    found = offsets_of(w)
    for i, side in enumerate("LR"):
        told = w.person.static_offsets
        assert found[side][0] == pytest.approx(told.plantar_flexion[i], abs=1e-5)
        assert found[side][1] == pytest.approx(told.rotation[i], abs=1e-5)


def test_joint_centres_return():
    w = walker(1.0, 5.0)
    t = w.times(100)
    found = segments(w.person.markers_m(t) * 1000, w.config.person)
    anatomy = w.person.anatomy
    for s in "LR":
        thigh = np.linalg.norm(found[s + "hip"] - found[s + "knee"], axis=1) / 1000
        shank = np.linalg.norm(found[s + "knee"] - found[s + "ankle"], axis=1) / 1000
        assert np.abs(thigh - anatomy.thigh_m).max() < 2e-5
        assert np.abs(shank - anatomy.shank_m).max() < 2e-5


def test_marker_noise_is_an_option():
    w = walker(1.0, 0.0)
    t = w.times(100)[:200]
    person = w.config.person.model_copy(update={"marker_noise_mm": 0.2})
    noisy = Person(w.config.model_copy(update={"person": person}), w.history)
    noise = noisy.markers_m(t) - w.person.markers_m(t)
    assert noise.std() == pytest.approx(2e-4, rel=0.05)
    assert np.array_equal(noisy.markers_m(t[50:]), noisy.markers_m(t)[50:])
