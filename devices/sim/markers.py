"""The sixteen markers of the Plug-in Gait lower body, glued to the true segments."""

import numpy as np
from numpy.typing import NDArray

from devices.sim.anatomy import Anatomy
from devices.sim.body import Pose
from devices.sim.vectors import turn

Array = NDArray[np.float64]

MARKERS = (
    "LASI", "RASI", "LPSI", "RPSI",
    "LTHI", "LKNE", "LTIB", "LANK", "LHEE", "LTOE",
    "RTHI", "RKNE", "RTIB", "RANK", "RHEE", "RTOE",
)  # fmt: skip


def place_markers(anatomy: Anatomy, pose: Pose) -> Array:
    """Return marker centres (n, 16, 3), metres, in the order of `MARKERS`.

    Knee and ankle markers sit on the joints' axes and wands in the planes those make
    with the segments, as a careful examiner would place them.
    """
    outward = np.array([1.0, -1.0])[:, None]
    thigh_y = pose.thigh[..., 1] * outward
    shank_y = pose.shank[..., 1] * outward
    thigh_up = anatomy.thigh_m * anatomy.thigh_wand[:, None] * pose.thigh[..., 2]
    shank_up = anatomy.shank_m * anatomy.shank_wand[:, None] * pose.shank[..., 2]
    leg = np.stack(
        [
            pose.knee + thigh_up + anatomy.wand_m * thigh_y,
            pose.knee + anatomy.knee_offset_m * thigh_y,
            pose.feet.ankle + shank_up + 0.8 * anatomy.wand_m * shank_y,
            pose.feet.ankle + anatomy.ankle_offset_m * shank_y,
            pose.feet.heel,
            pose.feet.toe,
        ],
        axis=2,
    )
    centre, axes = pose.pelvis.centre, pose.pelvis.axes
    pelvis = [centre + turn(axes, at) for at in anatomy.pelvis_markers]
    return np.concatenate([np.stack(pelvis, axis=1), leg[:, 0], leg[:, 1]], axis=1)
