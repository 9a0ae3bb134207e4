"""Small Vicon sessions as objects, and their decoded description."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from devices.vicon import objects, twin_pack
from devices.vicon.frames import Frame, decode_frame
from devices.vicon.objects import Statics
from devices.vicon.twin_pack import Object

PERIOD = 1_350_000  # 100 Hz
PLATE, LOCK = 1, 9
LEVEL = np.eye(3)


def subject(
    name: str = "P43", id_: int = 1, markers: Sequence[str] = ("A", "B")
) -> Object:
    numbered = [(i, label) for i, label in enumerate(markers, start=1)]
    return twin_pack.subject_info(id_, name, numbered)


def plate(
    id_: int = PLATE,
    name: str = "Plate",
    period: int = PERIOD,
    rotation: Any = LEVEL,
    at_mm: Sequence[float] = (100.0, 200.0, 0.0),
) -> list[Object]:
    bounds = np.array([[-250.0, -500.0, -15.0], [250.0, 500.0, 0.0]])
    return [
        twin_pack.device_info(id_, period, name),
        twin_pack.force_plate_info(id_, np.array(at_mm), np.array(rotation), bounds),
        twin_pack.channel_info(id_, 1, "Force", ["Fx", "Fy", "Fz"]),
        twin_pack.channel_info(id_, 2, "Moment", ["Mx", "My", "Mz"]),
        twin_pack.channel_info(id_, 3, "CoP", ["Cx", "Cy", "Cz"]),
    ]


def lock(
    name: str = "Lock Lab",
    channels: Sequence[tuple[str, Sequence[str]]] = (("sync", ("sync",)),),
    period: int = PERIOD,
) -> list[Object]:
    found = [twin_pack.device_info(LOCK, period, name)]
    for number, (channel, components) in enumerate(channels, start=1):
        found.append(twin_pack.channel_info(LOCK, number, channel, components))
    return found


def session(*more: Object, period: int = PERIOD, y_up: bool = False) -> list[Object]:
    """Statics with one subject of two markers, one plate and a Lock Lab."""
    head = [twin_pack.stream_info(period), twin_pack.application_info(y_up=y_up)]
    return [*head, *(more or (subject(), *plate(), *lock()))]


def decoded(statics: Sequence[Object]) -> Statics:
    bodies: dict[int, list[bytes]] = {}
    for object_id, body in statics:
        bodies.setdefault(object_id, []).append(body)
    return objects.decode_statics(bodies)


def ramp(frame: int, n: int, columns: int) -> np.ndarray:
    """Samples that tell where they belong: 1000·frame + sub-sample + column/10."""
    rows = 1000.0 * frame + np.arange(n)[:, None]
    return rows + np.arange(columns) / 10.0


def loads(frame: int, n: int = 10, id_: int = PLATE) -> list[Object]:
    values = ramp(frame, n, 3)
    return [
        twin_pack.samples(10, frame, id_, 1, values),
        twin_pack.samples(11, frame, id_, 2, -values),
        twin_pack.samples(12, frame, id_, 3, values * 0),
    ]


def sync(frame: int, n: int = 10, level: float = 5.0) -> Object:
    return twin_pack.samples(13, frame, LOCK, 1, np.full((n, 1), level))


def dynamics(frame: int, *, markers: Sequence[int] = (1, 2)) -> list[Object]:
    """A whole frame of `session`; marker m is at (frame, m, 1000) mm."""
    recons = [(1, marker, (float(frame), float(marker), 1000.0)) for marker in markers]
    return [
        twin_pack.frame_info(frame),
        twin_pack.latency_info([("Cameras", 0.004), ("Core", 0.002)]),
        twin_pack.labeled_recons(recons, 7.0),
        *loads(frame),
        sync(frame),
    ]


def frame(objects_: Sequence[Object], statics: Statics, **changes: Any) -> Frame:
    found = decode_frame(objects_, statics, 0.0)
    assert found is not None
    return replace(found, **changes)
