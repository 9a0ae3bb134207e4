"""What a Vicon session may hold beside the person: options of the twin.

``wand``        a calibration wand, the second subject: five markers, one segment
``segments``    poses of the person's pelvis too
``unlabeled``   so many markers that belong to nobody
``emg``         the person's EMG as an analog device at the rate of the plates
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from devices.sim.person import EMG_CHANNELS, MARKERS, Person
from devices.vicon import twin_pack
from devices.vicon.twin_pack import Floats, Object
from devices.vicon.twin_spoilt import Spoilt

WAND_ID, EMG_ID = 2, 4
#: Places of the wand's markers on it, mm: a T.
WAND_MARKERS = {
    "W1": (0.0, 0.0, 0.0),
    "W2": (0.0, 120.0, 0.0),
    "W3": (0.0, 240.0, 0.0),
    "W4": (160.0, 120.0, 0.0),
    "W5": (320.0, 120.0, 0.0),
}
WAND_RADIUS_MM, WAND_TURNS_HZ = 900.0, 0.2
UNLABELED_STEP_MM = 111.1

Recon = tuple[int, int, tuple[float, float, float]]


class Extras:
    """Describes and renders what the options of the twin ask for."""

    def __init__(self, options: Mapping[str, Any], person: Person) -> None:
        self._person = person
        self._wand = bool(options.get("wand", False))
        self._segments = bool(options.get("segments", False))
        self._n_unlabeled = int(options.get("unlabeled", 0))
        self._emg = bool(options.get("emg", False))

    @property
    def person_segments(self) -> Sequence[tuple[int, int, str]]:
        """Segments of the person's own subject: (parent, id, name)."""
        return ((0, 1, "Pelvis"),) if self._segments else ()

    def statics(self, period_ticks: int) -> list[Object]:
        """Describe the wand and the EMG device."""
        found: list[Object] = []
        if self._segments:
            found.append(_neutral(1))
        if self._wand:
            markers = list(enumerate(WAND_MARKERS, start=1))
            found += [
                twin_pack.subject_info(WAND_ID, "Wand", markers, [(0, 1, "Wand")]),
                _neutral(WAND_ID),
            ]
        if self._emg:
            found.append(twin_pack.device_info(EMG_ID, period_ticks, "EMG"))
            found.append(twin_pack.device_info_extra(EMG_ID, 0))
            for number, name in enumerate(EMG_CHANNELS, start=1):
                found += [
                    twin_pack.channel_info(EMG_ID, number, name, [name]),
                    twin_pack.channel_info_extra(EMG_ID, number, "volt", "emg"),
                ]
        return found

    def recons(self, t_s: float) -> list[Recon]:
        """Return labelled markers of the wand."""
        if not self._wand:
            return []
        at_mm, rotation = _wand_pose(t_s)
        places = np.array(list(WAND_MARKERS.values())) @ rotation.T + at_mm
        return [
            (WAND_ID, number, (x, y, z))
            for number, (x, y, z) in enumerate(places.tolist(), start=1)
        ]

    def unlabeled(self, t_s: float) -> list[tuple[float, float, float]]:
        """Return markers of nobody, mm."""
        height_mm = 50.0 + 40.0 * math.sin(t_s)
        return [
            (UNLABELED_STEP_MM * i, -2000.0, height_mm)
            for i in range(self._n_unlabeled)
        ]

    def objects(
        self, frame_id: int, t_s: float, t_samples_s: Floats, spoilt: Spoilt
    ) -> list[Object]:
        """Render segments and EMG of a frame."""
        found: list[Object] = []
        if self._segments:
            found += _posed(1, *self._pelvis_pose(t_s))
        if self._wand:
            found += _posed(WAND_ID, *_wand_pose(t_s))
        if self._emg and "EMG" not in spoilt.silent:
            volts = spoilt.clipped("EMG", self._person.emg_uv(t_samples_s) * 1e-6)
            for number in range(1, len(EMG_CHANNELS) + 1):
                column = volts[:, number - 1 : number]
                found.append(twin_pack.samples(13, frame_id, EMG_ID, number, column))
        return found

    def _pelvis_pose(self, t_s: float) -> tuple[Floats, Floats]:
        """Origin between the front spines, x forward, y left, z up the pelvis."""
        markers = self._person.markers_m(np.array([t_s]))[0]
        at = {name: markers[MARKERS.index(name)] for name in MARKERS[:4]}
        origin = (at["LASI"] + at["RASI"]) / 2
        y = _unit(at["LASI"] - at["RASI"])
        forward = origin - (at["LPSI"] + at["RPSI"]) / 2
        x = _unit(forward - (forward @ y) * y)
        return origin * 1000.0, np.stack([x, y, np.cross(x, y)], axis=1)


def _wand_pose(t_s: float) -> tuple[Floats, Floats]:
    """Return where the wand is, carried round in a circle: mm, rotation."""
    angle = 2 * math.pi * WAND_TURNS_HZ * t_s
    c, s = math.cos(angle), math.sin(angle)
    at_mm = np.array([WAND_RADIUS_MM * c, WAND_RADIUS_MM * s, 1000.0])
    return at_mm, np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _posed(subject_id: int, at_mm: Floats, rotation: Floats) -> list[Object]:
    """Pack the pose of a subject of one segment: global and local are the same."""
    pose = [(1, tuple(at_mm.tolist()), tuple(rotation.ravel().tolist()))]
    return [twin_pack.segments(object_id, subject_id, pose) for object_id in (9, 8)]


def _neutral(subject_id: int) -> Object:
    return twin_pack.segments(28, subject_id, [(1, (0.0,) * 3, twin_pack.IDENTITY)])


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.linalg.norm(v))
