"""How markers are prepared for the gait model: gaps, smoothing, derivatives."""

from dataclasses import dataclass, field
from typing import Final

from acquire.gait.gap_filling import LONGEST
from acquire.gait.inverse_dynamics import Smoothing
from acquire.gait.smoothing import MarkerSmoothing

AS_SENT_S: Final = 0.2  #: derivatives of markers as a camera sends them, 0.2 mm noise
SMOOTHED_S: Final = 0.08


@dataclass(frozen=True, slots=True)
class Processing:
    """Settings of one derivation; what is left out follows from the others.

    `derivative_window_s` is the time over which velocities and accelerations are
    taken: 0.2 s for markers as they are, 0.08 s once they are smoothed.
    """

    spline_gap_frames: int = LONGEST
    smoothing: MarkerSmoothing = field(default_factory=lambda: MarkerSmoothing("gcv"))
    derivative_window_s: float | None = None
    keep_crossovers: bool = False  #: accept strides with both feet on one plate

    def derivative(self, rate_hz: float) -> Smoothing:
        """Return the window of derivatives in frames, an odd number."""
        window_s = self.derivative_window_s
        if window_s is None:
            window_s = AS_SENT_S if self.smoothing.method == "none" else SMOOTHED_S
        return Smoothing(max(2 * round(window_s * rate_hz / 2) + 1, 5), 4)
