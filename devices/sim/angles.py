"""Joint angles in the sense of Plug-in Gait, from the true segment frames.

The foot's flexion axis is the tibia's in this model, so inversion is not its own
degree of freedom: the ankle's three angles are those of the foot's long axis and the
tibia. `StaticOffsets` are what a static trial of this person in calm stance yields.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.sim.body import Pose
from devices.sim.vectors import columns, cross, dot, from_yxz, relative, to_yxz, unit

Array = NDArray[np.float64]
_OUTWARD = np.array([1.0, -1.0])


@dataclass(frozen=True, slots=True)
class StaticOffsets:
    """Foot offsets of Plug-in Gait, radians, (2,): left, right."""

    plantar_flexion: Array
    rotation: Array


def uncorrected_foot(pose: Pose) -> Array:
    """Return foot frames (n, 2, 3, 3): x ankle to toe marker, y from the tibia."""
    x = unit(pose.feet.toe - pose.feet.ankle)
    z = unit(cross(x, pose.shank[..., 1]))
    return columns(x, cross(z, x), z)


def static_offsets(pose: Pose) -> StaticOffsets:
    """Return the mean offsets of the sole's axis over a calm stance."""
    foot = uncorrected_foot(pose)
    axis = pose.feet.axes[..., 0]
    local = [dot(foot[..., i], axis) for i in range(3)]
    flexion = np.arctan2(local[2], local[0]).mean(axis=0)
    rotation = (-_OUTWARD * np.arcsin(local[1])).mean(axis=0)
    return StaticOffsets(flexion, rotation)


def joint_angles_deg(pose: Pose, offsets: StaticOffsets) -> dict[str, Array]:
    """Return ``LHipAngles`` to ``RAnkleAngles``, each (n, 3) in degrees.

    Components: flexion (dorsiflexion), adduction (varus, inversion), internal rotation.
    """
    y, x, z = to_yxz(relative(pose.pelvis.axes[:, None], pose.thigh))
    hip = np.stack([-y, -_OUTWARD * x, -_OUTWARD * z], axis=-1)
    y, x, z = to_yxz(relative(pose.thigh, pose.shank))
    knee = np.stack([y, -_OUTWARD * x, -_OUTWARD * z], axis=-1)
    y, x, z = to_yxz(relative(pose.shank, _corrected_foot(pose, offsets)))
    ankle = np.stack([-np.pi / 2 - y, -_OUTWARD * z, -_OUTWARD * x], axis=-1)
    return {
        f"{side}{joint}Angles": np.degrees(value[:, i])
        for i, side in enumerate("LR")
        for joint, value in (("Hip", hip), ("Knee", knee), ("Ankle", ankle))
    }


def _corrected_foot(pose: Pose, offsets: StaticOffsets) -> Array:
    """Return foot frames in the model's axes: x up, y left, z back."""
    foot = uncorrected_foot(pose)
    axes = columns(foot[..., 2], foot[..., 1], -foot[..., 0])
    nothing = np.zeros(2)
    pitch = from_yxz(-offsets.plantar_flexion, nothing, nothing)
    turn = from_yxz(nothing, -_OUTWARD * offsets.rotation, nothing)
    corrected: Array = np.einsum("nsij,sjk,skl->nsil", axes, pitch, turn)
    return corrected
