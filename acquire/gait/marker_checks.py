"""Markers that cannot be right, found before they become angles."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEG_MARKERS = ("THI", "KNE", "TIB", "ANK", "HEE", "TOE")
WANTED = ("LASI", "RASI", *(side + name for side in "LR" for name in LEG_MARKERS))
LARGEST_BODY_M = 3.0
SMALLEST_BODY_M = 0.3


class MarkerError(ValueError):
    """Markers are missing or cannot be where they are said to be."""


def check_markers(markers_m: Mapping[str, Floats], where: str) -> None:
    """Raise `MarkerError` where the model cannot use these markers.

    `markers_m` holds (n, 3) per label, NaN where hidden; `where` names the recording
    in messages. Found are: missing markers, units other than metres, sides swapped as
    a whole or at one pair.
    """
    missing = [
        name
        for name in WANTED
        if name not in markers_m or not np.isfinite(markers_m[name]).any()
    ]
    pelvis = [n for n in ("LPSI", "RPSI") if _seen(markers_m, n)]
    if not _seen(markers_m, "SACR") and len(pelvis) < 2:
        missing += [n for n in ("LPSI", "RPSI") if n not in pelvis]
    if missing:
        raise MarkerError(
            f"{where} lacks {_and(missing)}"
            + (" (SACR would serve for LPSI and RPSI)" if "PSI" in missing[-1] else "")
        )
    _check_size(markers_m, where)
    _check_sides(markers_m, where)


def _check_size(markers_m: Mapping[str, Floats], where: str) -> None:
    """Refuse positions in other units: pelvis and ankle are about a metre apart."""
    down = np.stack([markers_m[f"{s}ASI"] - markers_m[f"{s}ANK"] for s in "LR"])
    size = float(np.nanmedian(np.linalg.norm(down, axis=-1)))
    if size > LARGEST_BODY_M:
        raise MarkerError(
            f"{where}: ASIS and ankle are {size:.0f} apart; the positions are in mm, "
            "not in m"
        )
    if size < SMALLEST_BODY_M:
        raise MarkerError(
            f"{where}: ASIS and ankle are {size:.4f} m apart; are the positions in m?"
        )


def _check_sides(markers_m: Mapping[str, Floats], where: str) -> None:
    """Refuse left markers right of the pelvis, whose back tells where that is."""
    sacrum = (
        markers_m["SACR"]
        if _seen(markers_m, "SACR")
        else (markers_m["LPSI"] + markers_m["RPSI"]) / 2
    )
    middle = (markers_m["LASI"] + markers_m["RASI"]) / 2
    ankles = (markers_m["LANK"] + markers_m["RANK"]) / 2
    left = np.cross(middle - ankles, middle - sacrum)
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    # Thighs and shanks never cross far; feet may, so they are judged by the others.
    swapped = [
        f"L{name} and R{name}"
        for name in ("ASI", "THI", "KNE", "TIB", "ANK")
        if np.nanmedian(
            np.sum((markers_m[f"L{name}"] - markers_m[f"R{name}"]) * left, axis=-1)
        )
        < 0
    ]
    for side, other in ("LR", "RL"):
        for name in ("HEE", "TOE"):
            own, foreign = (
                np.nanmedian(
                    np.linalg.norm(
                        markers_m[f"{side}{name}"] - markers_m[f"{s}ANK"], axis=-1
                    )
                )
                for s in (side, other)
            )
            if own > foreign and f"L{name} and R{name}" not in swapped:
                swapped.append(f"L{name} and R{name}")
    if len(swapped) >= 5:
        raise MarkerError(f"{where}: left and right are swapped at all markers")
    if swapped:
        raise MarkerError(
            f"{where}: {_and(swapped)} are swapped: each lies on the other side"
        )


def _seen(markers_m: Mapping[str, Floats], name: str) -> bool:
    return name in markers_m and bool(np.isfinite(markers_m[name]).any())


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
