"""What the runner reads of the participant: cadence, steadiness, facing, fatigue."""

import numpy as np
import pytest

from acquire.quality import person
from tests.acquire.quality.windows import PLATES, muscle, steps, white, window

WALKING = {"belt_mps": 1.0, "walking_s": 10.0}
PELVIS = tuple(
    f"{name}_{axis}" for name in ("LASI", "RASI", "LPSI", "RPSI") for axis in "XYZ"
)


def forces(samples, context=WALKING):
    return window(samples, 1000.0, PLATES, context=context)


def test_cadence_of_strides_of_one_second() -> None:
    walk = forces(steps())
    assert person.cadence(walk)[""] == pytest.approx(120.0, abs=1.0)
    assert person.stride_cv(walk)[""] == pytest.approx(0.0, abs=0.5)


def test_strides_of_changing_length_are_not_steady() -> None:
    slower = np.repeat(steps(2.5), 2, axis=0)
    walk = forces(np.concatenate([steps(5.0), slower]))
    assert person.stride_cv(walk)[""] > 15.0


def test_older_strides_of_another_speed_are_forgotten() -> None:
    slower = np.repeat(steps(4.0), 2, axis=0)
    walk = forces(np.concatenate([slower, steps(8.0)]))
    assert person.cadence(walk)[""] == pytest.approx(120.0, abs=1.0)


def test_standing_has_no_cadence() -> None:
    assert np.isnan(person.cadence(forces(steps(), {"belt_mps": 0.0}))[""])
    noise = np.random.default_rng(0).normal(0, 3.0, (8000, 6))
    assert np.isnan(person.cadence(forces(noise))[""])


@pytest.mark.parametrize(
    ("ahead", "said"), [((0.2, 0.01), 1.0), ((-0.2, 0.05), -1.0), ((0.02, 0.2), None)]
)
def test_facing_is_read_from_the_pelvis(ahead, said) -> None:
    place = np.zeros((100, 4, 3))
    place[:, :2, :2] = ahead
    found = person.facing(window(place.reshape(100, -1), 100.0, PELVIS))[""]
    assert np.isnan(found) if said is None else found == said


def test_hidden_pelvis_tells_no_facing() -> None:
    hidden = np.full((100, 12), np.nan)
    assert np.isnan(person.facing(window(hidden, 100.0, PELVIS))[""])


def test_median_frequency_and_rms_of_a_muscle() -> None:
    emg = np.column_stack([muscle(), white(50.0)])
    walk = window(emg, 2000.0, ("R_TA", "R_MG"), context=WALKING)
    assert 60 < person.median_frequency(walk)["R_TA"] < 150
    assert 200 < person.median_frequency(walk)["R_MG"] < 270
    assert person.rms(walk)["R_MG"] == pytest.approx(50 * np.sqrt(0.43), rel=0.1)
    standing = window(emg, 2000.0, ("R_TA", "R_MG"), context={"belt_mps": 0.0})
    assert np.isnan(list(person.rms(standing).values())).all()
