"""Finds the rate of analog devices: it is told only by the samples of a frame."""

from fractions import Fraction

from devices.errors import DeviceError
from devices.vicon.assemble import samples_in
from devices.vicon.frames import Frame
from devices.vicon.layout import Layout, samples_per_frame
from devices.vicon.objects import Statics

COMPLETE_FRAMES = 2
PATIENCE_FRAMES = 10


class RateProbe:
    """Looks at frames until the samples per device frame are known.

    Two frames in which every output has samples will do; after ten frames an output
    without any is taken to run at the rate of the others.
    """

    def __init__(self, layout: Layout, statics: Statics, where: str) -> None:
        self._layout, self._statics, self._where = layout, statics, where
        self._n: dict[int, int] = {}
        self._n_complete = self._n_frames = 0
        self._outputs = {(o.device_id, o.channel_id): o for o in layout.outputs}

    def look(self, frame: Frame) -> bool:
        """Take note of a frame; True when enough were seen."""
        seen = set()
        for samples in frame.samples:
            key = samples.device_id, samples.channel_id
            if key in self._outputs and samples.values.size:
                n = samples_in(samples, self._outputs[key])
                self._n[key[0]] = max(n, self._n.get(key[0], 0))
                seen.add(key)
        self._n_frames += 1
        self._n_complete += len(seen) == len(self._outputs)
        patient_enough = self._n_frames >= PATIENCE_FRAMES and bool(self._n)
        return self._n_complete >= COMPLETE_FRAMES or patient_enough

    @property
    def waiting_for(self) -> str:
        devices = dict.fromkeys(o.device_id for o in self._layout.outputs)
        return "samples of " + ", ".join(self._device(device) for device in devices)

    def result(self) -> tuple[int, dict[int, int]]:
        """Sub-samples per stream frame, and samples per device frame by device."""
        rates = {
            device: samples_per_frame(self._statics, device, n)
            for device, n in self._n.items()
        }
        per_frame = next(iter(rates.values()))
        if len(set(rates.values())) != 1 or per_frame.denominator != 1:
            hz = {
                self._device(device): float(rate) * self._layout.frame_hz
                for device, rate in rates.items()
            }
            raise DeviceError(
                f"{self._where}: devices run at {hz} Hz; vicon-forces needs one rate, "
                f"a whole multiple of the {self._layout.frame_hz:g} Hz of the frames"
            )
        for device_id in {output.device_id for output in self._layout.outputs}:
            self._n.setdefault(device_id, self._assumed(device_id, per_frame))
        return int(per_frame), dict(self._n)

    def _assumed(self, device_id: int, per_frame: Fraction) -> int:
        return int(per_frame / samples_per_frame(self._statics, device_id, 1)) or 1

    def _device(self, device_id: int) -> str:
        names = {d.device_id: d.name for d in self._statics.devices}
        return names.get(device_id, f"device {device_id}")
