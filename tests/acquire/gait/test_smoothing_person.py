"""What smoothing does to the gait of a person whose true gait is known."""

from functools import cache

import numpy as np
import pytest

from acquire.gait.measures import measures
from acquire.gait.model_trial import model_trial
from acquire.gait.plates import Deck, Plate
from acquire.gait.processing import Processing
from acquire.gait.smoothing import MarkerSmoothing
from acquire.gait.static_calibration import calibrate
from acquire.gait.trial import GaitInput, analyse
from devices.sim.person import MARKERS
from tests.builders.person_session import CONFIG, standing
from tests.builders.walkers import walker

GCV = Processing()
RAW = Processing(smoothing=MarkerSmoothing("none"))
SHORT = Processing(smoothing=MarkerSmoothing("none"), derivative_window_s=0.08)
MSE = Processing(smoothing=MarkerSmoothing("mse", 10.0))
JOINTS = ("Hip", "Knee", "Ankle")


@cache
def person():
    walk = walker(1.0, 0.0)
    fine, coarse = walk.times(1000), walk.times(100)
    facts = CONFIG.person
    legs = {
        f"{name}_{side}_mm": getattr(facts, f"{name}_mm")
        for name in ("leg_length", "knee_width", "ankle_width")
        for side in ("left", "right")
    }
    body = measures({"mass_kg": facts.mass_kg, "marker_diameter_mm": 14.0, **legs})
    still = standing().markers_m(np.arange(0, 2, 0.01))
    static = calibrate({name: still[:, k] for k, name in enumerate(MARKERS)}, body)
    loads = walk.person.plate_loads(fine)
    placed = walk.person.markers_m(coarse)
    return walk.config.plates, fine, coarse, loads, placed, body, static


@cache
def outputs(noise_mm: float, processing: Processing, rate_hz: float = 100.0):
    plates, fine, coarse, loads, placed, body, static = person()
    if rate_hz != 100.0:
        coarse = walker(1.0, 0.0).times(rate_hz)
        placed = walker(1.0, 0.0).person.markers_m(coarse)
    noise = np.random.default_rng(1).normal(0, 1e-3, placed.shape) * noise_mm
    markers = {name: (placed + noise)[:, k] for k, name in enumerate(MARKERS)}
    under = [
        Plate(side, plates.rotation(), plates.origin_m(side), plates.corners_m(side))
        for side in ("left", "right")
    ]
    level = Deck(np.zeros(fine.size), np.array(plates.pivot_m))
    at, marker_at = fine - fine[0], coarse - coarse[0]
    found = analyse(
        GaitInput(
            *(under, [loads[:, 0], loads[:, 1]], at, 1000.0),
            *(markers, marker_at, rate_hz, level),
        )
    )
    given = (markers, marker_at, found, 1000.0, body, static)
    made = model_trial(*given, marker_rate_hz=rate_hz, processing=processing)
    return made.arrays


def errors(noise_mm: float, processing: Processing, kind: str) -> list[float]:
    """RMS of flexion at hip, knee and ankle against no noise, median of both sides."""
    true, made = outputs(0.0, SHORT), outputs(noise_mm, processing)
    found = []
    for joint in JOINTS:
        names = [f"{side}{joint}{kind}" for side in "LR"]
        apart = [(made[n] - true[n])[15:-15, 0] for n in names]
        found.append(float(np.median([np.sqrt(np.nanmean(d**2)) for d in apart])))
    return found


def table() -> list[tuple[float, str, list[float], list[float]]]:
    """The rows of decision record 0013."""
    ways = {"GCV": GCV, "none, 0.2 s": RAW, "none, 0.08 s": SHORT, "10 mm²": MSE}
    return [
        (noise, name, errors(noise, way, "Angles"), errors(noise, way, "Moment"))
        for noise in (0.0, 0.2, 0.5, 1.0)
        for name, way in ways.items()
    ]


def test_without_noise_angles_and_moments_stay() -> None:
    assert max(errors(0.0, GCV, "Angles")) < 1e-3
    assert max(errors(0.0, GCV, "Moment")) < 1e-3


@pytest.mark.parametrize("noise_mm", [0.2, 0.5])
def test_cross_validation_beats_unsmoothed_markers(noise_mm: float) -> None:
    ours = errors(noise_mm, GCV, "Angles")
    for got, raw in zip(ours, errors(noise_mm, RAW, "Angles"), strict=True):
        assert got < 0.7 * raw
    for way in (RAW, SHORT):
        raw_hip = errors(noise_mm, way, "Moment")[0]
        assert errors(noise_mm, GCV, "Moment")[0] < 0.9 * raw_hip


def test_another_frame_rate_gives_the_same_gait() -> None:
    at_100, at_120 = np.arange(450) / 100, np.arange(540) / 120
    ours, other = outputs(0.0, SHORT), outputs(0.0, SHORT, 120.0)
    for name, most in (
        ("LKneeAngles", 0.05),
        ("RAnkleMoment", 0.03),
        ("LGroundReactionForce", 0.3),
    ):
        again = np.interp(at_100, at_120, other[name][: at_120.size, 0])
        inner = slice(40, -40)
        apart = (again - ours[name][: at_100.size, 0])[inner]
        assert np.sqrt(np.nanmean(apart**2)) < most, name
