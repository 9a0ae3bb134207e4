"""Live gait from markers and plates as two streams bring them, joined by frame."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.baselines import Baseline
from acquire.gait.feet import FOOT_MARKERS, SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import RAW, Smoothing
from acquire.gait.live_loads import LiveLoads
from acquire.gait.live_model import LiveFrame, LiveModel
from acquire.gait.measures import Measures
from acquire.gait.segments import Calibration
from acquire.gait.survey import DeckSettings, SurveyedPlate

Floats = NDArray[np.float64]
FRAMES: Final = 2**24  #: modulus of the frame counter


class LiveGait:
    """Takes plate samples and marker frames as they come; `frame` returns what is new.

    Samples of the plates may come up to `delay_s` after their frame; later ones leave
    the kinetics of that frame unknown. Lost frames, and a counter that begins again,
    leave a gap, not a jump.
    """

    def __init__(
        self,
        measures: Measures,
        calibration: Calibration,
        plates: Sequence[SurveyedPlate] = (),
        deck: DeckSettings | None = None,
        rate_hz: float = 100.0,
        smoothing: Smoothing = RAW,
        baselines: Sequence[Baseline] = (),
    ) -> None:
        self._model = LiveModel(measures, calibration, rate_hz, smoothing)
        self.delay_s = self._model.delay / rate_hz
        self._loads = (
            LiveLoads(
                plates, deck or DeckSettings(), frame_hz=rate_hz, baselines=baselines
            )
            if plates and measures.mass_kg
            else None
        )
        self._feet: deque[tuple[int, dict[Side, Floats]]] = deque(
            maxlen=self._model.delay + 2
        )
        self._last: int | None = None

    @property
    def unzeroed(self) -> tuple[str, ...]:
        """Plates whose zero is not known yet, so that they give no kinetics."""
        return self._loads.unzeroed if self._loads else ()

    def forces(self, index: Floats, samples: Floats) -> None:
        """Take rows of the force stream (m, n_channels), numbered `index` (m,)."""
        if self._loads:
            self._loads.push(index, samples)

    def frame(
        self,
        number: int,
        markers_m: Mapping[str, Floats],
        incline_deg: float = 0.0,
        facing: str = "forward",
    ) -> LiveFrame:
        """Take one frame's markers (1, 3) with the deck's angle, and facing, then."""
        self._count(number)
        self._feet.append((number, _feet(markers_m)))
        return self._model.push(markers_m, self._past_loads(incline_deg, facing))

    def _count(self, number: int) -> None:
        """Skip what was lost since the last frame."""
        lost = 0 if self._last is None else (number - self._last - 1) % FRAMES
        self._last = number
        if lost:
            self._model.skip(lost)
            self._feet.clear()

    def _past_loads(
        self, incline_deg: float, facing: str
    ) -> Mapping[Side, FootLoad] | None:
        if self._loads is None or len(self._feet) < (self._feet.maxlen or 0):
            return None
        around = [self._feet[k] for k in range(3)]
        feet = {
            side: np.concatenate([here[side] for _, here in around]) for side in SIDES
        }
        return self._loads.at(around[1][0], feet, incline_deg, facing)


def _feet(markers_m: Mapping[str, Floats]) -> dict[Side, Floats]:
    """Return heel and toe of each foot, (1, 2, 3)."""
    found: dict[Side, Floats] = {}
    for side, names in FOOT_MARKERS.items():
        feet = found[side] = np.empty((1, 2, 3))
        for k, name in enumerate(names):
            feet[:, k] = markers_m[name]
    return found
