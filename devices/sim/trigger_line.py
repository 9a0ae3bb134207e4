"""The trigger line: what the capture level looks like on the wire."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import Waveform
from devices.sim.history import History
from devices.sim.noise import uniform

NOTCH_S = 0.120
INTERVAL_S = (0.6, 1.4)
_CHANNEL = 7001
_CHUNK = 1024

Level = Callable[[NDArray[np.float64]], NDArray[np.int8]]


class TriggerLine:
    """The line's level and true edges.

    ``level`` follows the capture; ``level+pulses`` adds notches, low for 120 ms, that
    begin 0.6 to 1.4 s after the rise and after one another, never the same twice.
    """

    def __init__(self, history: History, waveform: Waveform, seed: int) -> None:
        self._history, self._waveform, self._seed = history, waveform, seed
        self._notches: dict[float, NDArray[np.float64]] = {}

    def level(self, t_s: NDArray[np.float64]) -> NDArray[np.int8]:
        """Return 0 or 1 at each time, shape (n,)."""
        t_s = np.asarray(t_s, np.float64)
        level = self._history.line(t_s).astype(np.int8)
        if self._waveform == "level" or not level.any():
            return level
        for rise_s, fall_s in self._captures():
            inside = (t_s >= rise_s) & (t_s < fall_s)
            if inside.any():
                level[inside & self._in_notch(rise_s, t_s)] = 0
        return level

    def edges(self, t0_s: float, t1_s: float) -> list[tuple[float, bool]]:
        """Return the true edges in [t0_s, t1_s): time, and whether it rises."""
        edges: list[tuple[float, bool]] = []
        for rise_s, fall_s in self._captures():
            edges.append((rise_s, True))
            high = True
            if self._waveform == "level+pulses":
                end = min(fall_s, t1_s)
                for start in self._notches_until(rise_s, end):
                    if start >= end:
                        break
                    edges.append((float(start), False))
                    high = start + NOTCH_S < fall_s
                    if high:
                        edges.append((float(start) + NOTCH_S, True))
            if high and np.isfinite(fall_s):
                edges.append((fall_s, False))
        return [edge for edge in edges if t0_s <= edge[0] < t1_s]

    def _captures(self) -> list[tuple[float, float]]:
        changes = self._history.line_changes()
        ends = [*(at for at, _ in changes[1:]), np.inf]
        return [
            (at, end) for (at, high), end in zip(changes, ends, strict=False) if high
        ]

    def _in_notch(self, rise_s: float, t_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        starts = self._notches_until(rise_s, float(t_s.max()))
        i = np.searchsorted(starts, t_s, side="right") - 1
        inside: NDArray[np.bool_] = (i >= 0) & (
            t_s < starts[np.maximum(i, 0)] + NOTCH_S
        )
        return inside

    def _notches_until(self, rise_s: float, end_s: float) -> NDArray[np.float64]:
        starts = self._notches.get(rise_s, np.empty(0))
        while not starts.size or starts[-1] <= end_s:
            low, high = INTERVAL_S
            seed = self._seed * 1_000_003 + round(rise_s * 1e6)
            u = uniform(seed, _CHANNEL, np.arange(starts.size + _CHUNK))
            starts = rise_s + np.cumsum(low + (high - low) * u)
            self._notches[rise_s] = starts
        return starts


def line_level(history: History, waveform: Waveform, seed: int) -> Level:
    """Return the function from world times (n,) to the level of the line, 0 or 1."""
    return TriggerLine(history, waveform, seed).level
