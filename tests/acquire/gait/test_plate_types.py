"""Four kinds of plates give one force and one pressure centre."""

import ezc3d
import numpy as np
import pytest

from acquire.dataset.c3d import C3dError, read_c3d
from acquire.dataset.c3d_gait import force_plates
from acquire.gait.plate_types import PlateError, forces_and_moments, on_plate, plate_at
from acquire.gait.plates import Deck, ground_reaction

CORNERS_M = np.array([[0.5, 0.2, 0], [0.1, 0.2, 0], [0.1, 0.8, 0], [0.5, 0.8, 0]])
DEPTH_M = 0.05
SPOT_M = np.array([0.37, 0.41, 0.0])
PUSH_N = np.array([30.0, -50.0, 700.0])  # the ground on the person
TWIST_NM = np.array([0.0, 0.0, 4.0])


def about(axes, origin_m):
    """Reaction and moment about a world point in plate axes."""
    moment = np.cross(SPOT_M - origin_m, PUSH_N) + TWIST_NM
    return PUSH_N @ axes, moment @ axes


def channels(kind):
    """What a plate of each kind reports, with its stored origin and matrix."""
    plate = plate_at("1", 1, CORNERS_M, np.zeros(3))
    axes, centre = plate.rotation, CORNERS_M.mean(axis=0)
    stored = np.array([0.0, 0.0, -DEPTH_M])
    force, moment = about(axes, centre + axes @ [0, 0, DEPTH_M])
    if kind == 1:
        spot = (SPOT_M - centre) @ axes
        free = TWIST_NM @ axes[:, 2]
        return np.array([*force, *spot[:2], free]), stored, None
    if kind == 2:
        return np.array([*force, *moment]), stored, None
    if kind == 3:
        a, b = 0.12, 0.2
        z = solve_corners(force[2], moment, a, b)
        # the twist is shared by both pairs of forces along x
        x12 = force[0] / 2 - moment[2] / (2 * b)
        row = [x12, force[0] - x12, force[1] / 2, force[1] / 2, *z]
        return np.array(row), np.array([a, b, -DEPTH_M]), None
    matrix = np.eye(6) * [100, 100, 200, 50, 50, 25]
    matrix[0, 2], matrix[3, 1] = 1.5, -0.7
    volts = np.linalg.solve(matrix, [*force, *moment])
    return volts, stored, matrix


def solve_corners(fz, moment, a, b):
    rows = np.array([[1, 1, 1, 1], [b, b, -b, -b], [-a, a, a, -a], [1, -1, 1, -1.0]])
    return np.linalg.solve(rows, [fz, moment[0], moment[1], 0.0])


def check(plate, loads):
    n = len(loads)
    deck = Deck(np.zeros(n), np.zeros(3), plates_follow_deck=False)
    found = ground_reaction(plate, on_plate(plate, loads), deck)
    assert found.force_n == pytest.approx(np.tile(PUSH_N, (n, 1)), abs=0.01)
    assert found.cop_m == pytest.approx(np.tile(SPOT_M, (n, 1)), abs=1e-4)
    assert np.abs(found.free_moment_nm) == pytest.approx(4.0, abs=0.01)
    assert found.inside.all()
    about_world = np.cross(SPOT_M, PUSH_N) + TWIST_NM
    assert found.moment_nm == pytest.approx(np.tile(about_world, (n, 1)), abs=0.02)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_every_kind_gives_the_same_reaction(kind: int, sign: int) -> None:
    row, origin, matrix = channels(kind)
    if sign < 0 and kind == 1:
        row = np.concatenate([-row[:3], row[3:5], -row[5:]])
    elif sign < 0:
        row = -row  # the force on the plate instead of the reaction
    plate = plate_at("1", kind, CORNERS_M, origin)
    check(plate, forces_and_moments(kind, np.tile(row, (3, 1)), origin, matrix))


def test_a_positive_origin_means_the_same() -> None:
    row, origin, _ = channels(2)
    check(plate_at("1", 2, CORNERS_M, -origin), np.tile(row, (3, 1)))


def write(path, kind, frames=20):
    """A file with one plate of a kind, in mm, written by another library."""
    row, origin, matrix = channels(kind)
    if kind in (1, 2):
        row = row * [1, 1, 1, 1000, 1000, 1000]
    elif kind == 4:
        matrix = matrix * np.array([1, 1, 1, 1000, 1000, 1000])[:, None]
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [100]
    file["parameters"]["POINT"]["LABELS"]["value"] = ["LASI"]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    file["data"]["points"] = np.ones((4, 1, frames))
    file["parameters"]["ANALOG"]["RATE"]["value"] = [1000]
    names = [f"C{k}" for k in range(row.size)]
    file["parameters"]["ANALOG"]["LABELS"]["value"] = names
    moments = row.size - 3 if kind in (1, 2) else 0
    file["parameters"]["ANALOG"]["UNITS"]["value"] = ["N"] * (row.size - moments) + [
        "Nmm"
    ] * moments
    file["data"]["analogs"] = np.tile(row[None, :, None], (1, 1, 10 * frames))
    plates = {
        "USED": [1],
        "TYPE": [kind],
        "ZERO": [0, 0],
        "CORNERS": (CORNERS_M.T * 1000)[:, :, None],
        "ORIGIN": (origin * 1000)[:, None],
        "CHANNEL": np.arange(1.0, row.size + 1)[:, None],
    }
    if kind == 4:
        plates["CAL_MATRIX"] = matrix[:, :, None]
    for name, value in plates.items():
        file.add_parameter("FORCE_PLATFORM", name, value)
    for name in ("USED", "TYPE", "ZERO", "CHANNEL"):
        file["parameters"]["FORCE_PLATFORM"][name]["type"] = 2  # as the format asks
    file.write(str(path))


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_a_file_of_every_kind(tmp_path, kind: int) -> None:
    write(tmp_path / "plate.c3d", kind)
    plates, loads = force_plates(read_c3d(tmp_path / "plate.c3d"))
    assert len(loads[0]) == 200
    check(plates[0], loads[0])


@pytest.mark.parametrize("kind", [2, 4])
def test_another_reader_sees_the_same_force(tmp_path, kind: int) -> None:
    write(tmp_path / "plate.c3d", kind)
    file = ezc3d.c3d(str(tmp_path / "plate.c3d"), extract_forceplat_data=True)
    (theirs,) = file["data"]["platform"]
    plates, loads = force_plates(read_c3d(tmp_path / "plate.c3d"))
    ours = on_plate(plates[0], loads[0])[:, :3] @ plates[0].rotation.T
    assert np.abs(theirs["force"][:, 0]) == pytest.approx(np.abs(ours[0]), abs=0.01)
    spot = theirs["center_of_pressure"][:, 0] / 1000
    assert spot[:2] == pytest.approx(SPOT_M[:2], abs=1e-3)


def test_other_kinds_are_refused(tmp_path) -> None:
    write(tmp_path / "plate.c3d", 2)
    file = ezc3d.c3d(str(tmp_path / "plate.c3d"))
    file["parameters"]["FORCE_PLATFORM"]["TYPE"]["value"] = [6]
    file.write(str(tmp_path / "other.c3d"))
    with pytest.raises(C3dError, match="of type 6; types 1 to 4 are read"):
        read_c3d(tmp_path / "other.c3d")
    with pytest.raises(PlateError, match="no calibration matrix"):
        forces_and_moments(4, np.zeros((5, 6)), np.zeros(3))
    with pytest.raises(PlateError, match="type 3 has 8"):
        forces_and_moments(3, np.zeros((5, 6)), np.zeros(3))
