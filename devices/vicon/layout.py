"""What of a Vicon session becomes channels: pure selection from its description."""

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from devices.errors import DeviceError
from devices.vicon.config import ViconConfig
from devices.vicon.objects import DeviceChannel, PlatePose, Statics, Subject

FORCE = ("Fx", "Fy", "Fz")
MOMENT = ("Mx", "My", "Mz")

#: Y-up data turned Z-up as the vendor's SDK does by default: (1, 2, 3) -> (1, -3, 2).
Z_FROM_Y_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


@dataclass(frozen=True, slots=True)
class Output:
    """Rows of one device channel that become columns."""

    device_id: int
    channel_id: int
    rows: tuple[int, ...]  #: wanted components, in the order of the columns
    n_components: int


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """One force plate of `vicon-forces`."""

    label: str  #: FP1, FP2...
    name: str  #: as the server calls the device
    force: Output
    moment: Output
    pose: PlatePose | None


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Markers, plates and the sync input, in the order of the channels.

    `segment_keys` are (subject id, segment id), empty when they are not wanted;
    `marker_keys` (n_markers,) holds ``subject id << 32 | marker id``; `to_z_up`
    turns positions of the server into Z-up ones, None when they are.
    """

    subjects: tuple[str, ...]
    ignored: tuple[str, ...]
    marker_labels: tuple[str, ...]
    marker_keys: NDArray[np.uint64]
    to_z_up: NDArray[np.float64] | None
    plates: tuple[Plate, ...]
    sync: Output | None
    frame_hz: float
    segment_labels: tuple[str, ...] = ()
    segment_keys: tuple[tuple[int, int], ...] = ()

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Every analog output in column order."""
        of_plates = [o for plate in self.plates for o in (plate.force, plate.moment)]
        return (*of_plates, self.sync) if self.sync else tuple(of_plates)


def build_layout(statics: Statics, config: ViconConfig, where: str) -> Layout:
    """Select what `config` wants; `DeviceError` says what is missing and what is there.

    `where` opens every message, for example ``vicon at 10.0.0.5:801``.
    """
    if statics.period_ticks <= 0:
        raise DeviceError(f"{where} has told no frame rate (is it live?)")
    subjects, ignored = _subjects(statics, config, where)
    keys, labels = _markers(subjects)
    _must_differ(labels, f"{where}: markers")
    segments = _segments(subjects, where) if config.segments else {}
    return Layout(
        subjects=tuple(subject.name for subject in subjects),
        ignored=ignored,
        marker_labels=tuple(labels),
        marker_keys=np.array(keys, dtype=np.uint64),
        to_z_up=Z_FROM_Y_UP if statics.y_up else None,
        plates=_plates(statics, config, where) if config.forces else (),
        sync=_sync(statics, config, where) if config.forces else None,
        frame_hz=135e6 / statics.period_ticks,
        segment_labels=tuple(segments.values()),
        segment_keys=tuple(segments),
    )


def _subjects(
    statics: Statics, config: ViconConfig, where: str
) -> tuple[list[Subject], tuple[str, ...]]:
    names = [subject.name for subject in statics.subjects]
    missing = [name for name in config.subjects if name not in names]
    if missing:
        raise DeviceError(f"{where} has no subject {missing}; it has {names}")
    if config.subjects:
        taken = [s for s in statics.subjects if s.name in config.subjects]
    else:
        ignored = re.compile(config.ignored_subjects or r"(?!)")
        taken = [s for s in statics.subjects if not ignored.search(s.name)]
    if not any(subject.markers for subject in taken):
        raise DeviceError(
            f"{where} has no subject with markers to record; it has {names or 'none'}"
        )
    left = tuple(s.name for s in statics.subjects if s not in taken)
    return taken, left


def _markers(subjects: list[Subject]) -> tuple[list[int], list[str]]:
    keys, labels = [], []
    for subject in subjects:
        prefix = _prefix(subject, subjects)
        for marker_id, name in subject.markers:
            keys.append(subject.subject_id << 32 | marker_id)
            labels.append(f"{prefix}{name}")
    return keys, labels


def _segments(subjects: list[Subject], where: str) -> dict[tuple[int, int], str]:
    found = {
        (subject.subject_id, segment.segment_id): (
            f"{_prefix(subject, subjects)}{segment.name}"
        )
        for subject in subjects
        for segment in subject.segments
    }
    if not found:
        names = [subject.name for subject in subjects]
        raise DeviceError(
            f"{where}: none of the subjects {names} has segments (option segments); "
            "is the kinematic fit part of the live processing?"
        )
    _must_differ(list(found.values()), f"{where}: segments")
    return found


