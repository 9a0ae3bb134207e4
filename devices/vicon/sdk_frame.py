"""One frame out of the vendor's SDK, in the terms of the native client."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError
from devices.vicon.frames import LABELED, DeviceSamples, Frame
from devices.vicon.layout import FORCE, MOMENT, Output
from devices.vicon.objects import Statics
from devices.vicon.sdk_library import Component, SdkLibrary
from devices.vicon.sdk_package import VendorClient
from devices.vicon.wire import ObjectId

#: Subjects and their markers by name, and the number of devices.
Signature = tuple[tuple[tuple[str, tuple[str, ...]], ...], int]
_CORES: Mapping[tuple[str, ...], ObjectId] = {
    FORCE: ObjectId.FORCE_FRAME,
    MOMENT: ObjectId.MOMENT_FRAME,
    ("Cx", "Cy", "Cz"): ObjectId.COP_FRAME,
}
Select = Callable[[Statics], Sequence[Output]]


class SdkFrames:
    """Reads the frame the SDK holds now. `outputs` are the device channels to read.

    When `signature` of a frame differs from `expected`, the description is out of date.
    `turned`: the server has Y up, and the SDK turns the vectors of plates, which are in
    plate axes, as it turns the world; here they are turned back to what was sent.
    """

    def __init__(
        self,
        client: VendorClient,
        library: SdkLibrary,
        statics: Statics,
        outputs: Select,
        *,
        turned: bool = False,
    ) -> None:
        self._client, self._library, self._statics = client, library, statics
        self.expected = _signature(statics)
        markers = [
            (subject.name, name, subject.subject_id, marker_id)
            for subject in statics.subjects
            for marker_id, name in subject.markers
        ]
        self._names = [(subject, marker) for subject, marker, *_ in markers]
        self._ids = np.array([m[2:] for m in markers], np.uint32).reshape(-1, 2)
        self._outputs = _components(statics, outputs(statics))
        self._turned = _plates(statics) if turned else frozenset()
        self._n: dict[int, int] = {}

    def signature(self) -> Signature:
        """Return who and what is in the frame."""
        client = self._client
        subjects = tuple(
            (
                name,
                tuple(
                    client.get_marker_name(name, i)
                    for i in range(client.get_marker_count(name) or 0)
                ),
            )
            for name in map(
                client.get_subject_name, range(client.get_subject_count() or 0)
            )
        )
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
            samples=self._samples(),
        )

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


def _signature(statics: Statics) -> Signature:
    subjects = tuple(
        (subject.name, tuple(name for _, name in subject.markers))
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
