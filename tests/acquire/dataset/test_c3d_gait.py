"""Gait from C3D files, compared with what Nexus made of the same files."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from acquire.dataset.c3d import C3dFile, read_c3d
from acquire.dataset.c3d_gait import C3dGait, force_plates, gait_of_c3d, offsets_of
from acquire.dataset.c3d_writer import write_c3d
from acquire.gait.marker_checks import MarkerError
from acquire.gait.measures import MeasureError
from acquire.gait.plate_types import PlateError
from acquire.gait.plug_in_gait import ANGLES
from tests.builders.nexus import PAIRS, pair

ENDS = 4  # frames at each end where Nexus has no values either
SIDES = "LR"
NAMES = list(PAIRS)


@cache
def files(name: str) -> tuple[C3dFile, C3dFile, dict[str, float]]:
    static, trial, given = pair(name)
    return read_c3d(static), read_c3d(trial), given


@cache
def gait(name: str) -> C3dGait:
    return gait_of_c3d(*files(name))


def errors(name: str, array: str, scale: float = 1.0) -> tuple[np.ndarray, ...]:
    """Ours and theirs where Nexus has values, shape (n, 3)."""
    theirs = files(name)[1].points[array] / scale
    ours = gait(name).arrays[array]
    inner = slice(ENDS, -ENDS)
    known = np.isfinite(theirs[inner]).all(axis=1) & np.isfinite(ours[inner]).all(1)
    assert known.sum() > 0.9 * np.isfinite(theirs[inner]).all(axis=1).sum()
    return ours[inner][known], theirs[inner][known]


def rms(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean((a - b) ** 2, axis=0))


@pytest.mark.parametrize("array", ANGLES)
@pytest.mark.parametrize("name", NAMES)
def test_angles_are_those_of_nexus(name: str, array: str) -> None:
    theirs = files(name)[1].points[array]
    error = (gait(name).arrays[array] - theirs + 180) % 360 - 180
    known = np.isfinite(theirs).all(axis=1)
    assert known.sum() > 190
    assert np.sqrt((error[known] ** 2).mean(axis=0)).max() <= 0.01
    assert np.abs(error[known]).max() <= 0.05


@pytest.mark.parametrize("name", NAMES)
def test_static_offsets_are_those_of_nexus(name: str) -> None:
    trial, found = files(name)[1], gait(name).calibration
    for side in ("left", "right"):
        foot, letter = found.foot(side), side[0].upper()
        want = trial.processing
        flexion = np.degrees(want[f"{letter}StaticPlantFlex"])
        assert foot.plantar_flexion_deg == pytest.approx(flexion, abs=1e-3)
        rotation = np.degrees(want[f"{letter}StaticRotOff"])
        assert foot.rotation_deg == pytest.approx(rotation, abs=1e-3)


@pytest.mark.parametrize("joint", ["Hip", "Knee", "Ankle"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NAMES)
def test_kinetics_are_those_of_nexus(name: str, side: str, joint: str) -> None:
    ours, theirs = errors(name, f"{side}{joint}Moment", 1000.0)
    assert rms(ours, theirs)[0] <= 0.03
    assert np.corrcoef(ours[:, 0], theirs[:, 0])[0, 1] >= 0.99
    assert rms(ours, theirs).max() <= 0.05
    assert rms(*errors(name, f"{side}{joint}Force")).max() <= 0.1
    assert rms(*errors(name, f"{side}{joint}Power")).max() <= 0.1


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NAMES)
def test_ground_reactions_are_those_of_nexus(name: str, side: str) -> None:
    assert rms(*errors(name, f"{side}GroundReactionForce")).max() <= 0.05
    moment = errors(name, f"{side}GroundReactionMoment", 1000.0)
    assert rms(*moment).max() <= 0.005


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NAMES)
def test_absolute_ankles_and_percents_of_weight_are_those_of_nexus(
    name: str, side: str
) -> None:
    ours, theirs = errors(name, f"{side}AbsAnkleAngle")
    assert np.abs(ours - theirs).max() <= 0.001
    ours, theirs = errors(name, f"{side}NormalisedGRF")
    assert rms(ours, theirs).max() <= 0.5  # percent


@pytest.mark.parametrize("name", NAMES)
def test_the_ground_pushes_up_and_inside_the_plates(name: str) -> None:
    found = gait(name).arrays
    up = np.nanmax([found[f"{s}GroundReactionForce"][:, 2] for s in SIDES])
    assert 9 < up < 15  # N/kg
    down = np.nanmin([found[f"{s}GroundReactionForce"][:, 2] for s in SIDES])
    assert down > -0.2


def test_events_come_from_the_file() -> None:
    found = [e for e in gait("HC002D").events if e.side == "left"]
    strikes = [e.time_s for e in found if e.kind == "strike"]
    assert strikes == pytest.approx([0.12, 1.04, 1.97], abs=1e-6)
    assert {e.source for e in found} == {"file"}


def test_a_measure_in_no_file_is_named() -> None:
    static, trial, _ = files("BELT_C")
    with pytest.raises(MeasureError) as caught:
        gait_of_c3d(static, trial, {})
    assert caught.value.measure == "marker_diameter_mm"


def test_no_mass_is_named() -> None:
    static, trial, _ = files("HC002D")
    rest = {k: v for k, v in trial.processing.items() if k != "Bodymass"}
    static, trial = (dataclasses.replace(f, processing=rest) for f in (static, trial))
    with pytest.raises(MeasureError, match="mass_kg is missing"):
        gait_of_c3d(static, trial, {})


def test_plates_out_of_order_are_named() -> None:
    static, trial, given = files("HC002D")
    first, second = trial.plates
    swapped = (
        dataclasses.replace(first, channels=second.channels),
        dataclasses.replace(second, channels=first.channels),
    )
    with pytest.raises(PlateError, match="out of order"):
        gait_of_c3d(static, dataclasses.replace(trial, plates=swapped), given)


def test_channels_out_of_order_are_named() -> None:
    static, trial, given = files("HC002D")
    first, second = trial.plates
    mixed = first.channels[:, [2, 1, 0, 3, 4, 5]]
    plates = (dataclasses.replace(first, channels=mixed), second)
    with pytest.raises(PlateError, match="horizontal"):
        gait_of_c3d(static, dataclasses.replace(trial, plates=plates), given)


def test_other_calibrations_are_refused() -> None:
    static, trial, given = files("HC002D")
    other = {**static.processing, "LTibialTorsion": -0.3}
    with pytest.raises(MeasureError, match="tibial torsion"):
        gait_of_c3d(dataclasses.replace(static, processing=other), trial, given)


def test_a_rotation_without_unit_is_refused() -> None:
    static, trial, given = files("HC002D")
    turned = dataclasses.replace(
        trial, processing={**trial.processing, "LThighRotation": 0.1}
    )
    with pytest.raises(MeasureError, match="without its unit"):
        gait_of_c3d(static, turned, given)
    known = {"thigh_rotation_left_deg": np.degrees(0.1)}
    found = gait_of_c3d(static, turned, known).arrays
    change = found["LHipAngles"] - gait("HC002D").arrays["LHipAngles"]
    assert np.abs(np.median(change[:, 2])) > 1.0


def test_offsets_in_degrees_are_told_from_radians() -> None:
    names = [f"{s}Static{what}" for s in SIDES for what in ("PlantFlex", "RotOff")]
    radians = dict(zip(names, (0.19, -0.05, 0.23, 0.07), strict=True))
    found = offsets_of(radians)
    assert found["static_plantar_flexion_left_deg"] == pytest.approx(np.degrees(0.19))
    degrees = {name: np.degrees(value) for name, value in radians.items()}
    assert offsets_of(degrees) == pytest.approx(found)
    assert offsets_of(dict.fromkeys(names, 0.0)) == {}
    assert offsets_of({names[0]: 0.2}) == {}


def test_stored_offsets_that_are_not_there_are_named() -> None:
    static, trial, given = files("HC002D")
    bare = {k: v for k, v in static.processing.items() if "Static" not in k}
    both = (dataclasses.replace(file, processing=bare) for file in (static, trial))
    with pytest.raises(MeasureError, match=r"LStaticPlantFlex.*--stored-offsets"):
        gait_of_c3d(*both, given, stored_offsets=True)


def bad_trial(change) -> C3dFile:
    trial = files("HC002D")[1]
    return dataclasses.replace(trial, points=change(dict(trial.points)))


def swapped(points: dict) -> dict:
    pairs = [
        n
        for n in points
        if n[0] in "LR" and ("R" if n[0] == "L" else "L") + n[1:] in points
    ]
    return {
        **points,
        **{n: points[("R" if n[0] == "L" else "L") + n[1:]] for n in pairs},
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: {k: v for k, v in p.items() if k != "RKNE"}, "06.c3d lacks RKNE"),
        (lambda p: {**p, "LTOE": np.full_like(p["LTOE"], np.nan)}, "lacks LTOE"),
        (swapped, "left and right are swapped at all markers"),
        (lambda p: {**p, "LANK": p["RANK"], "RANK": p["LANK"]}, "LANK and RANK"),
        (lambda p: {k: 1e3 * v for k, v in p.items()}, "positions are in mm, not in m"),
    ],
    ids=["missing", "hidden", "swapped", "one pair swapped", "mm taken for m"],
)
def test_markers_that_cannot_be_right_are_named(change, said: str) -> None:
    static, _, given = files("HC002D")
    with pytest.raises(MarkerError, match=said):
        gait_of_c3d(static, bad_trial(change), given)


def test_a_trial_of_another_subject_is_no_static() -> None:
    static, trial, given = files("HC002D")
    without = {k: v for k, v in static.points.items() if not k.endswith("THI")}
    with pytest.raises(MarkerError, match="the static trial lacks LTHI and RTHI"):
        gait_of_c3d(dataclasses.replace(static, points=without), trial, given)


def test_plates_lie_where_the_file_says() -> None:
    plates, loads = force_plates(files("BELT_C")[1])
    assert [p.surface_z_m for p in plates] == pytest.approx([-0.0163389, -0.0202672])
    assert max(load[:, 2].max() for load in loads) == pytest.approx(500.8, abs=0.1)


def test_a_copy_that_we_wrote_gives_the_same_gait(tmp_path) -> None:
    copies = []
    for file in files("HC002D")[:2]:
        path = write_c3d(
            tmp_path / file.path.name,
            file.markers_m,
            file.rate_hz,
            analog_rate_hz=file.analog_rate_hz,
            plates=file.plates,
            events=file.events,
            processing=file.processing,
            first_frame=file.first_frame,
        )
        copies.append(read_c3d(path))
    ours, copied = gait("HC002D"), gait_of_c3d(*copies, {})
    assert [e.time_s for e in copied.events] == pytest.approx(
        [e.time_s for e in ours.events], abs=1e-4
    )
    for name, rows in ours.arrays.items():
        assert copied.arrays[name] == pytest.approx(rows, abs=0.01, nan_ok=True), name
