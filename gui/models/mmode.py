"""M-mode: A-lines reduced to brightness over depth, written round and round."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from acquire.storage.stream_header import StreamHeader

N_DEPTHS = 200
FLOOR_DB = -42.0


def envelope(
    lines: NDArray[np.float64], n_depths: int = N_DEPTHS
) -> NDArray[np.float64]:
    """Peak magnitude per depth bin; lines (n, n_samples) → (n, n_depths)."""
    n, n_samples = lines.shape
    per_bin = max(1, n_samples // n_depths)
    used = lines[:, : per_bin * (n_samples // per_bin)]
    return np.asarray(np.abs(used).reshape(n, -1, per_bin).max(axis=2))


def probe_names(header: StreamHeader, probes: tuple[str, ...]) -> tuple[str, ...]:
    """Name probes by muscle where the stream says which is which."""
    about = header.metadata.get("probes")
    told = about.get("muscles") if isinstance(about, Mapping) else None
    muscles = str(told or "").split()
    return tuple(muscles) if len(muscles) == len(probes) else probes


class MMode:
    """Brightness (n_probes, n_frames, n_depths) uint8 of the last frames.

    Brightness is logarithmic against the loudest echo of the last frames, which
    falls slowly, so one strong reflection does not darken the picture for long.
    """

    def __init__(self, n_probes: int, n_frames: int, n_depths: int = N_DEPTHS) -> None:
        self.image = np.zeros((n_probes, n_frames, n_depths), dtype=np.uint8)
        self.lines = np.zeros((n_probes, n_depths))
        self.head = -1
        self._top = np.ones(n_probes)

    def add(self, frames: NDArray[np.float64]) -> int:
        """Add frames (n, n_probes, n_samples); return how many columns were written."""
        n_columns = self.image.shape[1]
        frames = frames[-n_columns:]
        for frame in frames:
            self.head += 1
            column = self.head % n_columns
            depths = envelope(frame, self.lines.shape[1])
            skip = depths.shape[1] // 14  # the ring-down would set the scale
            self._top = np.maximum(self._top * 0.995, depths[:, skip:].max(axis=1))
            self.lines = depths
            level_db = 20 * np.log10(np.maximum(depths, 1e-3) / self._top[:, None])
            shade = np.clip(1 - level_db / FLOOR_DB, 0, 1) * 255
            self.image[:, column] = shade.astype(np.uint8)
        return len(frames)

    @property
    def column(self) -> int:
        """Column written last."""
        return self.head % self.image.shape[1]

    def relative_lines(self) -> NDArray[np.float64]:
        """Newest envelope of each probe against its scale; (n_probes, n_depths)."""
        return np.asarray(np.clip(self.lines / self._top[:, None], 0, 1.2))
