"""Names and folders of the published source files.

The published text and drawings differ in places; what is chosen here is one literal
name of the drawings each, and the text's where the drawings name nothing:
``Inter-day`` and ``Shift`` as folders of the C3D files, ``Ch1``, ``S_1``.
"""

from pathlib import PurePosixPath
from typing import Final

from acquire.storage.labels import slope_deg, speed_mps
from acquire.storage.layout import TrialKey

FOLDER: Final = "SourceData"
VICON, ELONXI, NORAXON = "Vicon", "ELONXI", "Noraxon"
N_PROBES: Final = 4


def vicon_file(key: TrialKey) -> PurePosixPath:
    """``Vicon/P43/Ideal/P43+Ideal+AS+5+0.5+1.c3d``."""
    kind, angle = _mode(key)
    speed = f"{speed_mps(key.speed):g}"
    name = "+".join(
        (key.participant, key.condition, kind, angle, speed, str(key.trial))
    )
    return _c3d_folder(key.participant, key.condition) / f"{name}.c3d"


def static_file(participant: str, condition: str, number: int) -> PurePosixPath:
    """``Vicon/P43/Ideal/P43+Ideal+Static+1.c3d``; ours: none is published."""
    name = f"{participant}+{condition}+Static+{number}.c3d"
    return _c3d_folder(participant, condition) / name


def elonxi_file(key: TrialKey, probe: int) -> PurePosixPath:
    """``ELONXI/P43/Ideal/AS_5/US_Ch1_S_0x5_Trial_1.txt``, probes from 1."""
    folder = "Inter-day" if key.condition == "InterDay" else key.condition
    name = f"US_Ch{probe}_{key.speed}_Trial_{key.trial}.txt"
    return PurePosixPath(FOLDER, ELONXI, key.participant, folder, key.mode, name)


def noraxon_file(key: TrialKey) -> PurePosixPath:
    """``Noraxon/P43/Ideal-AS-5-0x5-1.mat``."""
    kind, angle = _mode(key)
    speed = key.speed.removeprefix("S_")
    name = "-".join((key.condition, kind, angle, speed, str(key.trial)))
    return PurePosixPath(FOLDER, NORAXON, key.participant, f"{name}.mat")


def _c3d_folder(participant: str, condition: str) -> PurePosixPath:
    folder = "Inter-day" if condition == "InterDay" else condition
    folder = "Shift" if folder.startswith("Shift") else folder
    return PurePosixPath(FOLDER, VICON, participant, folder)


def _mode(key: TrialKey) -> tuple[str, str]:
    return key.mode[:2], f"{abs(slope_deg(key.mode)):g}"
