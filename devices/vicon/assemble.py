"""Rows of the two streams from one frame: pure array work."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.errors import WireFormatError
from devices.vicon.frames import DeviceSamples, Frame
from devices.vicon.layout import Layout, Output
from devices.vicon.objects import Statics
from devices.vicon.specs import COUNTER_MODULUS
from devices.vicon.wire import ObjectId

_LOADS = (ObjectId.FORCE_FRAME, ObjectId.MOMENT_FRAME, ObjectId.VOLTAGE_FRAME)


class MarkerRows:
    """Puts labelled reconstructions into the columns of `vicon-markers`."""

    def __init__(self, layout: Layout) -> None:
        self._n_markers = len(layout.marker_keys)
        self._column = {int(key): i for i, key in enumerate(layout.marker_keys)}
        self._to_z_up = layout.to_z_up
        self._last: tuple[NDArray[np.uint32], NDArray[np.uint32]] | None = None
        self._taken: NDArray[np.intp] = np.empty(0, np.intp)
        self._columns: NDArray[np.intp] = np.empty(0, np.intp)

    def row(self, frame: Frame) -> NDArray[np.float32]:
        """Return shape (1, 1 + 3·n_markers): frame number, positions in metres."""
        self._look_up(frame.labeled)
        positions_m = frame.labeled["position_mm"][self._taken] / 1000.0
        if self._to_z_up is not None:
            positions_m = positions_m @ self._to_z_up.T
        row = np.full((1, 1 + 3 * self._n_markers), np.nan, np.float32)
        row[0, 0] = frame.number % COUNTER_MODULUS
        row[0, 1:].reshape(-1, 3)[self._columns] = positions_m
        return row

    def _look_up(self, labeled: NDArray[Any]) -> None:
        """Find columns; the same markers in the same order cost one comparison."""
        subjects, markers = labeled["subject"], labeled["marker"]
        if self._last is not None and (
            np.array_equal(markers, self._last[1])
            and np.array_equal(subjects, self._last[0])
        ):
            return
        pairs = zip(subjects.tolist(), markers.tolist(), strict=True)
        columns = [
            self._column.get(subject << 32 | marker, -1) for subject, marker in pairs
        ]
        self._taken = np.array([i for i, c in enumerate(columns) if c >= 0], np.intp)
        self._columns = np.array([c for c in columns if c >= 0], np.intp)
        self._last = subjects.copy(), markers.copy()


class ForceRows:
    """Puts device samples of one frame into the columns of `vicon-forces`.

    Samples are placed by their tick: a stream frame of id f covers the ticks
    [f·P, (f+1)·P), and sample k of device frame d, N samples long, starts at
    ``start + d·period + k·period/N``. What does not come stays NaN.
    """

    def __init__(
        self, layout: Layout, statics: Statics, n_per_device_frame: dict[int, int]
    ) -> None:
        self._period = statics.period_ticks
        self._device_period = {d.device_id: d.period_ticks for d in statics.devices}
        self._start = dict(statics.start_ticks)
        self._n = n_per_device_frame
        device = layout.outputs[0].device_id
        self.n_rows = self._period * self._n[device] // self._device_period[device]
        self._columns: dict[tuple[int, int], list[tuple[int, Output]]] = {}
        self._n_values = 0
        for output in layout.outputs:
            key = output.device_id, output.channel_id
            self._columns.setdefault(key, []).append((self._n_values, output))
            self._n_values += len(output.rows)
        self._steps = np.arange(self.n_rows)

    def block(self, frame: Frame) -> NDArray[np.float32]:
        """Return shape (n_per_frame, n_values + 1); the last column is the index."""
        block = np.full((self.n_rows, self._n_values + 1), np.nan, np.float32)
        first = frame.number * self.n_rows
        block[:, -1] = (first + self._steps) % COUNTER_MODULUS
        for samples in frame.samples:
            if samples.object_id in _LOADS:
                wanted = self._columns.get((samples.device_id, samples.channel_id), ())
                for column, output in wanted:
                    self._place(block, column, output, samples, frame.frame_id)
        return block

    def _place(
        self,
        block: NDArray[np.float32],
        column: int,
        output: Output,
        samples: DeviceSamples,
        frame_id: int,
    ) -> None:
        n = samples_in(samples, output)
        n_known = self._n[samples.device_id]
        if n > n_known:
            raise WireFormatError(
                f"device {samples.device_id} sent {n} samples in a device frame that "
                f"held {n_known} before; its rate has changed"
            )
        period = self._device_period[samples.device_id]
        start = self._start.get(samples.device_id, 0) + samples.device_frame * period
        offset = start - frame_id * self._period
        if abs(offset) > 2 * max(self._period, period):
            return
        values = samples.values.reshape(output.n_components, n)[list(output.rows)]
        columns = slice(column, column + len(output.rows))
        if offset == 0 and n == n_known == self.n_rows:  # as servers usually send
            block[:, columns] = values.T
            return
        ticks_n = offset * n_known + np.arange(n) * period  # n_known-fold ticks
        rows = ticks_n * self.n_rows // (self._period * n_known)
        inside = (rows >= 0) & (rows < self.n_rows)
        block[rows[inside], columns] = values.T[inside]


def samples_in(samples: DeviceSamples, output: Output) -> int:
    """Count samples per component; `WireFormatError` when they do not divide."""
    n, rest = divmod(samples.values.size, max(output.n_components, 1))
    if rest:
        raise WireFormatError(
            f"device {samples.device_id}, channel {samples.channel_id}: "
            f"{samples.values.size} values for {output.n_components} components"
        )
    return n
