"""Bodies of the CGStream objects that make one frame (dynamics)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.vicon.objects import Statics
from devices.vicon.wire import Body, ObjectId

LABELED = np.dtype(
    [
        ("subject", "<u4"),
        ("marker", "<u4"),
        ("radius_mm", "<f8"),
        ("position_mm", "<f8", 3),
        ("covariance", "<f8", (3, 3)),
        ("trajectory", "<u4"),
    ]
)
UNLABELED = np.dtype(
    [
        ("radius_mm", "<f8"),
        ("position_mm", "<f8", 3),
        ("covariance", "<f8", (3, 3)),
        ("trajectory", "<u4"),
    ]
)
SEGMENT_POSE = np.dtype(
    [("segment", "<u4"), ("translation_mm", "<f8", 3), ("rotation", "<f8", (3, 3))]
)
SAMPLE_IDS = frozenset(
    {
        ObjectId.FORCE_FRAME,
        ObjectId.MOMENT_FRAME,
        ObjectId.COP_FRAME,
        ObjectId.VOLTAGE_FRAME,
    }
)
_TIMECODE, _SAMPLES = Struct("<4B2H2IB"), Struct("<3I")
_NO_LABELED, _NO_UNLABELED = np.empty(0, LABELED), np.empty(0, UNLABELED)


@dataclass(frozen=True, slots=True)
class Timecode:
    """SMPTE time of a frame; `standard` as on the wire, 0xFFFFFFFF for none."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    subframes: int
    subframes_per_frame: int
    standard: int
    user_bits: int
    field_flag: int

    def __str__(self) -> str:
        clock = f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}:{self.frames:02}"
        return f"{clock}.{self.subframes}"


@dataclass(frozen=True, slots=True, eq=False)
class DeviceSamples:
    """Samples of one device channel, planar: all of component 0, then 1..."""

    object_id: int
    device_frame: int
    device_id: int
    channel_id: int
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame as it came; `frame_id` is the wire's, one less than the SDK's number.

    `labeled` and `unlabeled` have dtypes `LABELED` and `UNLABELED`, shape (n,). What
    the packet lacked is empty: a marker left out is occluded.
    """

    frame_id: int
    statics: Statics
    arrival_s: float  #: host clock
    hardware_frame: int | None = None
    timecode: Timecode | None = None
    latency_s: float = 0.0
    labeled: NDArray[Any] = field(default_factory=lambda: _NO_LABELED)
    unlabeled: NDArray[Any] = field(default_factory=lambda: _NO_UNLABELED)
    samples: tuple[DeviceSamples, ...] = ()
    global_segments: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    local_segments: Mapping[int, NDArray[Any]] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The frame number as the vendor's SDK reports it."""
        return self.frame_id + 1


def frame_id(body: bytes | memoryview) -> int:
    """Read the frame number, one less than the SDK reports."""
    return Body(body, ObjectId.FRAME_INFO).u32()


def hardware_frame(body: bytes | memoryview) -> int:
    """Read the hardware's own frame number."""
    return Body(body, ObjectId.HARDWARE_FRAME_INFO).u32()


def timecode(body: bytes | memoryview) -> Timecode:
    """Read the SMPTE time of the frame."""
    return Timecode(*Body(body, ObjectId.TIMECODE).unpack(_TIMECODE))


def latency(body: bytes | memoryview) -> list[tuple[str, float]]:
    """Stages of the server's pipeline and the seconds each took."""
    reader = Body(body, ObjectId.LATENCY_INFO)
    return [(reader.text(), reader.f64()) for _ in range(reader.count(12))]


def frame_rates(body: bytes | memoryview) -> dict[str, float]:
    """Rates in Hz by name."""
    reader = Body(body, ObjectId.FRAME_RATE_INFO)
    return {reader.text(): reader.f64() for _ in range(reader.count(12))}


def labeled(body: bytes | memoryview) -> NDArray[Any]:
    """Read labelled markers, dtype `LABELED`, shape (n,)."""
    return Body(body, ObjectId.LABELED_RECONS).records(LABELED)


def unlabeled(body: bytes | memoryview) -> NDArray[Any]:
    """Read unlabelled markers, dtype `UNLABELED`, shape (n,)."""
    return Body(body, ObjectId.UNLABELED_RECONS).records(UNLABELED)


def segments(body: bytes | memoryview, object_id: int) -> tuple[int, NDArray[Any]]:
    """Subject id and its segment poses, dtype `SEGMENT_POSE`."""
    reader = Body(body, object_id)
    return reader.u32(), reader.records(SEGMENT_POSE)


def samples(body: bytes | memoryview, object_id: int) -> DeviceSamples:
    """Read the samples of one device channel."""
    reader = Body(body, object_id)
    device_frame, device_id, channel_id = reader.unpack(_SAMPLES)
    return DeviceSamples(
        object_id, device_frame, device_id, channel_id, reader.records("<f4")
    )


def decode_frame(
    objects: Sequence[tuple[int, bytes | memoryview]],
    statics: Statics,
    arrival_s: float,
) -> Frame | None:
    """Build a frame from the dynamic objects of a packet; None without FrameInfo."""
    number: int | None = None
    found: dict[str, Any] = {}
    of_devices: list[DeviceSamples] = []
    segments_of: dict[int, dict[int, NDArray[Any]]] = {}
    for object_id, body in objects:
        if object_id in SAMPLE_IDS:
            of_devices.append(samples(body, object_id))
        elif object_id == ObjectId.FRAME_INFO:
            number = frame_id(body)
        elif object_id == ObjectId.LABELED_RECONS:
            found["labeled"] = labeled(body)
        elif object_id == ObjectId.UNLABELED_RECONS:
            found["unlabeled"] = unlabeled(body)
        elif object_id == ObjectId.LATENCY_INFO:
            found["latency_s"] = sum(taken_s for _, taken_s in latency(body))
        elif object_id == ObjectId.HARDWARE_FRAME_INFO:
            found["hardware_frame"] = hardware_frame(body)
        elif object_id == ObjectId.TIMECODE:
            found["timecode"] = timecode(body)
        elif object_id in (ObjectId.GLOBAL_SEGMENTS, ObjectId.LOCAL_SEGMENTS):
            subject_id, poses = segments(body, object_id)
            segments_of.setdefault(object_id, {})[subject_id] = poses
    if number is None:
        return None
    return Frame(
        number,
        statics,
        arrival_s,
        samples=tuple(of_devices),
        global_segments=segments_of.get(ObjectId.GLOBAL_SEGMENTS, {}),
        local_segments=segments_of.get(ObjectId.LOCAL_SEGMENTS, {}),
        **found,
    )
