"""One trial of a subject file, read value by value when it is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.mat_tree import MatNode

Floats = NDArray[np.float64]
ECHO_SHAPE = (4, 1000)


@dataclass(frozen=True, eq=False)
class Cycles:
    """One variable over the gait cycles of a trial.

    `strides` has shape (200, 3, n_strides), `mean` and `std` (200, 3).
    """

    strides: Floats
    mean: Floats
    std: Floats


class Variables(Mapping[str, Floats]):
    """The variables of one data type by name, each read when it is looked up.

    Values have shape (n_frames, 3), or (n_events,) below `Events`.
    """

    def __init__(self, node: MatNode | None, *, flat: bool = False) -> None:
        self._node, self._flat = node, flat

    def __getitem__(self, name: str) -> Floats:
        if self._node is None:
            raise KeyError(f"the trial has no such data type, so no {name!r}")
        value = np.asarray(self._node[name].value(), dtype=np.float64)
        return value.ravel(order="F") if self._flat else value

    def __iter__(self) -> Iterator[str]:
        return iter([] if self._node is None else self._node.fields)

    def __len__(self) -> int:
        return 0 if self._node is None else len(self._node.fields)


class CycleVariables(Mapping[str, Cycles]):
    """The normalised variables of one data type by name, read when looked up."""

    def __init__(self, node: MatNode | None) -> None:
        self._node = node

    def __getitem__(self, name: str) -> Cycles:
        if self._node is None:
            raise KeyError(f"the trial has no such data type, so no {name!r}")
        item = self._node[name]
        strides = np.asarray(item["rsGaitData"].value(), dtype=np.float64)
        return Cycles(
            strides.reshape(*strides.shape[:2], -1),
            np.asarray(item["MeanValues"].value(), dtype=np.float64),
            np.asarray(item["StdValues"].value(), dtype=np.float64),
        )

    def __iter__(self) -> Iterator[str]:
        return iter([] if self._node is None else self._node.fields)

    def __len__(self) -> int:
        return 0 if self._node is None else len(self._node.fields)


@dataclass(frozen=True, eq=False)
class OriginalTrial:
    """A trial under ``OriginalData``: whole, in time."""

    node: MatNode

    @property
    def emg_uv(self) -> Floats:
        """Surface EMG in µV, shape (n_samples, 13): 9 right, then 4 left."""
        return np.asarray(self.node["EMGData"].value(), dtype=np.float64)

    @property
    def echoes(self) -> Floats:
        """Ultrasound frames, raw counts, shape (n_frames, 4, 1000); NaN where lost."""
        return _stacked(self.node["USData"])

    @property
    def markers_m(self) -> Variables:
        return self._variables("Markers")

    @property
    def angles_deg(self) -> Variables:
        return self._variables("Angles")

    @property
    def forces_n_per_kg(self) -> Variables:
        return self._variables("Forces")

    @property
    def moments_nm_per_kg(self) -> Variables:
        return self._variables("Moments")

    @property
    def powers_w_per_kg(self) -> Variables:
        return self._variables("Powers")

    @property
    def event_times_s(self) -> Variables:
        """Times of foot strikes and foot offs by name, shape (n,) each."""
        return Variables(_maybe(self.node["Events"], "EventTime"), flat=True)

    @property
    def event_frames(self) -> Variables:
        """Frame numbers of foot strikes and foot offs by name, shape (n,) each."""
        return Variables(_maybe(self.node["Events"], "EventFrame"), flat=True)

    def _variables(self, kind: str) -> Variables:
        return Variables(_maybe(self.node, kind))


@dataclass(frozen=True, eq=False)
class NormalizedTrial:
    """A trial under ``NormalizedData``: cut into gait cycles."""

    node: MatNode

    @property
    def markers_m(self) -> CycleVariables:
        return self._variables("Markers")

    @property
    def angles_deg(self) -> CycleVariables:
        return self._variables("Angles")

    @property
    def forces_n_per_kg(self) -> CycleVariables:
        return self._variables("Forces")

    @property
    def moments_nm_per_kg(self) -> CycleVariables:
        return self._variables("Moments")

    @property
    def powers_w_per_kg(self) -> CycleVariables:
        return self._variables("Powers")

    @property
    def stride_frames(self) -> Variables:
        """``LStartFrame LEndFrame RStartFrame REndFrame``, shape (n_strides,) each."""
        return Variables(self.node["Events"], flat=True)

    @property
    def emg_right_uv(self) -> list[Floats]:
        """Right-leg sEMG stride by stride, shape (n_samples, 9) each."""
        return _arrays(self.node["EMGData"]["Right"])

    @property
    def emg_left_uv(self) -> list[Floats]:
        """Left-leg sEMG stride by stride, shape (n_samples, 4) each."""
        return _arrays(self.node["EMGData"]["Left"])

    @property
    def echoes(self) -> list[Floats]:
        """Ultrasound frames of each left stride, (n_frames, 4, 1000); n may be 0."""
        return [_stacked(stride) for stride in self.node["USData"].cells()]

    def _variables(self, kind: str) -> CycleVariables:
        return CycleVariables(_maybe(self.node, kind))


def _maybe(node: MatNode, name: str) -> MatNode | None:
    if name not in node:
        return None
    return node[name]


def _arrays(cell: MatNode) -> list[Floats]:
    return [np.asarray(item.value(), dtype=np.float64) for item in cell.cells()]


def _stacked(cell: MatNode) -> Floats:
    """Return a cell of frames as one array, (n, 4, 1000); an empty one as n = 0."""
    frames: list[NDArray[Any]] = [item.value() for item in cell.cells()]
    stacked = np.empty((len(frames), *ECHO_SHAPE))
    for k, frame in enumerate(frames):
        stacked[k] = frame
    return stacked
