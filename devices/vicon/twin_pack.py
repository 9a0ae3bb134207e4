"""The twin's own packing of CGStream objects, independent of the client's decoder.

Written from the published description of the format alone; it shares no layout with
`objects` and `frames`. Every function returns ``(object id, body)``.
"""

from collections.abc import Iterable, Sequence
from struct import pack

import numpy as np
from numpy.typing import NDArray

Object = tuple[int, bytes]
Floats = NDArray[np.float64]

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
NO_COVARIANCE = (0.0,) * 9


def framed(objects: Iterable[Object]) -> bytes:
    """Put objects into one packet."""
    body = b"".join(pack("<II", id_, len(data)) + data for id_, data in objects)
    return pack("<II", 0x1A2B0001, len(body)) + body


def text(value: str) -> bytes:
    """Pack a counted string."""
    data = value.encode()
    return pack("<I", len(data)) + data


def object_enums(ids: Iterable[int]) -> Object:
    """Pack the set of objects this server has."""
    ordered = sorted(ids)
    return 100001, pack("<I", len(ordered)) + b"".join(pack("<I", i) for i in ordered)


def ping(number: int) -> Object:
    """Pack the echo of a ping."""
    return 42, pack("<Q", number)


def contents(counts: dict[int, int], unchanged: Sequence[int]) -> Object:
    """Pack a table of contents and the objects to be taken over."""
    table = b"".join(pack("<II", *pair) for pair in counts.items())
    kept = b"".join(pack("<I", i) for i in unchanged)
    return 100004, (pack("<I", len(counts)) + table + pack("<I", len(unchanged)) + kept)


def stream_info(period_ticks: int) -> Object:
    """Pack the frame period."""
    return 1, pack("<q", period_ticks)


def application_info(*, y_up: bool) -> Object:
    """Pack which axis is up."""
    return 37, pack("<B", int(y_up))


def subject_info(
    subject_id: int,
    name: str,
    markers: Sequence[tuple[int, str]],
    segments: Sequence[tuple[int, int, str]] = (),
    attachments: Sequence[tuple[int, int]] = (),
) -> Object:
    """Pack a subject; `segments` are (parent, id, name), without bounds."""
    parts = [pack("<I", subject_id), text(name), pack("<I", len(segments))]
    for parent, segment_id, segment in segments:
        parts += [pack("<II6f", parent, segment_id, *(0.0,) * 6), text(segment)]
    parts.append(pack("<I", len(markers)))
    for marker_id, marker in markers:
        parts += [pack("<I", marker_id), text(marker)]
    parts.append(pack("<I", len(attachments)))
    parts += [pack("<II", *pair) for pair in attachments]
    return 2, b"".join(parts)


def subject_health(subject_id: int, error_mm: float, health: float) -> Object:
    """Pack marker error and health of a subject."""
    return 29, pack("<Idd", subject_id, error_mm, health)


def object_quality(subject_id: int, quality: float) -> Object:
    """Pack the tracking quality of a subject."""
    return 40, pack("<Id", subject_id, quality)


def device_info(device_id: int, period_ticks: int, name: str) -> Object:
    """Pack an analog device."""
    return 3, pack("<IQ", device_id, period_ticks) + text(name)


def device_info_extra(device_id: int, start_tick: int) -> Object:
    """Pack when a device's first frame starts."""
    return 38, pack("<IQ", device_id, start_tick)


def channel_info(
    device_id: int, channel_id: int, name: str, components: Sequence[str]
) -> Object:
    """Pack one output of a device."""
    names = b"".join(text(component) for component in components)
    return 4, (
        pack("<II", device_id, channel_id)
        + text(name)
        + pack("<I", len(components))
        + names
    )


def channel_info_extra(device_id: int, channel_id: int, unit: str, kind: str) -> Object:
    """Pack unit and type of an output."""
    return 34, pack("<II", device_id, channel_id) + text(unit) + text(kind)


def force_plate_info(
    device_id: int, translation_mm: Floats, rotation: Floats, bounds_mm: Floats
) -> Object:
    """Pack a plate's pose; `bounds_mm` (2, 3) is minimum and maximum in its axes."""
    world = [*translation_mm.tolist(), *rotation.ravel().tolist()]
    values = [*world, *bounds_mm.ravel().tolist(), 0.0, 0.0, 0.0, *IDENTITY]
    return 20, pack("<I30f", device_id, *values)


def frame_info(frame_id: int) -> Object:
    """Pack the frame number."""
    return 5, pack("<I", frame_id)


def hardware_frame_info(number: int) -> Object:
    """Pack the hardware's frame number."""
    return 36, pack("<I", number)


def timecode(
    clock: tuple[int, int, int, int], subframe: int, per_frame: int, standard: int = 0
) -> Object:
    """Pack hours, minutes, seconds, frames; standard 0 is PAL, 25 frames a second."""
    return 23, pack("<4B2H2IB", *clock, subframe, per_frame, standard, 0, 0)


def latency_info(stages: Sequence[tuple[str, float]]) -> Object:
    """Pack named delays in seconds."""
    items = b"".join(text(name) + pack("<d", taken_s) for name, taken_s in stages)
    return 26, pack("<I", len(stages)) + items


def frame_rate_info(rates: Sequence[tuple[str, float]]) -> Object:
    """Pack named rates in Hz."""
    items = b"".join(text(name) + pack("<d", hz) for name, hz in rates)
    return 39, pack("<I", len(rates)) + items


def labeled_recons(
    recons: Sequence[tuple[int, int, tuple[float, float, float]]], radius_mm: float
) -> Object:
    """Pack markers as (subject id, marker id, position in mm)."""
    items = [
        pack("<II13dI", subject, marker, radius_mm, *at, *NO_COVARIANCE, 0)
        for subject, marker, at in recons
    ]
    return 6, pack("<I", len(items)) + b"".join(items)


def unlabeled_recons(
    positions: Sequence[tuple[float, float, float]], radius_mm: float
) -> Object:
    """Pack markers that belong to no subject, positions in mm."""
    items = [pack("<13dI", radius_mm, *at, *NO_COVARIANCE, 0) for at in positions]
    return 7, pack("<I", len(items)) + b"".join(items)


def segments(
    object_id: int,
    subject_id: int,
    poses: Sequence[tuple[int, tuple[float, ...], tuple[float, ...]]],
) -> Object:
    """Pack global (9) or local (8) segments as (id, translation mm, rotation)."""
    items = [pack("<I12d", segment, *at, *rotation) for segment, at, rotation in poses]
    return object_id, pack("<II", subject_id, len(items)) + b"".join(items)


def samples(
    object_id: int,
    device_frame: int,
    device_id: int,
    channel_id: int,
    values: NDArray[np.floating],
) -> Object:
    """Pack samples of shape (n_samples, n_components), planar on the wire."""
    planar = np.ascontiguousarray(values.T, "<f4").tobytes()
    header = pack("<4I", device_frame, device_id, channel_id, values.size)
    return object_id, header + planar
