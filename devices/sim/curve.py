"""Piecewise quadratic curves of time: belt speeds and the angle of the deck."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """From `start_s` on: value + rate·τ + accel·τ²/2, with τ since `start_s`."""

    start_s: float
    value: float
    rate: float = 0.0
    accel: float = 0.0


class Curve:
    """An immutable piecewise quadratic; before its first piece it is constant."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = tuple(pieces)
        self._start = np.array([p.start_s for p in pieces])
        self._value = np.array([p.value for p in pieces])
        self._rate = np.array([p.rate for p in pieces])
        self._accel = np.array([p.accel for p in pieces])
        areas = [0.0]
        for piece, following in pairwise(pieces):
            tau = following.start_s - piece.start_s
            areas.append(areas[-1] + _area(piece, tau))
        self._area = np.array(areas)

    def value(self, t_s: Array) -> Array:
        """Return the curve at `t_s`; shape kept."""
        i, tau = self._locate(t_s)
        value: Array = (
            self._value[i] + (self._rate[i] + 0.5 * self._accel[i] * tau) * tau
        )
        return value

    def area(self, t_s: Array) -> Array:
        """Return the integral from the first piece's start to `t_s`; shape kept."""
        i, tau = self._locate(t_s)
        slope = self._rate[i] / 2 + self._accel[i] * tau / 6
        area: Array = self._area[i] + (self._value[i] + slope * tau) * tau
        return area

    def state(self, t_s: float) -> tuple[float, float]:
        """Return value and rate at one instant."""
        i, tau = self._locate(np.array([t_s]))
        piece = self._pieces[int(i[0])]
        late = float(tau[0])
        value = piece.value + (piece.rate + 0.5 * piece.accel * late) * late
        return value, piece.rate + piece.accel * late

    def followed_by(self, pieces: Sequence[Piece]) -> "Curve":
        """Return this curve up to the first of `pieces`, and those from there on."""
        kept = [p for p in self._pieces if p.start_s < pieces[0].start_s]
        return Curve([*kept, *pieces])

    def _locate(self, t_s: Array) -> tuple[NDArray[np.intp], Array]:
        i = np.maximum(np.searchsorted(self._start, t_s, side="right") - 1, 0)
        return i, np.maximum(t_s - self._start[i], 0.0)


def _area(piece: Piece, tau: float) -> float:
    return (piece.value + (piece.rate / 2 + piece.accel * tau / 6) * tau) * tau


def ramp(t_s: float, start: float, target: float, rate: float) -> list[Piece]:
    """Return pieces that go from `start` to `target` at `rate` (> 0) and stay."""
    if start == target:
        return [Piece(t_s, target)]
    duration = abs(target - start) / rate
    return [
        Piece(t_s, start, math.copysign(rate, target - start)),
        Piece(t_s + duration, target),
    ]


def eased(
    t_s: float, state: tuple[float, float], target: float, rate: float, accel: float
) -> list[Piece]:
    """Return pieces to `target` at most at `rate`, its changes limited by `accel`.

    `state` is value and rate at `t_s`. The rate is a trapezium: no jerk of a machine
    that weighs a tonne.
    """
    value, speed = state
    stopping = value + speed * abs(speed) / (2 * accel)
    sign = math.copysign(1.0, target - stopping)
    gap = abs(target - stopping)
    along = speed * sign  # below 0: turn round first, at `stopping`
    peak = min(rate, math.sqrt(accel * gap + max(along, 0.0) ** 2))
    return _trapezium(t_s, state, target, sign * peak, accel)


def _trapezium(
    t_s: float, state: tuple[float, float], target: float, peak: float, accel: float
) -> list[Piece]:
    value, speed = state
    pieces: list[Piece] = []

    def add(duration: float, change: float) -> None:
        nonlocal t_s, value, speed
        if duration <= 1e-9:
            return
        pieces.append(Piece(t_s, value, speed, change))
        value += (speed + 0.5 * change * duration) * duration
        speed += change * duration
        t_s += duration

    add(abs(peak - speed) / accel, math.copysign(accel, peak - speed))
    braking = peak * abs(peak) / (2 * accel)
    if peak:
        add((target - value - braking) / peak, 0.0)
        add(abs(peak) / accel, -math.copysign(accel, peak))
    pieces.append(Piece(t_s, target))
    return pieces
