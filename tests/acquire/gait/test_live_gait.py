"""Plates and markers frame by frame: loads of the right foot, or none."""

import numpy as np
import pytest

from acquire.gait.live_gait import LiveGait
from acquire.gait.plates import Plate
from acquire.gait.plug_in_gait import JOINT_OUTPUTS
from acquire.gait.survey import DeckSettings, SurveyedPlate
from devices.sim.person import MARKERS
from tests.acquire.gait.test_live_model import first_of
from tests.acquire.gait.test_plug_in_gait import body, calibration
from tests.builders.walkers import downhill_walker, walker

DELAY = 10
FIRST = 2**24 // 10 - 150  # the samples' index wraps after 1.5 s


class Recorded:
    """A walk as the two streams bring it."""

    def __init__(self, walk, incline_deg):
        self.walk, self.incline_deg = walk, incline_deg
        person, config = walk.person, walk.config
        self.n = 300
        self.t = walk.since_s + np.arange(self.n) / 100
        self.fine = walk.since_s + np.arange(-5, self.n * 10) / 1000
        self.markers = person.markers_m(self.t)
        self.loads = person.plate_loads(self.fine).reshape(self.fine.size, 12)
        self.index = (FIRST * 10 + np.arange(-5, self.n * 10)) % 2**24
        places = config.plates
        self.plates = [
            SurveyedPlate(
                Plate(
                    name,
                    places.rotation(),
                    places.origin_m(side),
                    places.corners_m(side),
                ),
                tuple(range(6 * k, 6 * k + 6)),
            )
            for k, (name, side) in enumerate((("FP1", "left"), ("FP2", "right")))
        ]
        self.deck = DeckSettings(tuple(places.pivot_m))
        self.true_n = person.foot_forces_n(self.t)
        self.mass_kg = config.person.mass_kg

    def live(self):
        own = body(self.walk.config)
        return LiveGait(own, calibration(), self.plates, self.deck)

    def frames(self, live, *, loads=None, markers=None, frames=None):
        loads = self.loads if loads is None else loads
        markers = self.markers if markers is None else markers
        for k in range(self.n) if frames is None else frames:
            rows = slice(10 * k, 10 * k + 10)
            live.forces(self.index[rows], loads[rows])
            one = {name: markers[k : k + 1, m] for m, name in enumerate(MARKERS)}
            yield k, first_of(live.frames(FIRST + k, one, self.incline_deg))


@pytest.fixture(scope="module")
def level():
    return Recorded(walker(1.0, 0.0), 0.0)


def ground(found):
    return np.array([one.ground for _, one in found])


@pytest.mark.parametrize(
    ("make", "incline_deg"),
    [
        (lambda: walker(1.0, 0.0), 0.0),
        (lambda: walker(1.5, 10.0), 10.0),
        (lambda: downhill_walker(1.0, -5.0), 5.0),
    ],
    ids=["level", "up", "down, reversed"],
)
def test_each_foot_gets_its_own_force(make, incline_deg: float) -> None:
    walk = Recorded(make(), incline_deg)
    walk.loads += np.tile([3.0, -2.0, 12.0, 0.5, 0.0, 0.0], 2)  # the plates' zero
    live = walk.live()
    found = ground(walk.frames(live))
    assert live.unzeroed == ()
    want = walk.true_n[:-DELAY] / walk.mass_kg
    late = slice(150, None)  # each plate was unloaded once
    error = (found[DELAY:] - want)[late]
    assert np.isfinite(error).all()
    assert np.sqrt(np.mean(error**2)) < 0.1  # N/kg
    assert np.abs(error).max() < 1.0


def test_no_zero_no_kinetics(level) -> None:
    live = level.live()
    standing = np.tile([0.0, 0.0, -350.0, 0.0, 0.0, 0.0], (level.fine.size, 2))
    found = list(level.frames(live, loads=standing))
    assert live.unzeroed == ("FP1", "FP2")
    assert np.isnan(ground(found)).all()
    assert np.isfinite(found[-1][1].angles).all()


def test_who_strikes_unseen_is_not_guessed(level) -> None:
    down = level.true_n[:, 1, 2] > 40
    strike = 150 + int(np.flatnonzero(np.diff(down[150:].astype(int)) == 1)[0]) + 1
    hidden = level.markers.copy()
    hidden[strike - 5 : strike + 20, MARKERS.index("RHEE")] = np.nan
    found = ground(level.frames(level.live(), markers=hidden))[DELAY:]
    assert np.isnan(found[strike : strike + 20]).all()
    assert np.isfinite(found[strike + 21, 1]).all()
    hidden = level.markers.copy()  # who stands there is known from before
    hidden[strike + 10 : strike + 20, MARKERS.index("RHEE")] = np.nan
    found = ground(level.frames(level.live(), markers=hidden))[DELAY:]
    assert found[strike + 15, 1, 2] > 5


def test_samples_that_do_not_come_leave_it_unknown(level) -> None:
    live = level.live()
    for k in range(60):
        one = {n: level.markers[k : k + 1, m] for m, n in enumerate(MARKERS)}
        assert np.isnan(live.frames(FIRST + k, one).ground).all()


def test_both_feet_on_one_plate_is_told(level) -> None:
    """Nobody can say which of them its force is."""
    narrow = level.markers.copy()
    left = [m for m, name in enumerate(MARKERS) if name in ("LHEE", "LTOE")]
    right = [m for m, name in enumerate(MARKERS) if name in ("RHEE", "RTOE")]
    narrow[:, left] = narrow[:, right] - [0.0, 0.12, 0.0]
    found = ground(level.frames(level.live(), markers=narrow))[DELAY:]
    pressed = level.true_n[:-DELAY, 1, 2] > 300
    late = np.flatnonzero(pressed & (np.arange(pressed.size) > 150))
    assert np.isnan(found[late]).all(axis=(1, 2)).mean() > 0.8


def test_lost_frames_are_a_gap(level) -> None:
    live = level.live()
    list(level.frames(live, frames=range(200)))
    found = dict(level.frames(live, frames=range(204, 260)))
    power = 3 * JOINT_OUTPUTS.index("RKneePower") + 2
    assert np.isfinite(found[204].angles).all()
    assert all(np.isnan(found[k].joints[power]) for k in range(204, 224))
    assert np.isfinite(found[240].joints[power])
