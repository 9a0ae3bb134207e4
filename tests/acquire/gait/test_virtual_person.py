"""The simulated body walks; plates and markers alone tell its steps and its forces."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acquire.gait.baselines import Baseline
from acquire.gait.events import times_of
from acquire.gait.plates import Deck, Plate
from acquire.gait.trial import GaitInput, GaitResult, analyse
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import MARKERS, Person

FIRST_S, LAST_S = 6.0, 16.0


@dataclass(frozen=True)
class Walked:
    found: GaitResult
    strikes: dict[str, NDArray[np.float64]]
    offs: dict[str, NDArray[np.float64]]
    feet_n: NDArray[np.float64]
    weight_n: float
    zeros: list[NDArray[np.float64]]


def hanging(plate: Plate, config: LabConfig, incline_deg: float) -> NDArray[np.float64]:
    """What 55 kg of belt and rollers add to a plate zeroed on the level, shape (6,)."""
    down = np.array([0.0, 0.0, -55 * 9.80665])
    force = down @ config.plates.rotation(incline_deg) - down @ plate.rotation
    middle = (plate.corners_m.mean(axis=0) - plate.origin_m) @ plate.rotation
    return np.concatenate([force, np.cross(middle, force)])


@pytest.fixture(
    scope="module",
    params=[
        (0.0, 1.0, False),
        (10.0, 1.0, False),
        (5.0, 1.5, True),
        (0.0, 0.5, False),
        (5.0, 0.5, False),
        (10.0, 1.0, True),
    ],
    ids=["level", "up 10", "down 5 fast", "slow", "up 5 slow", "down 10"],
)
def walked(request: pytest.FixtureRequest) -> Walked:
    incline_deg, speed_mps, is_reversed = request.param
    config = LabConfig(
        plates={"baseline": ((3, -2, 12, 0.5, 0, 0), (0, 1, -9, 0, 0.4, 0))}
    )
    history = History()
    signed = -speed_mps if is_reversed else speed_mps
    inputs: list[tuple[float, str, dict[str, Any]]] = [
        (0.0, "facing", {"reversed": is_reversed}),
        (0.0, "deck", {"target_deg": incline_deg, "rate_dps": 10.0}),
        (
            1.5,
            "belts",
            {
                "left_mps": signed,
                "right_mps": signed,
                "accel_left_mps2": 1.0,
                "accel_right_mps2": 1.0,
            },
        ),
    ]
    for at, kind, value in inputs:
        history.append(at, kind, value)
    person = Person(config, history)
    fine = np.arange(FIRST_S, LAST_S, 1e-3)
    coarse = np.arange(FIRST_S, LAST_S, 1e-2)
    placed, loads, feet = [], [], []
    for second in np.arange(FIRST_S, LAST_S, 1.0):
        at = fine[(fine >= second) & (fine < second + 1)]
        loads.append(person.plate_loads(at))
        feet.append(person.foot_forces_n(at))
        at = coarse[(coarse >= second) & (coarse < second + 1)]
        placed.append(person.markers_m(at))
    load, marker = np.concatenate(loads), np.concatenate(placed)
    plates = [
        Plate(
            name,
            config.plates.rotation(),
            config.plates.origin_m(side),
            config.plates.corners_m(side),
        )
        for name, side in (("FP1", "left"), ("FP2", "right"))
    ]
    zeros = [
        baseline + hanging(plate, config, incline_deg)
        for plate, baseline in zip(plates, config.plates.baseline, strict=True)
    ]
    hung = [hanging(plate, config, incline_deg) for plate in plates]
    named = {plate.name: zero for plate, zero in zip(plates, zeros, strict=True)}
    # Facing back with the baseline of that angle; else the swing phases must do.
    baseline = Baseline("unloaded", named, incline_deg) if is_reversed else None
    found = analyse(
        GaitInput(
            plates=plates,
            loads=[load[:, k] + hung[k] for k in (0, 1)],
            baseline=baseline,
            force_time_s=fine,
            force_rate_hz=1000.0,
            markers_m={name: marker[:, k] for k, name in enumerate(MARKERS)},
            marker_time_s=coarse,
            marker_rate_hz=100.0,
            deck=Deck(np.full(fine.size, incline_deg), np.array(config.plates.pivot_m)),
            mass_kg=config.person.mass_kg,
        )
    )
    events = person.heel_strikes(FIRST_S, LAST_S)
    sides = ("left", "right")

    def known(kind: str) -> dict[str, NDArray[np.float64]]:
        return {
            side: np.array([t for t, s, what in events if (s, what) == (side, kind)])
            for side in sides
        }

    weight_n = config.person.mass_kg * 9.80665
    return Walked(
        found, known("strike"), known("off"), np.concatenate(feet), weight_n, zeros
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_strike_is_found_in_time(walked: Walked, side: str) -> None:
    force = [event for event in walked.found.events if event.source == "force"]
    for kind, truth, most_s in (
        ("strike", walked.strikes[side], 0.005),
        ("off", walked.offs[side], 0.005),
    ):
        times = times_of(force, side, kind)
        inside = truth[(truth > FIRST_S + 0.1) & (truth < LAST_S - 0.1)]
        assert abs(times.size - inside.size) <= 1
        error = np.array([times[np.abs(times - t).argmin()] - t for t in inside])
        assert np.abs(error).max() <= most_s, f"{kind}: {error * 1e3} ms"


def test_forces_agree_with_physics(walked: Walked) -> None:
    checks = walked.found.checks
    assert checks["stride_mean_weight_ratio"] == pytest.approx(1.0, abs=0.02)
    assert checks["stride_mean_tilt_deg"] < 1.0
    assert checks["cop_inside_share"] > 0.99
    assert checks["crossovers"] == 0
    assert walked.found.remarks == ()


def test_what_hangs_on_the_plates_is_taken_off(walked: Walked) -> None:
    for zero, want in zip(walked.found.zeros, walked.zeros, strict=True):
        assert zero.offset == pytest.approx(want, abs=0.4)


def test_each_foot_gets_its_own_force(walked: Walked) -> None:
    for k, side in enumerate(("left", "right")):
        error = walked.found.forces_n[side] - walked.feet_n[:, k]
        assert np.sqrt(np.mean(error**2)) < 0.01 * walked.weight_n


def test_strides_are_accepted(walked: Walked) -> None:
    strides = walked.found.strides
    good = [stride for stride in strides if stride.accepted]
    assert len(good) >= len(strides) - 1 >= 8
