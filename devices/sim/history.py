"""What the lab's people did: an append-only list of inputs, and curves made of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.sim.curve import Curve, Piece, eased, ramp
from devices.sim.faults import FaultSpec

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: the deck reaches its rate within this time
DECK_EASE_S = 0.25
MAX_SPEED_MPS = 10.0
MAX_INCLINE_DEG = 25.0


@dataclass(frozen=True, slots=True)
class Input:
    """One thing done to the lab, effective from world time `t_s` on."""

    t_s: float
    kind: str
    value: Mapping[str, Any]


class Steps:
    """An immutable step function of time."""

    def __init__(self, start_s: tuple[float, ...], values: tuple[Any, ...]) -> None:
        self.start_s, self.values = start_s, values
        self._start = np.array(start_s)
        self._values = np.array(values)

    def at(self, t_s: Array) -> NDArray[Any]:
        """Return the value that holds at each time; the first one before it all."""
        i = np.searchsorted(self._start, t_s, side="right") - 1
        held: NDArray[Any] = self._values[np.maximum(i, 0)]
        return held

    def then(self, t_s: float, value: Any) -> "Steps":  # noqa: ANN401
        """Return these steps and one more."""
        return Steps((*self.start_s, t_s), (*self.values, value))


class History:
    """Inputs in order of time. One thread appends, any thread looks up.

    Lookups take times of shape (n,) in world seconds. Speeds are signed in the deck
    frame: positive when the surface moves towards -x, so that a person facing +x
    walks forward.
    """

    def __init__(self) -> None:
        self._inputs: tuple[Input, ...] = ()
        start = [Piece(0.0, 0.0)]
        self._belts = (Curve(start), Curve(start))
        self._deck = Curve(start)
        self._reversed = Steps((0.0,), (False,))
        self._fatigue = Steps((0.0,), (0.0,))
        self._line = Steps((0.0,), (False,))
        self._line_name = Steps((0.0,), ("",))
        self._faults: tuple[FaultSpec, ...] = ()
        self._takers = {
            "belts": self._take_belts,
            "deck": self._take_deck,
            "facing": self._take_facing,
            "fatigue": self._take_fatigue,
            "line": self._take_line,
            "fault": self._take_fault,
        }

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Everything appended so far."""
        return self._inputs

    def append(self, t_s: float, kind: str, value: Mapping[str, Any]) -> None:
        """Add an input; a bad one raises ValueError and changes nothing."""
        if not math.isfinite(t_s):
            raise ValueError(f"input {kind!r} has time {t_s}, which is not finite")
        if self._inputs and t_s < self._inputs[-1].t_s:
            raise ValueError(
                f"input {kind!r} at {t_s} s comes before the last one, "
                f"{self._inputs[-1].kind!r} at {self._inputs[-1].t_s} s"
            )
        take = self._takers.get(kind)
        if take is None:
            raise ValueError(
                f"input kind {kind!r} is unknown; there are {sorted(self._takers)}"
            )
        take(t_s, value)
        self._inputs = (*self._inputs, Input(t_s, kind, dict(value)))

    def belt_mps(self, t_s: Array) -> Array:
        """Return belt speeds, shape (n, 2): left, right."""
        left, right = self._belts
        return np.stack([left.value(t_s), right.value(t_s)], axis=-1)

    def belt_travel_m(self, t_s: Array) -> Array:
        """Return how far each belt has gone towards -x, shape (n, 2): left, right."""
        left, right = self._belts
        return np.stack([left.area(t_s), right.area(t_s)], axis=-1)

    def incline_deg(self, t_s: Array) -> Array:
        """Return the angle of the deck, positive when its +x end is up."""
        return self._deck.value(t_s)

    def reversed_(self, t_s: Array) -> Flags:
        """Tell whether the person has been told to face -x."""
        return self._reversed.at(t_s)

    def fatigue(self, t_s: Array) -> Array:
        """Return the level of fatigue, 0 to 1."""
        return self._fatigue.at(t_s)

    def line(self, t_s: Array) -> Flags:
        """Tell whether the capture line is high."""
        return self._line.at(t_s)

    def line_name(self, t_s: float) -> str:
        """Return the name given to the capture in progress or just finished."""
        return str(self._line_name.at(np.array([t_s]))[0])

    def line_changes(self) -> list[tuple[float, bool]]:
        """Return every change of the capture line: time, and whether it rose."""
        level, changes = False, []
        for t_s, high in zip(self._line.start_s, self._line.values, strict=True):
            if high != level:
                changes.append((t_s, bool(high)))
                level = high
        return changes

    def last_rise_s(self, t_s: float) -> float | None:
        """Return when the capture line last rose at or before `t_s`."""
        rises = [at for at, rising in self.line_changes() if rising and at <= t_s]
        return rises[-1] if rises else None

    def faults(self, device: str) -> list[FaultSpec]:
        """Return the faults injected into a device at run time."""
        return [fault for fault in self._faults if fault.device == device]

    def _take_belts(self, t_s: float, value: Mapping[str, Any]) -> None:
        belts = []
        for side, curve in zip(("left", "right"), self._belts, strict=True):
            target = _number(value, f"{side}_mps", MAX_SPEED_MPS)
            accel = _number(value, f"accel_{side}_mps2", 100.0)
            if accel <= 0:
                raise ValueError(f"belts: accel_{side}_mps2 is {accel}, not above 0")
            now_mps, _ = curve.state(t_s)
            belts.append(curve.followed_by(ramp(t_s, now_mps, target, accel)))
        self._belts = (belts[0], belts[1])

    def _take_deck(self, t_s: float, value: Mapping[str, Any]) -> None:
        target = _number(value, "target_deg", MAX_INCLINE_DEG)
        rate = _number(value, "rate_dps", 90.0)
        if rate <= 0:
            raise ValueError(f"deck: rate_dps is {rate}, not above 0")
        pieces = eased(t_s, self._deck.state(t_s), target, rate, rate / DECK_EASE_S)
        self._deck = self._deck.followed_by(pieces)

    def _take_facing(self, t_s: float, value: Mapping[str, Any]) -> None:
        self._reversed = self._reversed.then(t_s, _flag(value, "reversed"))

    def _take_fatigue(self, t_s: float, value: Mapping[str, Any]) -> None:
        level = _number(value, "level", 1.0)
        if level < 0:
            raise ValueError(f"fatigue: level is {level}, not within 0 to 1")
        self._fatigue = self._fatigue.then(t_s, level)

    def _take_line(self, t_s: float, value: Mapping[str, Any]) -> None:
        high = _flag(value, "high")
        self._line_name = self._line_name.then(t_s, str(value.get("name", "")))
        self._line = self._line.then(t_s, high)

    def _take_fault(self, t_s: float, value: Mapping[str, Any]) -> None:
        fault = FaultSpec.from_mapping({"at": t_s, **value})
        self._faults = (*self._faults, fault)


def _number(value: Mapping[str, Any], key: str, limit: float) -> float:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError(  # noqa: TRY004 (one kind of error for bad inputs)
            f"input lacks a number {key!r}; it has {dict(value)}"
        )
    if not math.isfinite(found) or abs(found) > limit:
        raise ValueError(f"{key} is {found}, beyond ±{limit}")
    return float(found)


def _flag(value: Mapping[str, Any], key: str) -> bool:
    found = value.get(key)
    if not isinstance(found, bool):
        raise ValueError(  # noqa: TRY004
            f"input lacks true or false for {key!r}; it has {dict(value)}"
        )
    return found
