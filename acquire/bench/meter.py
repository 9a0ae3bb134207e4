"""CPU time and memory of a process over time, seen from outside."""

import threading
import time

import numpy as np
import psutil
from numpy.typing import NDArray

_MB = 1e6


class Meter:
    """Samples one process from a thread until `stop`; the process may end meanwhile."""

    def __init__(self, pid: int, every_s: float = 1.0) -> None:
        self._process = psutil.Process(pid)
        self._every_s = every_s
        self._rows: list[tuple[float, float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end; legal twice."""
        self._stop.set()
        self._thread.join()

    @property
    def rows(self) -> NDArray[np.float64]:
        """Samples, shape (n, 3): wall time s, CPU time s, resident bytes."""
        return np.array(self._rows, dtype=np.float64).reshape(-1, 3)

    @property
    def cpu_percent(self) -> float:
        """Share of one core between the first and the last sample."""
        rows = self.rows
        if len(rows) < 2:
            return float("nan")
        return float(100 * np.ptp(rows[:, 1]) / np.ptp(rows[:, 0]))

    @property
    def most_mb(self) -> float:
        """Greatest resident memory, MB."""
        return float(self.rows[:, 2].max(initial=0.0) / _MB)

    def slope_mb_per_h(self, skip_s: float) -> float:
        """Growth of memory behind the first `skip_s`, fitted; NaN if too short."""
        rows = self.rows
        rows = rows[rows[:, 0] >= rows[:1, 0] + skip_s] if len(rows) else rows
        if len(rows) < 3:
            return float("nan")
        hours = (rows[:, 0] - rows[:, 0].mean()) / 3600
        return float(hours @ rows[:, 2] / (hours @ hours) / _MB)

    def _run(self) -> None:
        while self._sample() and not self._stop.wait(self._every_s):
            pass
        self._sample()

    def _sample(self) -> bool:
        try:
            with self._process.oneshot():
                cpu, memory = self._process.cpu_times(), self._process.memory_info()
        except psutil.Error:
            return False
        self._rows.append((time.monotonic(), cpu.user + cpu.system, memory.rss))
        return True
