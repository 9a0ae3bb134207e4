"""People walking under known conditions, made once."""

import itertools
from functools import cache

import numpy as np

from devices.sim.config import LabConfig, PlateConfig
from devices.sim.history import History
from devices.sim.person import Person

QUIET = PlateConfig(force_noise_n=0, moment_noise_nm=0)
SPEEDS = (0.5, 1.0, 1.5)
SLOPES = (-10.0, -5.0, 0.0, 5.0, 10.0)


class Walker:
    """A person who has walked steadily since `since_s`."""

    def __init__(self, speed_mps, slope_deg, *, downhill_by_facing=False):
        history = History()
        deck = abs(slope_deg) if downhill_by_facing else slope_deg
        turned = downhill_by_facing and slope_deg < 0
        sign = -1 if turned else 1
        if deck:
            history.append(0.0, "deck", {"target_deg": deck, "rate_dps": 40.0})
        if turned:
            history.append(0.05, "facing", {"reversed": True})
        history.append(
            6.0 if turned else 0.5,
            "belts",
            {
                "left_mps": sign * speed_mps,
                "right_mps": sign * speed_mps,
                "accel_left_mps2": 0.8,
                "accel_right_mps2": 0.8,
            },
        )
        self.history = history
        self.config = LabConfig(seed=3, plates=QUIET)
        self.person = Person(self.config, history)
        self.since_s = 10.0 if turned else 3.5
        self.until_s = self.since_s + 4.5
        self.weight_n = self.config.person.mass_kg * 9.81
        self.speed_mps, self.slope_deg, self.sign = speed_mps, slope_deg, sign

    def times(self, rate_hz):
        n = int((self.until_s - self.since_s) * rate_hz)
        return self.since_s + np.arange(n) / rate_hz

    def rows(self, t):
        """The walk's rows at lattice times."""
        k = np.round(t * 1000).astype(int)
        self.person.walk.reach(int(k.max()))
        return self.person.walk.at(k)

    def strikes(self, side="left", kind="strike"):
        events = self.person.heel_strikes(self.since_s, self.until_s)
        return np.array([t for t, s, k in events if s == side and k == kind])

    def cycle(self, t, values, side="left"):
        """Mean over strides at 0 to 100 % of the cycle."""
        at = self.strikes(side)
        u = np.linspace(0, 1, 101)
        return np.mean(
            [np.interp(a + u * (b - a), t, values) for a, b in itertools.pairwise(at)],
            axis=0,
        )


@cache
def walker(speed_mps, slope_deg):
    return Walker(speed_mps, slope_deg)


@cache
def downhill_walker(speed_mps, slope_deg):
    """Walks down a deck that is up at +x, facing -x."""
    return Walker(speed_mps, slope_deg, downhill_by_facing=True)