def _prefix(subject: Subject, subjects: list[Subject]) -> str:
    return f"{subject.name}:" if len(subjects) > 1 else ""


def _must_differ(labels: list[str], what: str) -> None:
    doubled = sorted({label for label in labels if labels.count(label) > 1})
    if doubled:
        raise DeviceError(f"{what} appear twice: {doubled}")


def _plates(statics: Statics, config: ViconConfig, where: str) -> tuple[Plate, ...]:
    found: dict[str, tuple[Output, Output, PlatePose | None]] = {}
    for device in statics.devices:
        channels = [c for c in statics.channels if c.device_id == device.device_id]
        force, moment = _core(channels, FORCE), _core(channels, MOMENT)
        if force and moment:
            found[device.name] = force, moment, _pose(statics, device.device_id)
    missing = [name for name in config.plates if name not in found]
    if missing:
        raise DeviceError(f"{where} has no force plate {missing}; it has {list(found)}")
    names = config.plates or tuple(found)
    return tuple(
        Plate(f"FP{i}", name, *found[name]) for i, name in enumerate(names, start=1)
    )


def _pose(statics: Statics, device_id: int) -> PlatePose | None:
    pose = statics.poses.get(device_id)
    if pose is None or not statics.y_up:
        return pose
    return replace(
        pose,
        translation_mm=Z_FROM_Y_UP @ pose.translation_mm,
        rotation=Z_FROM_Y_UP @ pose.rotation,
    )


def _core(channels: list[DeviceChannel], names: tuple[str, ...]) -> Output | None:
    for channel in channels:
        if set(names) <= set(channel.components):
            rows = tuple(channel.components.index(name) for name in names)
            return Output(
                channel.device_id, channel.channel_id, rows, len(channel.components)
            )
    return None


def _sync(statics: Statics, config: ViconConfig, where: str) -> Output | None:
    if not config.sync_device:
        return None
    names = [device.name for device in statics.devices]
    if config.sync_device not in names:
        raise DeviceError(
            f"{where} has no device {config.sync_device!r} (sync_device); it has "
            f"{names or 'none'}"
        )
    device = statics.devices[names.index(config.sync_device)]
    channels = [c for c in statics.channels if c.device_id == device.device_id]
    found = [
        Output(c.device_id, c.channel_id, (row,), len(c.components))
        for c in channels
        for row, component in enumerate(c.components)
        if config.sync_channel in _names(c, component)
    ]
    if len(found) != 1:
        have = [f"{c.name}/{part}" for c in channels for part in c.components]
        raise DeviceError(
            f"{where}: {config.sync_device!r} has {len(found)} channels called "
            f"{config.sync_channel!r} (sync_channel); it has {have}"
        )
    return found[0]


def _names(channel: DeviceChannel, component: str) -> set[str]:
    names = {component, f"{channel.name}/{component}"}
    return names | {channel.name} if len(channel.components) == 1 else names


def samples_per_frame(statics: Statics, device_id: int, n_values: int) -> Fraction:
    """Return a device's samples per stream frame; its device frame has `n_values`."""
    period = {d.device_id: d.period_ticks for d in statics.devices}.get(device_id, 0)
    if period <= 0:
        raise DeviceError(f"device {device_id} has no frame period")
    return Fraction(statics.period_ticks * n_values, period)


def incline_deg(pose: PlatePose) -> float:
    """Deck angle of a plate's surface; positive when its world +x end is up."""
    normal = pose.rotation[:, 2] * (1.0 if pose.rotation[2, 2] >= 0 else -1.0)
    return math.degrees(math.atan2(-normal[0], normal[2]))


def corners_m(pose: PlatePose) -> NDArray[np.float64]:
    """Corners of a plate's upper surface in world axes, shape (4, 3), metres.

    The order is (min x, min y), (max x, min y), (max x, max y), (min x, max y) in
    plate axes; the upper face is the one whose z is higher in the world.
    """
    (x0, y0, z0), (x1, y1, z1) = pose.bounds_mm
    z = z1 if pose.rotation[2, 2] >= 0 else z0
    local = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])
    return np.asarray((local @ pose.rotation.T + pose.translation_mm) / 1000.0)
