"""A device's sample clock, with its faults known."""

import math

import numpy as np
from numpy.typing import NDArray

from devices.sim.config import ClockConfig
from devices.sim.noise import normal

_JITTER_CHANNEL = 9001


class SimClock:
    """When a device takes and delivers its samples, in world seconds.

    Sample k is taken at ``t_start + k / rate_hz * (1 + skew_ppm * 1e-6)``.
    """

    def __init__(
        self,
        config: ClockConfig,
        rate_hz: float,
        t_start: float = 0.0,
        *,
        seed: int = 0,
    ) -> None:
        self.config = config
        self.rate_hz = rate_hz
        self.t_start = t_start
        #: true seconds between samples
        self.period_s = (1.0 + config.skew_ppm * 1e-6) / rate_hz
        self._seed = seed

    def true_time(self, index: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Return the world time each sample is taken; shape of `index`."""
        return self.t_start + np.asarray(index, np.float64) * self.period_s

    def device_time(self, index: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Return what the device's own clock reads at each sample, in seconds."""
        started = self.config.offset_s + self.t_start
        return started + np.asarray(index, np.float64) / self.rate_hz

    def due(self, t_end: float) -> int:
        """Return how many samples are taken by `t_end`: the last index, plus one."""
        count = math.floor((t_end - self.t_start) / self.period_s) + 1
        while count > 0 and float(self.true_time(count - 1)) > t_end:
            count -= 1
        return max(count, 0)

    def delivery_time(self, index: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Return when each sample (or a packet ending with it) leaves the device."""
        delivered: NDArray[np.float64] = self.true_time(index) + self.config.latency_s
        if self.config.jitter_s:
            drawn = normal(self._seed, _JITTER_CHANNEL, np.asarray(index, np.int64))
            delivered = delivered + self.config.jitter_s * np.abs(drawn)
        return delivered
