"""What the ground does to the feet, frame by frame, from plates as they come in."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.gait.baselines import SAME_ANGLE_DEG, Baseline, fitting, plate_zero
from acquire.gait.feet import (
    GAP_MARGIN_M,
    LOW_M,
    REACH_M,
    SHARED_S,
    SIDES,
    FootLoad,
    Side,
    stands_too,
    to_segment,
)
from acquire.gait.plates import (
    Deck,
    Plate,
    ground_reaction,
)
from acquire.gait.survey import DeckSettings, SurveyedPlate
from acquire.gait.vectors import cross

Floats = NDArray[np.float64]
MODULUS: Final = 2**24  #: of the samples' index
KEPT: Final = 4096  #: samples; a power of two, so that it divides the modulus
ZERO_FRAMES: Final = 500  #: in which a plate's zero is sought
ZERO_EVERY: Final = 50
GATE_N: Final = 20.0
TAIL_FRAMES: Final = 3  #: in which a foot that leaves still presses below the gate


class _Placed:
    """One plate at one angle of the deck.

    Force, moment about the world's origin and about the plate are linear in the load;
    so is the centre of pressure times the normal force. `ground_reaction` of loads
    along each component gives both matrices, (3, 3, 6) and (3, 6).
    """

    def __init__(self, plate: Plate, deck: Deck) -> None:
        self.plate = plate
        normal = np.zeros((6, 6))
        normal[:, 2] = 1.0
        alone = np.eye(6)
        alone[2, 2] = 0.0
        seven = np.concatenate([normal[:1], normal + alone]) * 2 * GATE_N
        found = ground_reaction(
            plate, seven, Deck(np.repeat(deck.incline_deg, 7), *_rest(deck))
        )
        about_plate = found.moment_nm - cross(found.centre_m, found.force_n)
        parts = np.stack([found.force_n, found.moment_nm, about_plate], axis=1)
        self.parts = _columns(parts / (2 * GATE_N))
        self.pressure = _columns(found.cop_m[:, None])[0]
        self.here = deck
        turn = deck.turn(plate.pose_incline_deg)[0]
        self._axes = turn @ plate.rotation
        self._origin_m = turn @ (plate.origin_m - deck.pivot_m) + deck.pivot_m
        corners = plate.corners_plate_m
        self._inner_m = np.stack([corners.min(axis=0), corners.max(axis=0)])[:, :2]
        self._inner_m += [[GAP_MARGIN_M], [-GAP_MARGIN_M]]
        self._surface_z_m = plate.surface_z_m

    def near(self, foot_m: Floats) -> bool:
        """Tell whether a foot's heel and toe, (2, 3), are low over the plate."""
        local = (foot_m - self._origin_m) @ self._axes
        if not np.abs(local[:, 2] - self._surface_z_m).min() < LOW_M:
            return False
        low, high = self._inner_m
        return bool(((local[:, :2] >= low) & (local[:, :2] <= high)).all())


def _columns(seven: Floats) -> Floats:
    """Return a linear map's matrix (k, 3, 6) from what it makes of seven loads.

    The first is along the normal, of the others each has one component more; the
    third of these has none more.
    """
    found = seven[1:] - seven[0]
    found[2] = seven[0]
    return np.ascontiguousarray(np.moveaxis(found, 0, -1))


def _rest(deck: Deck) -> tuple[Floats, bool]:
    return deck.pivot_m, deck.plates_follow_deck


