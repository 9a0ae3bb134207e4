"""A simulated person as the live streams of a laboratory, without a network."""

import numpy as np

from devices.sim.person import MARKERS
from devices.stream import Channel, Counter, StreamSpec

AXES = ("Fx", "Fy", "Fz", "Mx", "My", "Mz")
PLATES = ("FP1", "FP2")


def marker_spec(labels=MARKERS, generation=0) -> StreamSpec:
    xyz = tuple(
        Channel(f"{name}_{axis}", "meters") for name in labels for axis in "XYZ"
    )
    return StreamSpec(
        "vicon-markers",
        "MoCap",
        100.0,
        (Channel("frame"), *xyz),
        counter=Counter("device", "frame"),
        generation=generation,
    )


def force_spec(config) -> StreamSpec:
    places = config.plates
    return StreamSpec(
        "vicon-forces",
        "Force",
        1000.0,
        (
            *(Channel(f"{plate}_{axis}") for plate in PLATES for axis in AXES),
            Channel("index"),
        ),
        counter=Counter("device", "index"),
        metadata={
            "plates": {
                plate: {
                    "rotation": places.rotation().tolist(),
                    "translation_m": places.origin_m(side).tolist(),
                    "corners_m": places.corners_m(side).tolist(),
                    "pose_incline_deg": 0.0,
                }
                for plate, side in zip(PLATES, ("left", "right"), strict=True)
            }
        },
    )


TREADMILL = StreamSpec(
    "treadmill",
    "Treadmill",
    0.0,
    (Channel("left_mps"), Channel("incline_deg"), Channel("facing")),
)


def marker_rows(person, t, first=1000):
    """Rows of the marker stream at times t (n,), frames numbered from `first`."""
    placed = person.markers_m(t).reshape(t.size, -1)
    return np.column_stack([first + np.arange(t.size), placed])


def force_rows(person, t, first=1000):
    """Rows of the force stream for the same frames: ten samples each."""
    fine = np.round(t[0] + np.arange(10 * t.size) / 1000, 3)
    loads = person.plate_loads(fine).reshape(fine.size, 12)
    return np.column_stack([loads, 10 * first + np.arange(fine.size)])
