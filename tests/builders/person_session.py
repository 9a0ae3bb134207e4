"""Recordings of the simulated person: standing still, and walking."""

import dataclasses
from functools import cache

import numpy as np

from acquire.dataset.participants import Participant, write_participant
from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import MARKERS, Person
from tests.builders.walkers import walker
from tests.builders.walking import Walk, session

CONFIG = LabConfig(seed=3)


def standing():
    return Person(CONFIG, History())


def listed(root, **changes):
    """Put the simulated person on the list of participants."""
    person = CONFIG.person
    legs = {
        f"{name}_{side}_mm": getattr(person, f"{name}_mm")
        for name in ("leg_length", "knee_width", "ankle_width")
        for side in ("left", "right")
    }
    measures = {"mass_kg": person.mass_kg, "marker_diameter_mm": 14.0, **legs}
    write_participant(root, Participant("P43", **{**measures, **changes}))


@dataclasses.dataclass(frozen=True)
class PersonWalk(Walk):
    """The simulated person in place of the schematic one; both at level."""

    person: Person = None
    since_s: float = 0.0

    def _at(self, values, side):
        return np.nan_to_num(values[:, 0 if side == "left" else 1])

    def heel(self, side, t):
        return self.placed(t)[:, MARKERS.index(f"{side[0].upper()}HEE")]

    def toe(self, side, t):
        return self.placed(t)[:, MARKERS.index(f"{side[0].upper()}TOE")]

    def cop(self, side, t):
        return self._at(self.person.pressure_m(self.since_s + t), side)

    def force(self, side, t):
        return self._at(self.person.foot_forces_n(self.since_s + t), side)

    def placed(self, t):
        return self.person.markers_m(self.since_s + t)


def recorded(walk):
    """Return a session whose markers are the person's."""
    made = session(walk)
    streams = []
    for stream in made.recording.streams:
        if stream.name == "vicon-markers":
            n = len(stream.data)
            placed = walk.placed(np.arange(n) / 100)
            data = stream.data.copy()
            data[:, 1:] = placed.reshape(n, -1)
            stream = dataclasses.replace(stream, data=data)
        streams.append(stream)
    recording = dataclasses.replace(made.recording, streams=tuple(streams))
    return dataclasses.replace(made, recording=recording)


@cache
def static_session():
    return recorded(PersonWalk(duration_s=4.0, person=standing(), since_s=0.0))


@cache
def walk_session():
    walk = walker(1.0, 0.0)
    return recorded(
        PersonWalk(duration_s=8.0, person=walk.person, since_s=walk.since_s)
    )
