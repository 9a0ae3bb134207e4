"""What the twin's cameras and plates see: the simulated person as CGStream objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import SIDES, LabConfig, PlateConfig, Side
from devices.sim.history import History
from devices.sim.person import MARKERS, Person
from devices.sim.trigger_line import TriggerLine
from devices.vicon import twin_pack
from devices.vicon.twin_extras import Extras
from devices.vicon.twin_pack import Object
from devices.vicon.twin_spoilt import SOUND, Spoilt, bounced

FRAME_HZ = 100
SAMPLES_PER_FRAME = 10
PERIOD_TICKS = 135_000_000 // FRAME_HZ
SUBJECT_ID = 1
PLATE_IDS = {"left": 1, "right": 2}
LOCK_LAB_ID = 3
PLATES, LOCK_LAB = ("Force Plate 1", "Force Plate 2"), "Lock Lab"
FORCE_CHANNEL, MOMENT_CHANNEL, COP_CHANNEL, SYNC_CHANNEL = 1, 2, 3, 1
SYNC_HIGH_V = 5.0
COP_THRESHOLD_N = 20.0

SUPPORTED = frozenset({*range(1, 14), 20, 23, 26, 28, 29, 34, 36, 37, 38, 39, 40})

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Instant:
    """When a frame is taken: world times of its marker image and of its samples."""

    frame_id: int
    t_s: float
    t_samples_s: Floats
    device_time_s: float


class Scene:
    """Describes the session and renders frames of it.

    `markers` may be replaced at any time; `version` counts the descriptions.
    """

    def __init__(
        self,
        config: LabConfig,
        history: History,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.config, self.history = config, history
        self.subject = config.person.participant
        self.version = 0
        self._markers: tuple[str, ...] = MARKERS
        self._person = Person(config, history)
        self._extras = Extras(options or {}, self._person)
        self._line = TriggerLine(history, config.waveform, config.seed)

    @property
    def markers(self) -> tuple[str, ...]:
        return self._markers

    def set_markers(self, labels: Sequence[str]) -> None:
        """Track other markers from now on, a choice of the sixteen."""
        unknown = [label for label in labels if label not in MARKERS]
        if unknown:
            raise ValueError(f"no markers {unknown}; there are {MARKERS}")
        self._markers = tuple(labels)
        self.version += 1

    def statics(self) -> list[Object]:
        """Describe subject, devices and plates."""
        ids = [(MARKERS.index(label) + 1, label) for label in self._markers]
        found = [
            twin_pack.stream_info(PERIOD_TICKS),
            twin_pack.application_info(y_up=False),
            twin_pack.subject_info(
                SUBJECT_ID, self.subject, ids, self._extras.person_segments
            ),
            twin_pack.subject_health(SUBJECT_ID, 0.3, 1.0),
            twin_pack.object_quality(SUBJECT_ID, 1.0),
        ]
        for name, side in zip(PLATES, SIDES, strict=True):
            found += _plate(self.config.plates, side, name)
        return found + _lock_lab() + self._extras.statics(PERIOD_TICKS)

    def frame(
        self,
        instant: Instant,
        latency: Sequence[tuple[str, float]],
        spoilt: Spoilt = SOUND,
    ) -> list[Object]:
        """Render one frame."""
        return [
            twin_pack.frame_info(instant.frame_id),
            twin_pack.hardware_frame_info(instant.frame_id + 1000),
            _timecode(instant.device_time_s),
            twin_pack.latency_info(latency),
            twin_pack.frame_rate_info([("Hardware", FRAME_HZ), ("System", FRAME_HZ)]),
            self._labeled(instant.t_s, spoilt.occluded),
            twin_pack.unlabeled_recons(self._extras.unlabeled(instant.t_s), 7.0),
            *self._samples(instant, spoilt),
            *self._extras.objects(
                instant.frame_id, instant.t_s, instant.t_samples_s, spoilt
            ),
        ]

    def _labeled(self, t_s: float, occluded: frozenset[str]) -> Object:
        positions_mm = self._person.markers_m(np.array([t_s]))[0] * 1000.0
        seen = [label for label in self._markers if label not in occluded]
        recons = [
            (SUBJECT_ID, MARKERS.index(label) + 1, _triple(positions_mm, label))
            for label in ([] if "all" in occluded else seen)
        ]
        if "all" not in occluded:
            recons += self._extras.recons(t_s)
        radius_mm = self.config.person.marker_diameter_mm / 2
        return twin_pack.labeled_recons(recons, radius_mm)

    def _samples(self, instant: Instant, spoilt: Spoilt) -> list[Object]:
        loads = self._person.plate_loads(instant.t_samples_s)
        if spoilt.limits:
            both = [spoilt.clipped(PLATES[i], loads[:, i]) for i in range(2)]
            loads = np.stack(both, axis=1)
        cops = _centre_of_pressure(loads, self.config.plates.surface_height_m)
        found: list[Object] = []
        for plate, side in enumerate(SIDES):
            if PLATES[plate] in spoilt.silent:
                continue
            frame, device = instant.frame_id, PLATE_IDS[side]
            force, moment = loads[:, plate, :3], loads[:, plate, 3:]
            found += [
                twin_pack.samples(10, frame, device, FORCE_CHANNEL, force),
                twin_pack.samples(11, frame, device, MOMENT_CHANNEL, moment),
                twin_pack.samples(12, frame, device, COP_CHANNEL, cops[:, plate]),
            ]
        if LOCK_LAB not in spoilt.silent:
            volts = self._sync_volts(instant.t_samples_s, spoilt)[:, None]
            args = instant.frame_id, LOCK_LAB_ID, SYNC_CHANNEL, volts
            found.append(twin_pack.samples(13, *args))
        return found

    def _sync_volts(self, t_s: Floats, spoilt: Spoilt) -> Floats:
        level = self._line.level(t_s).astype(np.float64)
        if spoilt.bounce_s:
            edges = self._line.edges(t_s[0] - spoilt.bounce_s, t_s[-1] + 1e-9)
            level = bounced(level, t_s, edges, spoilt.bounce_s)
        return spoilt.clipped(LOCK_LAB, level * SYNC_HIGH_V)


def _triple(positions: Floats, label: str) -> tuple[float, float, float]:
    x, y, z = positions[MARKERS.index(label)].tolist()
    return x, y, z


def _plate(plates: PlateConfig, side: Side, name: str) -> list[Object]:
    device = PLATE_IDS[side]
    origin_m, rotation = plates.origin_m(side), plates.rotation()
    local_mm = (plates.corners_m(side) - origin_m) @ rotation * 1000.0
    bounds_mm = np.stack([local_mm.min(axis=0), local_mm.max(axis=0)])
    outputs = (
        (FORCE_CHANNEL, "Force", "F", "newton"),
        (MOMENT_CHANNEL, "Moment", "M", "newton meter"),
        (COP_CHANNEL, "CoP", "C", "meter"),
    )
    found = [
        twin_pack.device_info(device, PERIOD_TICKS, name),
        twin_pack.device_info_extra(device, 0),
        twin_pack.force_plate_info(device, origin_m * 1000.0, rotation, bounds_mm),
    ]
    for channel, label, letter, unit in outputs:
        components = [f"{letter}{axis}" for axis in "xyz"]
        found += [
            twin_pack.channel_info(device, channel, label, components),
            twin_pack.channel_info_extra(device, channel, unit, label.lower()),
        ]
    return found


def _lock_lab() -> list[Object]:
    return [
        twin_pack.device_info(LOCK_LAB_ID, PERIOD_TICKS, LOCK_LAB),
        twin_pack.device_info_extra(LOCK_LAB_ID, 0),
        twin_pack.channel_info(LOCK_LAB_ID, SYNC_CHANNEL, "sync", ["sync"]),
        twin_pack.channel_info_extra(LOCK_LAB_ID, SYNC_CHANNEL, "volt", "voltage"),
    ]


def _centre_of_pressure(loads: Floats, height_m: float) -> Floats:
    """Return the points of load of `loads` (n, 2, 6) in plate axes, (n, 2, 3), m."""
    fx, fy, fz = loads[..., 0], loads[..., 1], loads[..., 2]
    loaded = np.abs(fz) > COP_THRESHOLD_N
    divisor = np.where(loaded, fz, 1.0)
    cop = np.empty((*fz.shape, 3))
    cop[..., 0] = (-height_m * fx - loads[..., 4]) / divisor
    cop[..., 1] = (-height_m * fy + loads[..., 3]) / divisor
    cop[..., 2] = -height_m
    cop[~loaded] = 0.0
    return cop


def _timecode(time_s: float) -> Object:
    """SMPTE time, PAL: 25 frames of four subframes a second."""
    ticks = int(time_s * FRAME_HZ)
    seconds, rest = divmod(ticks, FRAME_HZ)
    frame, subframe = divmod(rest, 4)
    clock = seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, frame
    return twin_pack.timecode(clock, subframe, 4)
