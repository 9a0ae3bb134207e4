"""One frame out of the vendor's SDK, in the terms of the native client."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError
from devices.vicon.frames import (
    LABELED,
    SEGMENT_POSE,
    UNLABELED,
    DeviceSamples,
    Frame,
)
from devices.vicon.layout import FORCE, MOMENT, Output
from devices.vicon.objects import Statics, Subject
from devices.vicon.sdk_library import Component, SdkLibrary
from devices.vicon.sdk_package import VendorClient
from devices.vicon.wire import ObjectId

#: A subject's name and those of its markers, and of its segments where wanted.
Named = tuple[str, tuple[str, ...], tuple[str, ...]]
#: The subjects and the number of devices.
Signature = tuple[tuple[Named, ...], int]
_CORES: Mapping[tuple[str, ...], ObjectId] = {
    FORCE: ObjectId.FORCE_FRAME,
    MOMENT: ObjectId.MOMENT_FRAME,
    ("Cx", "Cy", "Cz"): ObjectId.COP_FRAME,
}
Select = Callable[[Statics], Sequence[Output]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read beside the markers; `outputs` None for no device data at all."""

    outputs: Select | None = None
    segments: bool = False
    unlabeled: bool = False


class SdkFrames:
    """Reads the frame the SDK holds now.

    When `signature` of a frame differs from `expected`, the description is out of date.
    `turned`: the server has Y up, and the SDK turns the vectors of plates, which are in
    plate axes, as it turns the world; here they are turned back to what was sent.
    """

    def __init__(
        self,
        client: VendorClient,
        library: SdkLibrary,
        statics: Statics,
        wanted: Wanted,
        *,
        turned: bool = False,
    ) -> None:
        self._client, self._library, self._statics = client, library, statics
        self._wanted = wanted
        self.expected = _signature(statics, wanted)
        markers = [
            (subject.name, name, subject.subject_id, marker_id)
            for subject in statics.subjects
            for marker_id, name in subject.markers
        ]
        self._names = [(subject, marker) for subject, marker, *_ in markers]
        self._ids = np.array([m[2:] for m in markers], np.uint32).reshape(-1, 2)
        selected = wanted.outputs(statics) if wanted.outputs else ()
        self._outputs = _components(statics, selected)
        self._turned = _plates(statics) if turned else frozenset()
        self._n: dict[int, int] = {}

    def signature(self) -> Signature:
        """Return who and what is in the frame."""
        client = self._client
        names = map(client.get_subject_name, range(client.get_subject_count() or 0))
        subjects = tuple((n, self._markers(n), self._segments(n)) for n in names)
        return subjects, self._library.device_count()

    def read(self, arrival_s: float) -> Frame:
        library = self._library
        return Frame(
            self._client.get_frame_number() - 1,
            self._statics,
            arrival_s,
            hardware_frame=library.hardware_frame(),
            timecode=library.timecode(),
            latency_s=library.latency_s(),
            labeled=self._labeled(),
            unlabeled=self._unlabeled(),
            samples=self._samples(),
            global_segments=self._poses(),
        )

    def _markers(self, subject: str) -> tuple[str, ...]:
        n = self._client.get_marker_count(subject) or 0
        return tuple(self._client.get_marker_name(subject, i) for i in range(n))

    def _segments(self, subject: str) -> tuple[str, ...]:
        if not self._wanted.segments:
            return ()
        n = self._client.get_segment_count(subject) or 0
        return tuple(self._client.get_segment_name(subject, i) for i in range(n))

    def _poses(self) -> dict[int, NDArray[Any]]:
        if not self._wanted.segments:
            return {}
        return {s.subject_id: self._poses_of(s) for s in self._statics.subjects}

    def _poses_of(self, subject: Subject) -> NDArray[Any]:
        client, name, found = self._client, subject.name, []
        for segment in subject.segments:
            at_mm = client.get_segment_global_translation(name, segment.name)
            turned = client.get_segment_global_rotation_matrix(name, segment.name)
            if at_mm is not None and turned is not None:
                found.append((segment.segment_id, at_mm, turned))
        return np.array(found, SEGMENT_POSE)

    def _unlabeled(self) -> NDArray[Any]:
        at, n = self._client.get_unlabeled_marker_global_translation, 0
        if self._wanted.unlabeled:
            n = self._client.get_unlabeled_marker_count() or 0
        found = [at_mm for at_mm in map(at, range(n)) if at_mm is not None]
        unlabeled = np.zeros(len(found), UNLABELED)
        if found:
            unlabeled["position_mm"] = found
        return unlabeled

    def _labeled(self) -> NDArray[Any]:
        at = self._client.get_marker_global_translation
        found = [(i, at(*names)) for i, names in enumerate(self._names)]
        seen = [(i, at_mm) for i, at_mm in found if at_mm is not None]
        labeled = np.zeros(len(seen), LABELED)
        if seen:
            ids = self._ids[[i for i, _ in seen]]
            labeled["subject"], labeled["marker"] = ids.T
            labeled["position_mm"] = np.stack([at_mm for _, at_mm in seen])
        return labeled

    def _samples(self) -> tuple[DeviceSamples, ...]:
        found = []
        frame_id = self._client.get_frame_number() - 1
        for output, components in self._outputs:
            n = self._library.n_subsamples(components[0])
            if not n:
                continue
            values = np.stack([self._library.samples(c, n) for c in components])
            core = _CORES.get(tuple(c.name for c in components))
            if core and output.device_id in self._turned:
                values = np.stack([values[0], values[2], -values[1]])
            if np.isnan(values).all():  # nothing came
                continue
            if self._n.setdefault(output.device_id, n) != n:
                raise WireFormatError(
                    f"{components[0].label}: {n} samples in frame {frame_id + 1}, "
                    f"{self._n[output.device_id]} before; its rate has changed or is "
                    "no whole multiple of the frames'"
                )
            found.append(
                DeviceSamples(
                    core or ObjectId.VOLTAGE_FRAME,
                    frame_id,
                    output.device_id,
                    output.channel_id,
                    values.ravel(),
                )
            )
        return tuple(found)


def all_outputs(statics: Statics) -> tuple[Output, ...]:
    """Select every channel of every device."""
    return tuple(
        Output(c.device_id, c.channel_id, tuple(range(n)), n)
        for c in statics.channels
        if (n := len(c.components))
    )


def _plates(statics: Statics) -> frozenset[int]:
    """Devices the SDK takes for force plates."""
    cores: dict[int, set[tuple[str, ...]]] = {}
    for channel in statics.channels:
        cores.setdefault(channel.device_id, set()).add(channel.components)
    return frozenset(id_ for id_, found in cores.items() if _CORES.keys() <= found)


def _signature(statics: Statics, wanted: Wanted) -> Signature:
    subjects = tuple(
        (
            subject.name,
            tuple(name for _, name in subject.markers),
            tuple(s.name for s in subject.segments) if wanted.segments else (),
        )
        for subject in statics.subjects
    )
    return subjects, len(statics.devices)


def _components(
    statics: Statics, outputs: Sequence[Output]
) -> list[tuple[Output, list[Component]]]:
    """Name all components of each channel, whichever of them are wanted."""
    devices = {device.device_id: device.name for device in statics.devices}
    channels = {(c.device_id, c.channel_id): c for c in statics.channels}
    found = {}
    for output in outputs:
        key = output.device_id, output.channel_id
        channel, device = channels[key], devices[output.device_id]
        found[key] = (
            output,
            [Component(device, channel.name, part) for part in channel.components],
        )
    return list(found.values())
