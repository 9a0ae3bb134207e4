"""What a belt should be doing: the commanded ramp, and whether readback left it."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

ZERO_MPS = 0.02  #: readback noise that a ramp may have started from
RUNNING_MPS = 0.08  #: a belt that should run at least so fast must not read as zero
Deviation = Literal["slower", "other"]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A linear change of speed, from `start_mps` at `t0_s` to `target_mps`."""

    t0_s: float
    start_mps: float
    target_mps: float
    accel_mps2: float

    def at(self, t_s: float) -> float:
        """Return the speed in m/s that the ramp has at host time `t_s`."""
        change = self.target_mps - self.start_mps
        done = self.accel_mps2 * max(t_s - self.t0_s, 0.0)
        if done >= abs(change):
            return self.target_mps
        return self.start_mps + (done if change > 0 else -done)


class RampWatch:
    """Compares one belt's readback with the ramps of the last `latency_s`.

    Readback may lag the ramp by up to `latency_s` and differ by `band_mps`; outside
    of both for longer than `persist_s` it has left the ramp. So has a belt that reads
    as zero where it should run, however slowly.
    """

    def __init__(self, *, band_mps: float, latency_s: float, persist_s: float) -> None:
        self._band_mps, self._latency_s = band_mps, latency_s
        self._persist_s = persist_s
        self._expected: deque[tuple[float, float]] = deque()
        self._outside_since: float | None = None
        self.ramp: Ramp | None = None

    def command(self, t_s: float, read_mps: float, target: float, accel: float) -> None:
        """Start a ramp at `t_s`; it begins where the last one is, else at readback."""
        start = self.ramp.at(t_s) if self.ramp else read_mps
        self.ramp = Ramp(t_s, start, target, accel)
        self._expected.extend([(t_s, start), (t_s, read_mps)])

    @property
    def expects_zero(self) -> bool:
        """Whether no ramp of the last `latency_s` asked this belt to move."""
        if self.ramp is None:
            return True
        speeds = [self.ramp.target_mps, *(speed for _, speed in self._expected)]
        return max(abs(speed) for speed in speeds) <= ZERO_MPS

    def forget(self) -> None:
        self.ramp, self._outside_since = None, None
        self._expected.clear()

    def observe(self, t_s: float, read_mps: float) -> Deviation | None:
        """Return how the belt left the commanded ramp, or None while it follows."""
        if self.ramp is None:
            return None
        self._expected.append((t_s, self.ramp.at(t_s)))
        oldest_s = t_s - self._latency_s
        while len(self._expected) > 1 and self._expected[1][0] <= oldest_s:
            self._expected.popleft()
        speeds = [speed for _, speed in self._expected]
        low, high = min(speeds) - self._band_mps, max(speeds) + self._band_mps
        stands = abs(read_mps) <= ZERO_MPS and min(map(abs, speeds)) > RUNNING_MPS
        if low <= read_mps <= high and not stands:
            self._outside_since = None
            return None
        if self._outside_since is None:
            self._outside_since = t_s
        if t_s - self._outside_since < self._persist_s:
            return None
        nearest = low if read_mps < low else high
        return "slower" if stands or abs(read_mps) < abs(nearest) else "other"


class Settled:
    """True once a condition has held without a break for `settle_s`."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._since: float | None = None

    def observe(self, t_s: float, holds: bool) -> bool:
        if not holds:
            self._since = None
            return False
        if self._since is None:
            self._since = t_s
        return t_s - self._since >= self._settle_s

    def reset(self) -> None:
        self._since = None
