"""Bodies of the CGStream objects that describe a session (statics)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.vicon.wire import Body, ObjectId

Bodies = Sequence[bytes | memoryview]

ATTACHMENT = np.dtype([("marker", "<u4"), ("segment", "<u4")])
TOPOLOGY = np.dtype(
    [("segment", "<u4"), ("translation_mm", "<f8", 3), ("rotation", "<f8", (3, 3))]
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A body segment; `parent_id` 0 is the root, `bounds_mm` min then max."""

    parent_id: int
    segment_id: int
    bounds_mm: tuple[float, ...]
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A labelled subject; `markers` are (id, name) in the order of the API."""

    subject_id: int
    name: str
    segments: tuple[Segment, ...]
    markers: tuple[tuple[int, str], ...]
    attachments: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Device:
    """An analog device; `period_ticks` is that of one device frame."""

    device_id: int
    period_ticks: int
    name: str


@dataclass(frozen=True, slots=True)
class DeviceChannel:
    """One output of a device, such as ``Fx, Fy, Fz``."""

    device_id: int
    channel_id: int
    name: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PlatePose:
    """Where a force plate is: v_world = rotation @ v + translation. mm, row-major."""

    device_id: int
    translation_mm: NDArray[np.float64]
    rotation: NDArray[np.float64]
    bounds_mm: NDArray[np.float64]  #: shape (2, 3): minimum, maximum in plate axes
    local_translation_mm: NDArray[np.float64]
    local_rotation: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Statics:
    """All that was said about the session until now."""

    period_ticks: int = 0  #: of a frame, 135 MHz
    y_up: bool = False
    subjects: tuple[Subject, ...] = ()
    devices: tuple[Device, ...] = ()
    channels: tuple[DeviceChannel, ...] = ()
    poses: Mapping[int, PlatePose] = field(default_factory=dict)
    units: Mapping[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    start_ticks: Mapping[int, int] = field(default_factory=dict)
    topologies: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    health: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    quality: Mapping[int, float] = field(default_factory=dict)


def stream_period(body: bytes | memoryview) -> int:
    """Read the period of a frame, in ticks of 135 MHz."""
    return Body(body, ObjectId.STREAM_INFO).i64()


def application_y_up(body: bytes | memoryview) -> bool:
    """Tell whether the data have Y up instead of Z."""
    return Body(body, ObjectId.APPLICATION_INFO).u8() == 1


def subject(body: bytes | memoryview) -> Subject:
    """Read one subject with its segments and markers."""
    reader = Body(body, ObjectId.SUBJECT_INFO)
    subject_id, name = reader.u32(), reader.text()
    segments = tuple(_segment(reader) for _ in range(reader.count(36)))
    markers = tuple((reader.u32(), reader.text()) for _ in range(reader.count(8)))
    return Subject(subject_id, name, segments, markers, reader.records(ATTACHMENT))


def _segment(reader: Body) -> Segment:
    parent_id, segment_id = reader.u32(), reader.u32()
    bounds_mm = tuple(reader.array("<f4", 6).tolist())
    return Segment(parent_id, segment_id, bounds_mm, reader.text())


def topology(body: bytes | memoryview) -> tuple[int, NDArray[Any]]:
    """Read a subject id and the neutral pose of its segments."""
    reader = Body(body, ObjectId.SUBJECT_TOPOLOGY)
    return reader.u32(), reader.records(TOPOLOGY)


def subject_health(body: bytes | memoryview) -> tuple[int, tuple[float, float]]:
    """Subject id, then marker error in mm and health from 0 to 1."""
    reader = Body(body, ObjectId.SUBJECT_HEALTH)
    return reader.u32(), (reader.f64(), reader.f64())


def object_quality(body: bytes | memoryview) -> tuple[int, float]:
    """Read a subject id and its tracking quality, 0 to 1."""
    reader = Body(body, ObjectId.OBJECT_QUALITY)
    return reader.u32(), reader.f64()


def device(body: bytes | memoryview) -> Device:
    """Read one analog device."""
    reader = Body(body, ObjectId.DEVICE_INFO)
    return Device(reader.u32(), reader.u64(), reader.text())


def device_start(body: bytes | memoryview) -> tuple[int, int]:
    """Device id and start tick of its first device frame."""
    reader = Body(body, ObjectId.DEVICE_INFO_EXTRA)
    return reader.u32(), reader.u64()


def channel(body: bytes | memoryview) -> DeviceChannel:
    """Read one output of a device."""
    reader = Body(body, ObjectId.CHANNEL_INFO)
    device_id, channel_id, name = reader.u32(), reader.u32(), reader.text()
    components = tuple(reader.text() for _ in range(reader.count(4)))
    return DeviceChannel(device_id, channel_id, name, components)


def channel_unit(body: bytes | memoryview) -> tuple[tuple[int, int], tuple[str, str]]:
    """Device and channel id, then unit word and type."""
    reader = Body(body, ObjectId.CHANNEL_INFO_EXTRA)
    return (reader.u32(), reader.u32()), (reader.text(), reader.text())


def plate_pose(body: bytes | memoryview) -> PlatePose:
    """Read where a force plate is."""
    reader = Body(body, ObjectId.FORCE_PLATE_INFO)
    device_id = reader.u32()
    values = reader.array("<f4", 30).astype(np.float64)
    return PlatePose(
        device_id,
        translation_mm=values[0:3],
        rotation=values[3:12].reshape(3, 3),
        bounds_mm=values[12:18].reshape(2, 3),
        local_translation_mm=values[18:21],
        local_rotation=values[21:30].reshape(3, 3),
    )


def decode_statics(bodies: Mapping[int, Bodies]) -> Statics:
    """Build the description from the bodies of each object, in wire order."""

    def of(object_id: ObjectId) -> Bodies:
        return bodies.get(object_id, ())

    poses = [plate_pose(body) for body in of(ObjectId.FORCE_PLATE_INFO)]
    periods = [stream_period(body) for body in of(ObjectId.STREAM_INFO)]
    y_up = [application_y_up(body) for body in of(ObjectId.APPLICATION_INFO)]
    return Statics(
        period_ticks=periods[-1] if periods else 0,
        y_up=bool(y_up and y_up[-1]),
        subjects=tuple(subject(body) for body in of(ObjectId.SUBJECT_INFO)),
        devices=tuple(device(body) for body in of(ObjectId.DEVICE_INFO)),
        channels=tuple(channel(body) for body in of(ObjectId.CHANNEL_INFO)),
        poses={pose.device_id: pose for pose in poses},
        units=dict(channel_unit(body) for body in of(ObjectId.CHANNEL_INFO_EXTRA)),
        start_ticks=dict(device_start(body) for body in of(ObjectId.DEVICE_INFO_EXTRA)),
        topologies=dict(topology(body) for body in of(ObjectId.SUBJECT_TOPOLOGY)),
        health=dict(subject_health(body) for body in of(ObjectId.SUBJECT_HEALTH)),
        quality=dict(object_quality(body) for body in of(ObjectId.OBJECT_QUALITY)),
    )
