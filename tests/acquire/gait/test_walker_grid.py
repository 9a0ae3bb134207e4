"""Events of the simulated walker at every incline and speed, to 5 ms."""

import numpy as np
import pytest

from acquire.gait.events import times_of
from acquire.gait.plate_checks import analyse_checked
from acquire.gait.plates import Deck, Plate
from acquire.gait.trial import GaitInput
from devices.sim.person import MARKERS
from tests.builders.walkers import SLOPES, SPEEDS, downhill_walker, walker

pytestmark = pytest.mark.slow
SIDES = ("left", "right")


@pytest.mark.parametrize("slope_deg", SLOPES)
@pytest.mark.parametrize("speed_mps", SPEEDS)
def test_events_are_within_5_ms(speed_mps: float, slope_deg: float) -> None:
    """Downhill is walked facing back on a deck that is up in front."""
    walk = (downhill_walker if slope_deg < 0 else walker)(speed_mps, slope_deg)
    fine, coarse, plates = walk.times(1000), walk.times(100), walk.config.plates
    loads, placed = walk.person.plate_loads(fine), walk.person.markers_m(coarse)
    found = analyse_checked(
        GaitInput(
            plates=[
                Plate(s, plates.rotation(), plates.origin_m(s), plates.corners_m(s))
                for s in SIDES
            ],
            loads=[loads[:, 0], loads[:, 1]],
            force_time_s=fine,
            force_rate_hz=1000.0,
            markers_m={name: placed[:, k] for k, name in enumerate(MARKERS)},
            marker_time_s=coarse,
            marker_rate_hz=100.0,
            deck=Deck(np.full(fine.size, abs(slope_deg)), np.array(plates.pivot_m)),
            mass_kg=walk.config.person.mass_kg,
        )
    )
    assert found.remarks == ()
    force = [event for event in found.events if event.source == "force"]
    for side in SIDES:
        for kind in ("strike", "off"):
            times, truth = times_of(force, side, kind), walk.strikes(side, kind)
            truth = truth[(truth > walk.since_s + 0.1) & (truth < walk.until_s - 0.1)]
            late = np.array([times[np.abs(times - t).argmin()] - t for t in truth])
            assert late.size >= 2
            assert np.abs(late).max() <= 0.005, f"{side} {kind}: {late * 1e3} ms"
