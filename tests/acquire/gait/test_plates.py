"""Plate loads become the reaction on the person, on any slope and facing."""

import numpy as np
import pytest

from acquire.gait.plates import Deck, Plate, ground_reaction, swing_offset, to_plate_m
from tests.builders.walking import PIVOT_M, PLATES, Walk, loads

T = np.arange(0, 3.0, 1e-3)


def deck(incline_deg: float, n: int = T.size, follow: bool = True) -> Deck:
    return Deck(np.full(n, incline_deg), PIVOT_M, follow)


@pytest.mark.parametrize("incline_deg", [0.0, 5.0, 10.0, -4.0])
@pytest.mark.parametrize("facing", [1, -1])
def test_force_and_pressure_centre_are_recovered(
    incline_deg: float, facing: int
) -> None:
    walk = Walk(incline_deg=incline_deg, facing=facing, noise_n=0.0, offset_n=(0, 0))
    for k, plate in enumerate(PLATES):
        side = ("left", "right")[k if facing > 0 else 1 - k]
        found = ground_reaction(plate, loads(walk, T)[k], deck(incline_deg))
        np.testing.assert_allclose(found.force_n, walk.force(side, T), atol=1e-9)
        on = found.inside
        assert on.mean() > 0.4
        np.testing.assert_allclose(found.cop_m[on], walk.cop(side, T)[on], atol=1e-9)
        np.testing.assert_allclose(found.free_moment_nm[on], 0, atol=1e-9)


def test_a_pose_surveyed_on_a_slope_is_turned_from_there() -> None:
    walk = Walk(incline_deg=10.0, noise_n=0.0, offset_n=(0, 0))
    level = PLATES[0]
    tilted = Plate(
        "FP1",
        walk.turn() @ level.rotation,
        walk.to_world(level.origin_m[None])[0],
        walk.to_world(level.corners_m),
        pose_incline_deg=10.0,
    )
    found = ground_reaction(tilted, loads(walk, T)[0], deck(10.0))
    np.testing.assert_allclose(found.force_n, walk.force("left", T), atol=1e-9)


def test_plates_may_stay_where_they_are() -> None:
    walk = Walk(noise_n=0.0, offset_n=(0, 0))
    found = ground_reaction(PLATES[0], loads(walk, T)[0], deck(10.0, follow=False))
    np.testing.assert_allclose(found.force_n, walk.force("left", T), atol=1e-9)


def test_a_free_moment_comes_back_with_the_persons_sign() -> None:
    load = np.array([[10.0, -20.0, 500.0, 30.0, -40.0, 0.0]])
    found = ground_reaction(PLATES[0], load, deck(0.0, 1))
    more = load + np.array([[0, 0, 0, 0, 0, 6.0]])
    twisted = ground_reaction(PLATES[0], more, deck(0.0, 1))
    assert twisted.free_moment_nm - found.free_moment_nm == pytest.approx(-6.0)
    np.testing.assert_array_equal(twisted.cop_m, found.cop_m)


def test_points_go_back_into_plate_axes() -> None:
    walk = Walk(incline_deg=7.0)
    world = walk.to_world(PLATES[1].corners_m)
    local = to_plate_m(PLATES[1], world, deck(7.0, 4))
    np.testing.assert_allclose(local, PLATES[1].corners_plate_m, atol=1e-12)


def test_zero_is_found_while_nobody_stands_on_the_plate() -> None:
    walk = Walk(offset_n=(12.0, -30.0))
    for load, zero in zip(loads(walk, T), walk.offset_n, strict=True):
        offset = swing_offset(load, 1000.0)
        assert offset is not None
        assert offset[2] == pytest.approx(zero, abs=0.5)
        assert offset[3] == pytest.approx(0.1 * zero, abs=0.5)


def test_no_zero_is_invented_when_someone_stands_still() -> None:
    standing = np.zeros((3000, 6))
    standing[:, 2] = 350.0
    assert swing_offset(standing, 1000.0) is None
    assert swing_offset(np.full((3000, 6), np.nan), 1000.0) is None


def test_loads_must_have_six_components() -> None:
    with pytest.raises(ValueError, match=r"not \(n, 6\)"):
        ground_reaction(PLATES[0], np.zeros((5, 3)), deck(0.0, 5))
