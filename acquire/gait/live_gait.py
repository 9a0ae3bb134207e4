"""Live gait from markers and plates as two streams bring them, joined by frame."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.baselines import Baseline
from acquire.gait.feet import FOOT_MARKERS, SIDES, FootLoad, Side
from acquire.gait.inverse_dynamics import RAW, Smoothing
from acquire.gait.live_loads import LiveLoads
from acquire.gait.live_model import LiveFrames, LiveModel
from acquire.gait.measures import Measures
from acquire.gait.segments import Calibration
from acquire.gait.survey import DeckSettings, SurveyedPlate

Floats = NDArray[np.float64]
FRAMES: Final = 2**24  #: modulus of the frame counter


class LiveGait:
    """Takes plate samples and marker frames as they come; `frames` gives what is new.

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
        self._delay = self._model.delay
        self._feet, self._n_feet = self._no_feet(), 0
        self._last: int | None = None

    @property
    def unzeroed(self) -> tuple[str, ...]:
        """Plates whose zero is not known yet, so that they give no kinetics."""
        return self._loads.unzeroed if self._loads else ()

    def forces(self, index: Floats, samples: Floats) -> None:
        """Take rows of the force stream (m, n_channels), numbered `index` (m,)."""
        if self._loads:
            self._loads.push(index, samples)

    def frames(
        self,
        first: int,
        markers_m: Mapping[str, Floats],
        incline_deg: float = 0.0,
        facing: str = "forward",
    ) -> LiveFrames:
        """Take the markers (n, 3) of consecutive frames, the first numbered `first`.

        The deck's angle, and facing, are those of now.
        """
        lost = 0 if self._last is None else (first - self._last - 1) % FRAMES
        if lost:
            self._model.skip(lost)
            self._feet, self._n_feet = self._no_feet(), 0
        new = _feet(markers_m)
        self._last = first + len(new) - 1
        feet = np.concatenate([self._feet, new])
        n_unknown = max(self._delay + 1 - self._n_feet, 0)
        self._feet, self._n_feet = feet[len(new) :], self._n_feet + len(new)
        if self._loads is None:
            return self._model.push(markers_m)
        loads = [
            self._loads.at(
                first + k - self._delay, _by_side(feet[k : k + 3]), incline_deg, facing
            )
            if k >= n_unknown
            else UNKNOWN
            for k in range(len(new))
        ]
        return self._model.push(
            markers_m, {side: _joined([load[side] for load in loads]) for side in SIDES}
        )

    def _no_feet(self) -> Floats:
        """Return heels and toes of the frames whose loads are to come: unknown."""
        return np.full((self._delay + 1, 2, 2, 3), np.nan)


NOTHING: Final = FootLoad(*(np.full((1, 3), np.nan) for _ in range(3)))
UNKNOWN: Final[Mapping[Side, FootLoad]] = {"left": NOTHING, "right": NOTHING}


def _feet(markers_m: Mapping[str, Floats]) -> Floats:
    """Return heel and toe of each foot, (n, 2, 2, 3)."""
    found = np.empty((len(markers_m["LHEE"]), 2, 2, 3))
    for k, side in enumerate(SIDES):
        for j, name in enumerate(FOOT_MARKERS[side]):
            found[:, k, j] = markers_m[name]
    return found


def _by_side(feet: Floats) -> dict[Side, Floats]:
    return {side: feet[:, k] for k, side in enumerate(SIDES)}


def _joined(loads: Sequence[FootLoad]) -> FootLoad:
    if len(loads) == 1:
        return loads[0]
    return FootLoad(
        np.concatenate([load.force_n for load in loads]),
        np.concatenate([load.moment_nm for load in loads]),
        np.concatenate([load.plate_moment_nm for load in loads]),
    )
