"""All inclines and speeds, downhill facing up the deck: plates and markers tell all.

Nothing is noisy here; what goes in must come out.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from acquire.gait.events import times_of
from acquire.gait.feet import SIDES
from acquire.gait.foot_loads import at_frames
from acquire.gait.inverse_dynamics import FILTERED, derivative
from acquire.gait.plates import Deck, Plate
from acquire.gait.plug_in_gait import kinematics
from acquire.gait.trial import GaitInput, analyse
from tests.acquire.gait.test_inverse_dynamics import (
    INNER,
    RATE_HZ,
    energy,
    inflow,
    loads_of,
)
from tests.acquire.gait.test_plug_in_gait import body, by_label, calibration
from tests.builders.walkers import SLOPES, SPEEDS, downhill_walker, walker

ENDS_S = 0.1  # of the recording, where a contact may be cut


class Walked:
    """One walk as plates and markers saw it, and what was made of that."""

    def __init__(self, speed: float, slope: float) -> None:
        self.walk = downhill_walker(speed, slope) if slope < 0 else walker(speed, slope)
        person, config = self.walk.person, self.walk.config
        self.t = np.round(self.walk.times(RATE_HZ), 3)
        fine = np.round(self.walk.times(1000), 4)
        self.markers = by_label(person.markers_m(self.t))
        places, loads = config.plates, person.plate_loads(fine)
        self.gait = analyse(
            GaitInput(
                plates=[
                    Plate(
                        side,
                        places.rotation(),
                        places.origin_m(side),
                        places.corners_m(side),
                    )
                    for side in SIDES
                ],
                loads=[loads[:, 0], loads[:, 1]],
                force_time_s=fine,
                force_rate_hz=1000.0,
                markers_m=self.markers,
                marker_time_s=self.t,
                marker_rate_hz=RATE_HZ,
                deck=Deck(np.full(fine.size, abs(slope)), np.array(places.pivot_m)),
                mass_kg=config.person.mass_kg,
            )
        )


made = cache(Walked)


@pytest.fixture(params=[(speed, slope) for slope in SLOPES for speed in SPEEDS])
def walked(request):
    return made(*request.param)


def test_angles_that_went_in_come_out(walked: Walked) -> None:
    _, found = kinematics(walked.markers, body(walked.walk.config), calibration())
    for name, want in walked.walk.person.angles_deg(walked.t).items():
        assert np.abs(found[name] - want).max() <= 0.01, name


def test_events_are_found_within_5_ms(walked: Walked) -> None:
    walk, gait = walked.walk, walked.gait
    assert gait.remarks == ()
    assert gait.checks["crossovers"] == 0
    assert {event.source for event in gait.events} == {"force"}
    n_found = 0
    for side in SIDES:
        for kind in ("strike", "off"):
            times = times_of(gait.events, side, kind)
            true = walk.strikes(side, kind)
            inside = true[
                (true > walk.since_s + ENDS_S) & (true < walk.until_s - ENDS_S)
            ]
            error_s = np.array([times[np.abs(times - t).argmin()] - t for t in inside])
            assert np.abs(error_s).max() <= 0.005, f"{side} {kind}: {error_s}"
            assert abs(times.size - inside.size) <= 1  # none that was not there
            n_found += inside.size
    assert n_found >= 8


def test_moments_agree_with_forces(walked: Walked) -> None:
    """Over whole strides a leg keeps as much energy as flows into it."""
    own = body(walked.walk.config)
    segments, _ = kinematics(walked.markers, own, calibration())
    ground = {
        side: at_frames(load, 10, walked.t.size)
        for side, load in walked.gait.loads.items()
    }
    legs = SimpleNamespace(
        walk=walked.walk,
        t=walked.t,
        body=own,
        segments=segments,
        feet=segments.feet(calibration()),
        ground=ground,
        loads=loads_of(segments, ground, own.mass_kg),
    )
    at = walked.t[INNER]
    for side in SIDES:
        flow = inflow(legs, side)[INNER]
        change = derivative(energy(legs, side)[:, None], RATE_HZ, FILTERED)[INNER, 0]
        strikes = walked.walk.strikes(side)
        stride = (at >= strikes[0]) & (at < strikes[-1])
        assert np.mean((flow - change)[stride]) == pytest.approx(0, abs=0.01)  # W/kg
        assert np.mean(np.abs(flow[stride])) > 0.1  # of ten times that and more


def test_the_ground_carries_the_person(walked: Walked) -> None:
    checks, strides = walked.gait.checks, walked.gait.strides
    assert checks["stride_mean_weight_ratio"] == pytest.approx(1.0, abs=0.02)
    assert checks["stride_mean_tilt_deg"] < 1.0
    assert checks["cop_inside_share"] > 0.99
    assert sum(stride.accepted for stride in strides) >= len(strides) - 1 >= 2
