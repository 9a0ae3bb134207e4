"""The zero of force plates: from a recording without load, else from swing phases.

What hangs on a plate, belt and rollers, weighs on it along other axes when the deck
tilts. A baseline therefore holds all six components and is good for the angle it was
taken at, and for no other. Of several, the one of the trial's facing is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from acquire.gait.plates import swing_offset

Floats = NDArray[np.float64]

SAME_ANGLE_DEG: Final = 0.3
"""Decks further apart count as other angles: 0.3° tilt 3 N of a 60 kg belt into Fx."""
MOST_LOAD_N: Final = 150.0  #: more, and somebody stands on the plate
MOST_CHANGE_N: Final = 10.0  #: between tenths of a second of an unloaded plate
SHORTEST_S: Final = 1.0
DRIFT_N: Final = 20.0  #: a baseline this far from the trial's own swing is outdated


class BaselineError(ValueError):
    """A recording cannot serve as a baseline."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """What unloaded plates read, (6,) by plate: Fx Fy Fz in N, Mx My Mz in N·m.

    `name` says which recording it is from, `sha256` which file.
    """

    name: str
    zeros: Mapping[str, Floats]
    incline_deg: float
    facing: str = "forward"
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class PlateZero:
    """What was taken from one plate's loads, shape (6,), and where it is from."""

    plate: str
    source: Literal["baseline", "swing", "none"]
    offset: Floats


def measure_baseline(
    name: str,
    loads: Mapping[str, Floats],
    incline_deg: Floats,
    facing: str,
    rate_hz: float,
) -> Baseline:
    """Return the baseline of a recording in which nobody stands on the plates.

    `loads` holds (n, 6) by plate, NaN where samples are missing, `incline_deg` (n,)
    the deck's angle, NaN where it is not known.

    Raises
    ------
    BaselineError
        The deck's angle is not known, or it moves; a plate is loaded, or recorded for
        less than a second.
    """
    known = incline_deg[np.isfinite(incline_deg)]
    if not known.size:
        raise BaselineError(f"{name}: the deck's angle was not recorded")
    if np.ptp(known) > SAME_ANGLE_DEG:
        raise BaselineError(
            f"{name}: the deck moves from {known.min():.1f}° to {known.max():.1f}°; a "
            "baseline is taken at one angle"
        )
    zeros = {plate: _quiet(name, plate, rows, rate_hz) for plate, rows in loads.items()}
    return Baseline(name, zeros, float(np.median(known)), facing)


def fitting(
    baselines: Sequence[Baseline], incline_deg: float, facing: str
) -> tuple[Baseline | None, tuple[str, ...]]:
    """Return the last baseline of this angle, and why others are refused.

    One of the same facing goes first; without one, that of the other serves: nobody
    stood on the plates. Refusals are only named where none fits.
    """
    good = [b for b in baselines if abs(b.incline_deg - incline_deg) <= SAME_ANGLE_DEG]
    if good:
        return max(good, key=lambda b: (b.facing == facing, good.index(b))), ()
    return None, tuple(
        f"baseline {b.name} is refused: it was taken at {b.incline_deg:.1f}°, the "
        f"trial at {incline_deg:.1f}°"
        for b in baselines
    )


def plate_zero(
    plate: str, loads: Floats, rate_hz: float, baseline: Baseline | None
) -> tuple[PlateZero, str]:
    """Return a plate's zero in one trial, and a remark on it, or none.

    The baseline goes first, unless the trial's own swing phases contradict it: then
    the plate was zeroed since, or drifted.
    """
    swing = swing_offset(loads, rate_hz)
    taken = None if baseline is None else baseline.zeros.get(plate)
    if baseline is not None and taken is not None:
        if swing is None:
            return PlateZero(plate, "baseline", taken), ""
        drift = float(np.abs(swing - taken)[:3].max())
        if drift <= DRIFT_N:
            return PlateZero(plate, "baseline", taken), ""
        return PlateZero(plate, "swing", swing), (
            f"baseline {baseline.name} is refused for plate {plate}: in swing it reads "
            f"{drift:.0f} N off it; it drifted or was zeroed since"
        )
    if swing is not None:
        return PlateZero(plate, "swing", swing), ""
    return PlateZero(plate, "none", np.zeros(6)), (
        f"plate {plate} is never unloaded: its zero is not removed"
    )


def _quiet(name: str, plate: str, rows: Floats, rate_hz: float) -> Floats:
    """Return the median of an unloaded plate's six components."""
    finite = rows[np.isfinite(rows).all(axis=1)]
    if len(finite) < SHORTEST_S * rate_hz:
        raise BaselineError(
            f"{name}: plate {plate} was recorded for {len(finite) / rate_hz:.1f} s; a "
            f"baseline needs {SHORTEST_S:g} s"
        )
    part = max(round(0.1 * rate_hz), 1)
    whole = finite[: len(finite) // part * part, 2]
    means = whole.reshape(-1, part).mean(axis=1)
    change = float(np.ptp(np.percentile(means, [5, 95])))
    level = float(np.abs(np.median(means)))
    if change > MOST_CHANGE_N or level > MOST_LOAD_N:
        raise BaselineError(
            f"{name}: plate {plate} is not unloaded: Fz is {level:.0f} N and changes "
            f"by {change:.0f} N"
        )
    return np.asarray(np.median(finite, axis=0))
