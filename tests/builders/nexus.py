"""Recordings processed in Nexus, kept beside the repository; absent elsewhere."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "gait"
PAIRS = {
    "HC002D": ("HC002D__Static__HC002D02", "HC002D__Straight__HC002D06", {}),
    "HC030A": ("HC030A__Static__HC030A01", "HC030A__Straight__HC030A05", {}),
    "BELT_C": (
        "PiG__PiG_Calibration-FlatFoot-Full",
        "PiG__PiG_Motion-FlatFoot-Full",
        {"marker_diameter_mm": 16.0},
    ),
}


def pair(name):
    """Static trial, trial, and measures the files do not hold."""
    static, trial, given = PAIRS[name]
    paths = [FOLDER / f"{stem}.c3d" for stem in (static, trial)]
    for path in paths:
        if not path.is_file():
            pytest.skip(f"no recording {path.name} in {FOLDER}")
    return (*paths, given)
