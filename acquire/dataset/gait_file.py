"""Gait outputs as a file of arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.c3d_gait import C3dGait
from acquire.gait.feet import SIDES
from acquire.storage.durable import replace_atomically

EVENT_NAMES = {"strike": "Foot_Strike", "off": "Foot_Off"}


def write_gait(path: Path, found: C3dGait) -> Path:
    """Write arrays as named in C3D, and events, in one step in place of an earlier one.

    Beside the arrays (n, 3) there are ``rate_hz``, ``Left_Foot_Strike`` and its like
    (s from the first frame), ``LGroundUnknown`` and ``RGroundUnknown`` (n,) and the
    static offsets, ``LStaticPlantFlex`` and its like, in degrees.
    """
    arrays: dict[str, NDArray[Any]] = dict(found.arrays)
    arrays["rate_hz"] = np.array(found.rate_hz)
    for side in SIDES:
        letter = side[0].upper()
        for kind, name in EVENT_NAMES.items():
            arrays[f"{side.capitalize()}_{name}"] = np.array(
                [e.time_s for e in found.events if e.side == side and e.kind == kind]
            )
        if side in found.ground_unknown:
            arrays[f"{letter}GroundUnknown"] = found.ground_unknown[side]
        foot = found.calibration.foot(side)
        arrays[f"{letter}StaticPlantFlex"] = np.array(foot.plantar_flexion_deg)
        arrays[f"{letter}StaticRotOff"] = np.array(foot.rotation_deg)
    arrays["units"] = np.array("deg, N/kg, N.m/kg, W/kg, s")
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.tmp")
    with tmp.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    replace_atomically(tmp, path)
    return path
