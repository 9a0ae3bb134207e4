"""K2MUSE's words for conditions, ambulation modes and speeds, and back."""

import re
from typing import Final

from acquire.storage.errors import LayoutError

#: conditions of a published subject file, then those of ours it leaves out
PUBLISHED_CONDITIONS: Final = (
    "Ideal",
    "Fatigue",
    "InterDay",
    "ShiftInitial",
    "ShiftUpward",
    "ShiftDownward",
    "ShiftLeftward",
    "ShiftRightward",
)
OWN_CONDITIONS: Final = ("SustainedFatigue", "DepthSuperficial", "DepthCompressed")
CONDITIONS: Final = PUBLISHED_CONDITIONS + OWN_CONDITIONS
CALIBRATION: Final = "Calibration"
CALIBRATION_KINDS: Final = ("Static", "Unloaded", "Quiet", "Rest", "MVC")

_MODE = re.compile(r"(LG|AS|DS)[_-](\d+(?:x\d+)?)")
_SPEED = re.compile(r"S_(\d+)(?:x(\d+))?")
_PARTICIPANT = re.compile(r"P\d{2,}")


def participant_label(text: str) -> str:
    """Return a participant's name if it is one: ``P43``."""
    if not _PARTICIPANT.fullmatch(text):
        raise LayoutError(f"participant {text!r}: expected P and digits, as in P43")
    return text


def condition_label(text: str) -> str:
    """Return a condition's name; ``Inter-day`` is accepted for ``InterDay``."""
    if re.fullmatch(r"Inter-?[Dd]ay", text):
        return "InterDay"
    if text not in CONDITIONS:
        raise LayoutError(f"condition {text!r}: there are {', '.join(CONDITIONS)}")
    return text


def mode_label(slope_deg: float) -> str:
    """Name a slope in degrees, positive uphill: ``LG_0``, ``AS_5``, ``DS_10``."""
    kind = "LG" if slope_deg == 0 else "AS" if slope_deg > 0 else "DS"
    return f"{kind}_{_number(abs(slope_deg))}"


def slope_deg(mode: str) -> float:
    """Read a mode's slope in degrees, positive uphill; ``AS-5`` is accepted too."""
    match = _MODE.fullmatch(mode)
    degrees = float(match[2].replace("x", ".")) if match else -1.0
    if match is None or (degrees == 0) != (match[1] == "LG"):
        raise LayoutError(f"mode {mode!r}: expected LG_0, AS_<deg> or DS_<deg>")
    return -degrees if match[1] == "DS" else degrees


def speed_label(speed_mps: float) -> str:
    """Name a speed in m/s as MATLAB's num2str would: ``S_0x5``, ``S_1``, ``S_1x25``."""
    if not 0 <= speed_mps < 100:
        raise LayoutError(f"speed {speed_mps} m/s has no name")
    return f"S_{_number(speed_mps)}"


def speed_mps(label: str) -> float:
    """Read a speed in m/s; ``S_1x0`` is accepted for ``S_1``."""
    match = _SPEED.fullmatch(label)
    if match is None:
        raise LayoutError(f"speed {label!r}: expected S_<m/s>, as in S_0x5 or S_1")
    return float(f"{match[1]}.{match[2] or 0}")


def _number(value: float) -> str:
    return f"{round(value, 3):g}".replace(".", "x")
