"""The deck angle that goes into every packet: a held value, never readback noise."""

from devices.bertec.limits import Limits
from devices.bertec.ramp import Settled

RATE_WINDOW_S = 0.5


class HeldIncline:
    """Holds the angle reported at take-over, then the target of a requested move.

    All angles in degrees. `held_deg` is None until `take_over`. Freezing holds the
    angle reported at that moment, once; nothing else copies readback.
    """

    def __init__(
        self, limits: Limits, *, band_deg: float, settle_s: float, stall_s: float
    ) -> None:
        self._limits, self._band_deg, self._stall_s = limits, band_deg, stall_s
        self._reached = Settled(settle_s)
        self._window: list[tuple[float, float]] = []
        self.held_deg: float | None = None
        self.moving = False  #: a move or a freeze of ours is under way
        self.frozen = False  #: the angle held is that of a freeze
        self.rate_dps = 0.0  #: of readback, over the last half second
        self.n_requests = 0  #: moves and freezes so far
        self.stalled = False  #: a requested move has come to rest short of its target
        self._nearest: tuple[float, float] | None = None  #: when, how far from target

    def take_over(self, reported_deg: float) -> None:
        self.held_deg, self.moving, self.frozen = (
            self._level(reported_deg),
            False,
            False,
        )
        self._begin()

    def request(self, target_deg: float) -> None:
        self.held_deg, self.moving, self.frozen = target_deg, True, False
        self.n_requests += 1
        self._begin()

    def freeze(self, reported_deg: float) -> None:
        self.request(self._level(reported_deg))
        self.frozen = True

    def forget(self) -> None:
        self.held_deg, self.moving, self.frozen, self.rate_dps = None, False, False, 0.0
        self._begin()
        self._window.clear()

    def observe(self, t_s: float, reported_deg: float) -> bool:
        """Take readback; True once, when a requested move has arrived."""
        self._measure_rate(t_s, reported_deg)
        if not self.moving or self.held_deg is None:
            return False
        away_deg = abs(reported_deg - self.held_deg)
        self.moving = not self._reached.observe(t_s, away_deg <= self._band_deg)
        self._watch_progress(t_s, away_deg)
        return not self.moving

    def diverged(self, reported_deg: float) -> bool:
        """Whether the deck stands elsewhere than held, without a move of ours."""
        if self.held_deg is None or self.moving:
            return False
        return abs(reported_deg - self.held_deg) > 2 * self._band_deg

    @property
    def too_fast(self) -> bool:
        """Whether a move of ours runs faster than the limit."""
        most_dps = 1.05 * self._limits.max_slope_rate_dps
        return self.moving and not self.frozen and self.rate_dps > most_dps

    def outside_limits(self, reported_deg: float) -> bool:
        """Whether the deck stands beyond its limits by more than readback noise."""
        low, high = self._limits.min_incline_deg, self._limits.max_incline_deg
        return not low - self._band_deg <= reported_deg <= high + self._band_deg

    def _level(self, reported_deg: float) -> float:
        # noise of a level deck: a panel that reads the field unsigned takes -0.01
        # degree for 655.35
        if self._limits.min_incline_deg < 0:
            return reported_deg
        return max(reported_deg, 0.0)

    def _begin(self) -> None:
        self._reached.reset()
        self._nearest, self.stalled = None, False

    def _watch_progress(self, t_s: float, away_deg: float) -> None:
        if self._nearest is None or away_deg < self._nearest[1] - self._band_deg:
            self._nearest = t_s, away_deg
        overdue = t_s - self._nearest[0] > self._stall_s
        far = away_deg > self._band_deg
        self.stalled = self.moving and not self.frozen and overdue and far

    def _measure_rate(self, t_s: float, reported_deg: float) -> None:
        """Compare the means of the window's halves: noise must not look like motion."""
        self._window.append((t_s, reported_deg))
        while t_s - self._window[0][0] > RATE_WINDOW_S and len(self._window) > 2:
            self._window.pop(0)
        half = len(self._window) // 2
        (t0_s, deg0), (t1_s, deg1) = map(
            _mean, (self._window[:half], self._window[half:])
        )
        long_enough = t_s - self._window[0][0] >= RATE_WINDOW_S / 2
        self.rate_dps = abs(deg1 - deg0) / (t1_s - t0_s) if long_enough else 0.0


def _mean(readings: list[tuple[float, float]]) -> tuple[float, float]:
    n = max(len(readings), 1)
    return sum(t for t, _ in readings) / n, sum(deg for _, deg in readings) / n
