"""A small Plug-in Gait of the tests' own: markers in mm to joint angles in degrees.

Written with scipy rotations and root finding, sharing nothing with the walker.
"""

import numpy as np
from scipy.spatial.transform import Rotation

LABELS = [
    "LASI",
    "RASI",
    "LPSI",
    "RPSI",
    "LTHI",
    "LKNE",
    "LTIB",
    "LANK",
    "LHEE",
    "LTOE",
    "RTHI",
    "RKNE",
    "RTIB",
    "RANK",
    "RHEE",
    "RTOE",
]


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def joint_centre(proximal, lateral, wand, offset):
    """Point at `offset` from `lateral`, in the plane of the three, right-angled."""
    span = lateral - proximal
    distance = np.linalg.norm(span, axis=-1, keepdims=True)
    along = unit(span)
    out = wand - proximal
    side = unit(out - np.sum(out * along, -1, keepdims=True) * along)
    angle = np.arcsin(offset / distance)
    length = np.sqrt(distance**2 - offset**2)
    return proximal + length * (np.cos(angle) * along - np.sin(angle) * side)


def frame(x, y, z):
    return np.stack([x, y, z], axis=-1)


def segments(markers_mm, person):
    p = {label: markers_mm[:, i] for i, label in enumerate(LABELS)}
    r = person.marker_diameter_mm / 2
    y = unit(p["LASI"] - p["RASI"])
    middle = (p["LASI"] + p["RASI"]) / 2
    z = unit(np.cross(middle - (p["LPSI"] + p["RPSI"]) / 2, y))
    pelvis = frame(np.cross(y, z), y, z)
    width = np.linalg.norm(p["LASI"] - p["RASI"], axis=-1).mean()
    leg = person.leg_length_mm
    c = leg * 0.115 - 15.3
    back = 0.1288 * leg - 48.56 + r
    found = {"pelvis": pelvis}
    for s, sign in (("L", 1), ("R", -1)):
        hip = middle + np.einsum(
            "nij,j->ni",
            pelvis,
            [
                c * np.cos(0.5) * np.sin(0.314) - back * np.cos(0.314),
                sign * (width / 2 - c * np.sin(0.5)),
                -c * np.cos(0.5) * np.cos(0.314) - back * np.sin(0.314),
            ],
        )
        knee = joint_centre(
            hip, p[s + "KNE"], p[s + "THI"], person.knee_width_mm / 2 + r
        )
        ankle = joint_centre(
            knee, p[s + "ANK"], p[s + "TIB"], person.ankle_width_mm / 2 + r
        )
        for name, top, bottom, outer in (
            ("thigh", hip, knee, p[s + "KNE"]),
            ("shank", knee, ankle, p[s + "ANK"]),
        ):
            z = unit(top - bottom)
            x = unit(np.cross(sign * (outer - bottom), z))
            found[s + name] = frame(x, np.cross(z, x), z)
        x = unit(p[s + "TOE"] - ankle)
        z = unit(np.cross(x, found[s + "shank"][..., 1]))
        found[s + "foot"] = frame(x, np.cross(z, x), z)
        found[s + "sole"] = p[s + "TOE"] - p[s + "HEE"]
        found[s + "hip"], found[s + "knee"], found[s + "ankle"] = hip, knee, ankle
    return found


def static(found, flat_up=(0.0, 0.0, 1.0)):
    """Mean plantar flexion and rotation offsets of each foot, radians."""
    offsets = {}
    for s, sign in (("L", 1), ("R", -1)):
        sole = found[s + "sole"]
        sole = unit(sole - np.outer(sole @ np.array(flat_up), flat_up))
        local = np.einsum("nji,nj->ni", found[s + "foot"], sole)
        offsets[s] = (
            np.arctan2(local[:, 2], local[:, 0]).mean(),
            np.mean(-sign * np.arcsin(local[:, 1])),
        )
    return offsets


def cardan(a, b):
    """Angles (y, x, z) in degrees of b seen from a."""
    seen = np.einsum("nji,njk->nik", a, b)
    return Rotation.from_matrix(seen).as_euler("YXZ", degrees=True)


def angles(found, offsets):
    out = {}
    for s, sign in (("L", 1), ("R", -1)):
        hip = cardan(found["pelvis"], found[s + "thigh"])
        out[s + "HipAngles"] = hip * [-1, -sign, -sign]
        knee = cardan(found[s + "thigh"], found[s + "shank"])
        out[s + "KneeAngles"] = knee * [1, -sign, -sign]
        flexion, rotation = offsets[s]
        f = found[s + "foot"]
        upright = frame(f[..., 2], f[..., 1], -f[..., 0])
        turned = Rotation.from_euler("YX", [-flexion, -sign * rotation]).as_matrix()
        ankle = cardan(found[s + "shank"], upright @ turned)
        out[s + "AnkleAngles"] = np.stack(
            [-90 - ankle[:, 0], -sign * ankle[:, 2], -sign * ankle[:, 1]], axis=-1
        )
    return out
