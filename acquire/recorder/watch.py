"""Watch one stream while it flows: losses, rate, stalls, trigger edges. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.stream import Counter

STALL_MIN_S = 0.5
STALL_CHUNKS = 3.0
STALL_MAX_S = 0.85  # then an alarm within 1 s, unless chunks come that rarely
STALL_RARE_CHUNKS = 1.5
CHUNK_MAX_S = 1.0
RATE_WINDOW_S = 5.0
RATE_MIN_SPAN_S = 1.8
RATE_ERROR_MAX = 0.01
COUNTER_SLACK_S = 1.0  # stamps may be this late before a jump counts as a restart
LEVEL_RANGE_MIN = 0.5  # V, or 0/1: below it a trigger channel has shown no edge
KEEP_GAPS = 1000
FLOW_BREAK_S = 0.3  # a gated stream silent for longer has stopped flowing


class Gap(NamedTuple):
    """Samples missing in one place."""

    first: int  #: counter value of the first that is missing
    n: int
    t_s: float  #: stamp of the sample behind


@dataclass
class CounterWatch:
    """Counts what is missing between consecutive values of a sample counter.

    A jump that more time than has passed would be needed to explain is a restart of
    the numbering, not a loss. `gaps` keeps the newest of them one by one.
    """

    counter: Counter
    rate_hz: float
    n_lost: int = 0
    n_gaps: int = 0
    n_duplicates: int = 0
    n_restarts: int = 0
    gaps: deque[Gap] = field(default_factory=lambda: deque(maxlen=KEEP_GAPS))
    _last: int | None = None
    _last_t: float = 0.0

    def add(self, values: NDArray[np.generic], stamps: NDArray[np.float64]) -> int:
        """Take counter values (n,) and stamps (n,); return how many were lost."""
        if self._follows(values):
            self._last, self._last_t = int(values[-1]), float(stamps[-1])
            return 0
        finite = np.isfinite(values)
        count = values[finite].astype(np.int64)
        t = stamps[finite]
        if not count.size:
            return 0
        if self._last is None:
            self._last, self._last_t = int(count[0]) - 1, float(t[0])
        before = np.concatenate(([self._last], count[:-1]))
        step = (count - before) % self.counter.modulus
        elapsed = np.diff(t, prepend=self._last_t)
        self._last, self._last_t = int(count[-1]), float(t[-1])
        odd = np.flatnonzero(step != 1)
        if not odd.size:
            return 0
        missing = (step[odd] - 1) % self.counter.modulus
        duplicate = step[odd] == 0
        most = (np.maximum(elapsed[odd], 0.0) + COUNTER_SLACK_S) * self.rate_hz * 1.1
        if not self.rate_hz:
            most = np.full(odd.size, self.counter.modulus / 2)
        restart = ~duplicate & (missing > most)
        lost = ~duplicate & ~restart
        self.n_duplicates += int(duplicate.sum())
        self.n_restarts += int(restart.sum())
        self.n_gaps += int(lost.sum())
        self.n_lost += int(missing[lost].sum())
        for at, n in zip(odd[lost], missing[lost], strict=True):
            first = (int(before[at]) + 1) % self.counter.modulus
            self.gaps.append(Gap(first, int(n), float(t[at])))
        return int(missing[lost].sum())

    def _follows(self, values: NDArray[np.generic]) -> bool:
        """Whether these are the next numbers one by one: nearly always, and quick."""
        if self._last is None or not values.size:
            return False
        first, last = float(values[0]), float(values[-1])
        if first != (self._last + 1) % self.counter.modulus:
            return False
        if last - first != values.size - 1:
            return False
        return bool(np.greater(values[1:], values[:-1]).all())


@dataclass
class RateWatch:
    """Effective rate from stamps over the last seconds, by least squares."""

    _points: deque[tuple[int, float]] = field(default_factory=deque)
    _n: int = 0

    def add(self, n_samples: int, t_last: float) -> None:
        self._n += n_samples
        self._points.append((self._n, t_last))
        while self._points and t_last - self._points[0][1] > RATE_WINDOW_S:
            self._points.popleft()

    def reset(self) -> None:
        """Forget everything: the stream was interrupted."""
        self._points.clear()

    @property
    def span_s(self) -> float:
        points = list(self._points)
        return points[-1][1] - points[0][1] if points else 0.0

    @property
    def settled(self) -> bool:
        """Whether the stream was seen long enough to judge its rate."""
        return self.span_s >= RATE_MIN_SPAN_S

    def estimate(self, min_span_s: float = RATE_MIN_SPAN_S) -> tuple[float, float]:
        """Return rate and its standard error in Hz; NaN before there is enough."""
        points = np.array(list(self._points), dtype=np.float64)
        if len(points) < 5 or points[-1, 1] - points[0, 1] < min_span_s:
            return float("nan"), float("nan")
        n, t = points[:, 0] - points[:, 0].mean(), points[:, 1] - points[:, 1].mean()
        period_s = float(n @ t / (n @ n))
        if period_s <= 0:
            return float("nan"), float("nan")
        residual_s = float(np.std(t - period_s * n))
        error_s = residual_s / float(np.sqrt(n @ n))
        return 1.0 / period_s, error_s / period_s**2

    def wrong(self, nominal_hz: float) -> bool:
        """Whether the rate is off by more than 1 % beyond what it may err itself."""
        rate_hz, error_hz = self.estimate(min_span_s=0.0)
        return abs(rate_hz - nominal_hz) > RATE_ERROR_MAX * nominal_hz + 3 * error_hz


@dataclass
class FlowWatch:
    """When samples arrived last, and how long a pause is normal."""

    t_last: float
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    n_flows: int = 0  #: how often flow began after a pause
    n_breaks: int = 0

    def add(self, now: float) -> None:
        pause_s = now - self.t_last
        if not self.n_flows or pause_s > FLOW_BREAK_S:
            self.n_flows += 1
        if pause_s < CHUNK_MAX_S:  # a longer pause says nothing of chunks
            self._intervals.append(pause_s)
        self.t_last = now

    @property
    def limit_s(self) -> float:
        """Silence longer than this is a stall."""
        if len(self._intervals) < 4:
            return STALL_MIN_S
        ordered = sorted(self._intervals)
        usual_s = ordered[len(ordered) // 2]
        most_s = max(STALL_MAX_S, STALL_RARE_CHUNKS * usual_s)
        return min(max(STALL_MIN_S, STALL_CHUNKS * usual_s), most_s)

    def age_s(self, now: float) -> float:
        return now - self.t_last


@dataclass
class TriggerWatch:
    """Level and edges of a recorded trigger channel, as seen so far.

    The threshold lies in the middle of the range seen since the stream was joined,
    with a tenth of it as hysteresis; a range below 0.5 shows no edge at all.
    """

    n_rises: int = 0
    n_falls: int = 0
    high: bool | None = None
    _low_v: float = np.inf
    _high_v: float = -np.inf

    def add(self, level: NDArray[np.generic]) -> None:
        if self._stays(level):
            return
        values = level.astype(np.float64)
        values = values[np.isfinite(values)]
        if not values.size:
            return
        seen = self._low_v <= self._high_v
        before = 0.5 * (self._low_v + self._high_v) if seen else float(values[0])
        self._low_v = min(self._low_v, float(values.min()))
        self._high_v = max(self._high_v, float(values.max()))
        span = self._high_v - self._low_v
        if span < LEVEL_RANGE_MIN:
            return
        middle = self._low_v + 0.5 * span
        if self.high is None:  # flat so far: it stood at one end of the range
            self.high = before > middle
        state = np.where(values > middle + 0.1 * span, 1, 0)
        state[values < middle - 0.1 * span] = -1
        state = state[state != 0]
        edges = np.diff(state, prepend=1 if self.high else -1)
        self.n_rises += int((edges > 0).sum())
        self.n_falls += int((edges < 0).sum())
        if state.size:
            self.high = bool(state[-1] > 0)

    def _stays(self, level: NDArray[np.generic]) -> bool:
        """Whether nothing changes by these values: nearly always, and quick."""
        if not level.size:
            return True
        low, high = float(level.min()), float(level.max())
        if not (self._low_v <= low and high <= self._high_v):  # also when not finite
            return False
        span = self._high_v - self._low_v
        middle, margin = self._low_v + 0.5 * span, 0.1 * span
        if span < LEVEL_RANGE_MIN:
            return True
        if self.high is None:
            return False
        return low >= middle - margin if self.high else high <= middle + margin

    def restart(self) -> None:
        """Count edges from now on; what is known of the range stays."""
        self.n_rises = self.n_falls = 0
