"""Force plate metrics."""

import numpy as np
import pytest

from acquire.quality import force
from tests.acquire.quality.windows import PLATES, steps, window

METRIC = {each.name: each for each in force.METRICS}
WALKING = {"belt_mps": 1.0, "body_weight_n": 706.0}


def values(name, forces, context=WALKING):
    return METRIC[f"force.{name}"].compute(
        window(forces, 1000.0, PLATES, context=context)
    )


def level(name, forces, context=WALKING):
    metric = METRIC[f"force.{name}"]
    return [metric.level(value) for value in values(name, forces, context).values()]


@pytest.mark.parametrize("name", [each.partition(".")[2] for each in METRIC])
def test_good_walking_raises_nothing(name) -> None:
    noise = np.random.default_rng(0).normal(0, 1.5, (8000, 6))
    assert set(level(name, steps() + noise)) == {"ok"}


def test_offset_is_measured_in_swing() -> None:
    found = values("zero_offset", steps(offset_n=25.0))
    assert found["left"] == pytest.approx(25.0, abs=1.0)
    assert found["right"] == pytest.approx(0.0, abs=1.0)


def test_offset_is_measured_while_nobody_is_there_and_not_while_standing() -> None:
    empty = np.tile([0, 0, 30.0, 0, 0, -2.0], (8000, 1))
    assert level("zero_offset", empty, {}) == ["red", "ok"]
    standing = np.tile([0, 0, 350.0, 0, 0, 350.0], (8000, 1))
    assert np.isnan(list(values("zero_offset", standing, {}).values())).all()


@pytest.mark.parametrize(
    ("factor", "said"), [(1.0, "ok"), (1.06, "amber"), (0.8, "red")]
)
def test_mean_force_must_be_body_weight(factor, said) -> None:
    assert level("body_weight", steps() * factor) == [said]


def test_body_weight_does_not_mind_the_tilt_of_the_deck() -> None:
    tilt = np.radians(10)
    rotation = np.array(
        [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    )
    tilted = (steps().reshape(-1, 2, 3) @ rotation.T).reshape(-1, 6)
    assert level("body_weight", tilted) == ["ok"]


def test_body_weight_needs_a_weight_and_a_walk() -> None:
    assert np.isnan(values("body_weight", steps(), {"belt_mps": 1.0})[""])
    assert np.isnan(values("body_weight", steps(), {"body_weight_n": 706.0})[""])


def test_saturation_and_crossing() -> None:
    assert level("saturation", np.minimum(steps(), 700.0)) == ["red", "red"]
    crossed = steps()
    crossed[:, 2] += 40
    assert level("never_unloaded", crossed) == ["red", "ok"]


def test_a_walk_that_has_just_begun_is_not_judged_as_one() -> None:
    standing = np.tile([0, 0, 350.0, 0, 0, 350.0], (8000, 1))
    begun = {**WALKING, "walking_s": 1.0}
    for name in METRIC:
        assert set(level(name.partition(".")[2], standing, begun)) == {"ok"}, name


def test_plates_are_found_by_their_labels() -> None:
    assert set(force.plates(PLATES)) == {"left", "right"}
    assert force.plates(("Fx1", "Fy1", "Fz1", "Mz1")) == {"1": ("Fx1", "Fy1", "Fz1")}
    assert force.plates(("sync", "index", "Fz")) == {}


def test_a_stream_without_plates_has_no_values() -> None:
    seen = window(np.zeros((8000, 1)), 1000.0, ("sync",))
    assert METRIC["force.zero_offset"].compute(seen) == {}