class LiveLoads:
    """Takes plate samples by `push`, gives the load of each foot at a frame by `at`.

    A frame's load is the mean over one marker period around it. Each plate's zero is
    that of a baseline taken at this angle, else what it read in swing during
    the last seconds; before there is one, and while both feet or none are near what
    presses a plate, loads are NaN. One `at` per frame, in order.
    """

    def __init__(
        self,
        plates: Sequence[SurveyedPlate],
        deck: DeckSettings,
        per_frame: int = 10,
        frame_hz: float = 100.0,
        baselines: Sequence[Baseline] = (),
    ) -> None:
        self._baselines = baselines
        self._plates = [one.plate for one in plates]
        self._columns = [column for one in plates for column in one.columns]
        self._deck, self._per_frame, self._frame_hz = deck, per_frame, frame_hz
        half = per_frame // 2
        self._window = np.arange(-half, half + 1)
        weights = np.ones(2 * half + 1)
        weights[[0, -1]] = 0.5 if per_frame % 2 == 0 else 1.0
        self._weights = weights / weights.sum()
        self._samples = np.full((KEPT, len(self._columns)), np.nan)
        self._index = np.full(KEPT, -1, dtype=np.int64)
        self._owner: list[Side | None] = [None] * len(self._plates)
        self._shared = [0] * len(self._plates)
        self._idle = [TAIL_FRAMES] * len(self._plates)
        self._placed: list[_Placed] = []
        self._placed_deg = float("nan")
        self.turn_deck(0.0, "forward")

    def turn_deck(self, incline_deg: float, facing: str) -> None:
        """Begin at another angle or facing: what unloaded plates read changes."""
        self._zero_deg, self._facing = incline_deg, facing
        self._baseline, _ = fitting(self._baselines, incline_deg, facing)
        self._zero = np.full((len(self._plates), 6), np.nan)
        self._means = np.full((ZERO_FRAMES, len(self._plates), 6), np.nan)
        self._n = 0

    @property
    def unzeroed(self) -> tuple[str, ...]:
        """Plates whose zero at this angle is not known yet."""
        known = np.isfinite(self._zero[:, 0])
        return tuple(p.name for p, is_known in zip(self._plates, known) if not is_known)  # noqa: B905

    def push(self, index: Floats, samples: Floats) -> None:
        """Take rows of the force stream (m, n_channels), numbered `index` (m,)."""
        numbers = index.astype(np.int64) % MODULUS
        slots = numbers % KEPT
        self._samples[slots] = samples[:, self._columns]
        self._index[slots] = numbers

    def at(
        self,
        frame: int,
        feet_m: Mapping[Side, Floats],
        incline_deg: float,
        facing: str = "forward",
    ) -> dict[Side, FootLoad]:
        """Return each foot's load, (1, 3), at marker frame `frame`.

        `feet_m` holds heel and toe (3, 2, 3) of the frame before, this and the next.
        """
        turned = abs(incline_deg - self._zero_deg) > SAME_ANGLE_DEG
        if turned or facing != self._facing:
            self.turn_deck(incline_deg, facing)
        placed = self._placed_at(incline_deg)
        loads = self._mean(frame) - self._learned_zero()
        found = {side: np.zeros((3, 1, 3)) for side in SIDES}
        for k, plate in enumerate(placed):
            load, normal_n = loads[k], float(loads[k, 2])
            if not np.isfinite(normal_n):
                for rows in found.values():
                    rows[:] = np.nan
                continue
            parts = plate.parts @ load
            if not self._pressed(k, normal_n, parts[0, 2]):
                continue
            spot = plate.pressure @ load / normal_n if abs(normal_n) >= GATE_N else None
            side = self._whose(k, plate, spot, feet_m)
            for other in SIDES if side is None else (side,):
                found[other] += parts[:, None] if side else np.nan
        return {side: FootLoad(*rows) for side, rows in found.items()}

    def _placed_at(self, incline_deg: float) -> list[_Placed]:
        if incline_deg != self._placed_deg:
            deck = Deck(
                np.full(1, incline_deg),
                np.array(self._deck.pivot_m),
                self._deck.plates_follow_deck,
            )
            self._placed = [_Placed(plate, deck) for plate in self._plates]
            self._placed_deg = incline_deg
        return self._placed

    def _mean(self, frame: int) -> Floats:
        """Return the plates' means over a frame's period, (n_plates, 6)."""
        numbers = (frame * self._per_frame + self._window) % MODULUS
        slots = numbers % KEPT
        if (self._index[slots] != numbers).any():
            mean = np.full(len(self._columns), np.nan)
        else:
            mean = self._weights @ self._samples[slots]
        rows = mean.reshape(-1, 6)
        self._means[self._n % ZERO_FRAMES] = rows
        self._n += 1
        return rows

    def _learned_zero(self) -> Floats:
        unknown = np.isnan(self._zero[:, 0]).any()
        if self._n % (10 if unknown else ZERO_EVERY) == 1:
            for k, plate in enumerate(self._plates):
                zero, _ = plate_zero(
                    plate.name, self._means[:, k], self._frame_hz, self._baseline
                )
                if zero.source != "none":
                    self._zero[k] = zero.offset
        return self._zero

    def _pressed(self, k: int, normal_n: float, upward_n: float) -> bool:
        """Tell whether a foot is on a plate, or leaves it just now."""
        if abs(normal_n) >= GATE_N:
            self._idle[k] = 0
            return True
        self._idle[k] += 1
        if self._idle[k] > TAIL_FRAMES or upward_n <= 0:
            self._owner[k], self._shared[k] = None, 0
            self._idle[k] = TAIL_FRAMES
            return False
        return True

    def _whose(
        self,
        k: int,
        plate: _Placed,
        spot_m: Floats | None,
        feet_m: Mapping[Side, Floats],
    ) -> Side | None:
        """Return whose foot presses a plate; None for neither's, and for both's.

        `spot_m` (3,) is the centre of pressure, if there is one.
        """
        if spot_m is not None:
            both = np.stack([feet_m[side][1] for side in SIDES])
            distance = to_segment(np.stack([spot_m, spot_m]), both)
            if np.isfinite(distance).all():  # else who was there stays
                nearest = int(distance.argmin())
                is_near = distance[nearest] <= REACH_M
                self._owner[k] = SIDES[nearest] if is_near else None
        own = self._owner[k]
        if own is None:
            return None
        other = feet_m[SIDES[1 - SIDES.index(own)]]
        if plate.near(other[1]):
            deck = Deck(np.repeat(plate.here.incline_deg, 3), *_rest(plate.here))
            still = stands_too(other, feet_m[own], plate.plate, deck, self._frame_hz)
            self._shared[k] += int(still[1])
        return None if self._shared[k] >= SHARED_S * self._frame_hz else own
