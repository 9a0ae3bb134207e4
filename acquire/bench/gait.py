"""How fast the gait model runs, and how near it comes to what went into a body."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.gait.feet import SIDES, FootLoad, Side
from acquire.gait.live_gait import LiveGait
from acquire.gait.live_model import LiveModel
from acquire.gait.measures import Measures, measures
from acquire.gait.plates import Plate
from acquire.gait.plug_in_gait import kinematics, kinetics
from acquire.gait.segments import Calibration
from acquire.gait.static_calibration import calibrate
from acquire.gait.survey import DeckSettings, SurveyedPlate
from acquire.gait.vectors import cross
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import MARKERS, Person

Floats = NDArray[np.float64]
RATE_HZ = 100.0
REPEATS = 20  #: of ten seconds each


def run(n_live: int = 600) -> list[dict[str, Any]]:
    """Return a row per claim: measured on one core, and the limit it is held to."""
    config = LabConfig()
    body = _measures(config)
    standing = Person(config, History()).markers_m(np.arange(100) / RATE_HZ)
    calibration = calibrate(_by_label(standing), body)
    walker = Person(config, _walk())
    t = np.arange(5.0, 15.0, 1 / RATE_HZ)
    parts = [(walker.markers_m(p), walker.foot_forces_n(p), walker.pressure_m(p))
             for p in np.split(t, 10)]  # fmt: skip
    markers, forces, spots = (np.concatenate(part) for part in zip(*parts, strict=True))
    error = _angle_error(config, body, markers, t)
    many = {k: np.tile(v, (REPEATS, 1)) for k, v in _by_label(markers).items()}
    n = t.size * REPEATS
    loads = _loads(np.tile(forces, (REPEATS, 1, 1)), np.tile(spots, (REPEATS, 1, 1)))

    def angles_only() -> None:
        kinematics(many, body, calibration)

    def everything() -> None:
        segments, _ = kinematics(many, body, calibration)
        kinetics(segments, body, calibration, loads, RATE_HZ)

    angles_ms, full_ms = _live_ms(config, body, calibration, walker, t[:n_live])
    return [
        _row("angles, batch", n / _cpu_s(angles_only), "frames/s", ">= 50000"),
        _row("angles and kinetics", n / _cpu_s(everything), "frames/s", ">= 20000"),
        _row("live angles, median", float(np.median(angles_ms)), "ms/frame", ""),
        _row("live, everything: median", float(np.median(full_ms)), "ms/frame", "<= 2"),
        _row(
            "live, everything: 99 of 100",
            float(np.percentile(full_ms, 99)),
            "ms/frame",
            "",
        ),
        _row("angles against truth", error, "deg, worst", "<= 0.01"),
    ]


def _live_ms(
    config: LabConfig,
    body: Measures,
    calibration: Calibration,
    walker: Person,
    t: Floats,
) -> tuple[Floats, Floats]:
    """Return CPU per frame, in ms: of angles alone, and of plates and all.

    Ten samples of both plates come with every frame, as numbers as they come over LSL.
    """
    places = config.plates
    plates = [
        SurveyedPlate(
            Plate(
                side, places.rotation(), places.origin_m(side), places.corners_m(side)
            ),
            tuple(range(6 * k, 6 * k + 6)),
        )
        for k, side in enumerate(SIDES)
    ]
    markers = walker.markers_m(t)
    fine = t[0] + np.arange(-5, 10 * t.size) / 1000
    loads = walker.plate_loads(fine).reshape(fine.size, 12)
    index = np.arange(-5.0, 10 * t.size)
    frames = [
        {name: markers[k : k + 1, m] for m, name in enumerate(MARKERS)}
        for k in range(t.size)
    ]
    model = LiveModel(body, calibration)
    angles = [_cpu_s(lambda one=one: model.push(one)) for one in frames]  # type: ignore[misc]
    live = LiveGait(body, calibration, plates, DeckSettings(places.pivot_m))

    def step(k: int) -> None:
        rows = slice(10 * k, 10 * k + 10)
        live.forces(index[rows], loads[rows])
        live.frames(k, frames[k])

    full = [_cpu_s(lambda k=k: step(k)) for k in range(t.size)]  # type: ignore[misc]
    return np.array(angles) * 1e3, np.array(full[len(full) // 2 :]) * 1e3


def _row(case: str, value: float, unit: str, limit: str) -> dict[str, Any]:
    return {"case": case, "measured": float(f"{value:.3g}"), "unit": unit,
            "limit": limit}  # fmt: skip


def _cpu_s(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return max(time.process_time() - begin, 1e-9)


def _angle_error(
    config: LabConfig, body: Measures, markers: Floats, t: Floats
) -> float:
    standing = Person(config, History()).markers_m(np.arange(100) / RATE_HZ)
    _, found = kinematics(
        _by_label(markers), body, calibrate(_by_label(standing), body)
    )
    truth = Person(config, _walk()).angles_deg(t)
    return max(float(np.abs(found[name] - want).max()) for name, want in truth.items())


def _walk() -> History:
    history = History()
    belts = {"left_mps": 1.0, "right_mps": 1.0,
             "accel_left_mps2": 1.0, "accel_right_mps2": 1.0}  # fmt: skip
    history.append(0.5, "belts", belts)
    return history


def _measures(config: LabConfig) -> Measures:
    person = config.person
    legs = {
        f"{name}_{side}_mm": float(getattr(person, f"{name}_mm"))
        for name in ("leg_length", "knee_width", "ankle_width")
        for side in SIDES
    }
    diameter = person.marker_diameter_mm
    return measures({**legs, "marker_diameter_mm": diameter, "mass_kg": person.mass_kg})


def _by_label(markers: Floats) -> dict[str, Floats]:
    return {name: markers[:, k] for k, name in enumerate(MARKERS)}


def _loads(forces: Floats, spots: Floats) -> dict[Side, FootLoad]:
    at = np.nan_to_num(spots)
    return {
        side: FootLoad(
            forces[:, k], cross(at[:, k], forces[:, k]), np.zeros_like(forces[:, k])
        )
        for k, side in enumerate(SIDES)
    }
