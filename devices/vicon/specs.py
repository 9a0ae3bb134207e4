"""Stream descriptions of a Vicon session, metadata as XDF readers expect them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.stream import Channel, Counter, StreamSpec, TriggerInput
from devices.vicon.config import ViconConfig
from devices.vicon.layout import FORCE, MOMENT, Layout, Plate, corners_m, incline_deg

MARKERS = "vicon-markers"
FORCES = "vicon-forces"
SEGMENTS = "vicon-segments"
UNLABELED = "vicon-unlabeled"
COUNTER_MODULUS = 2**24

_NOTE = (
    "frame numbers are those of the vendor's SDK: one more than the wire's FrameID; "
    "frame f is taken when sub-sample 0 of index f*n is, n sub-samples per frame"
)


def marker_spec(layout: Layout, config: ViconConfig) -> StreamSpec:
    """Describe `vicon-markers`."""
    positions = tuple(
        Channel(f"{label}_{axis}", "meters", f"Position{axis}")
        for label in layout.marker_labels
        for axis in "XYZ"
    )
    setup = {
        "name": layout.subjects[0],
        "subjects": list(layout.subjects),
        "ignored_subjects": list(layout.ignored),
        "markers": list(layout.marker_labels),
    }
    return _per_frame(MARKERS, positions, layout, config, setup)


def segment_spec(layout: Layout, config: ViconConfig) -> StreamSpec:
    """Describe `vicon-segments`: global poses, quaternions with the scalar last."""
    poses = tuple(
        Channel(f"{label}_{part}", unit, kind)
        for label in layout.segment_labels
        for part, unit, kind in (
            *((axis, "meters", f"Position{axis}") for axis in "XYZ"),
            *((f"Q{axis}", "quaternion", f"Orientation{axis}") for axis in "XYZW"),
        )
    )
    setup = {
        "subjects": list(layout.subjects),
        "segments": list(layout.segment_labels),
        "orientation": "unit quaternion x, y, z, w, segment to world; w >= 0",
    }
    return _per_frame(SEGMENTS, poses, layout, config, setup)


def unlabeled_spec(layout: Layout, config: ViconConfig) -> StreamSpec:
    """Describe `vicon-unlabeled`: how many there were, then the first of them."""
    channels = (
        Channel("n", "", "Count"),
        *(
            Channel(f"U{i}_{axis}", "meters", f"Position{axis}")
            for i in range(1, config.unlabeled_markers + 1)
            for axis in "XYZ"
        ),
    )
    order = "as sent: a place is not the same marker from frame to frame"
    return _per_frame(UNLABELED, channels, layout, config, {"order": order})


def _per_frame(
    name: str,
    channels: tuple[Channel, ...],
    layout: Layout,
    config: ViconConfig,
    setup: Mapping[str, Any],
) -> StreamSpec:
    """Describe a stream of one row per frame, whose first column is its number."""
    axes = {"coordinate_system": "right-handed, Z up"}
    return StreamSpec(
        name=name,
        type="MoCap",
        rate_hz=layout.frame_hz,
        channels=(Channel("frame", "", "FrameNumber"), *channels),
        serial=config.serial,
        counter=Counter("device", "frame", COUNTER_MODULUS),
        metadata={**_common(), "setup": {**setup, **axes}},
    )


def force_spec(layout: Layout, config: ViconConfig, n_per_frame: int) -> StreamSpec:
    """Describe `vicon-forces`; `n_per_frame` sub-samples belong to one frame."""
    loads = [
        Channel(f"{plate.label}_{name}", unit, f"{kind}{name[1].upper()}")
        for plate in layout.plates
        for names, unit, kind in (
            (FORCE, "newtons", "Force"),
            (MOMENT, "newton-meters", "Moment"),
        )
        for name in names
    ]
    sync = [Channel("sync", "V", "Sync")] if layout.sync else []
    trigger = TriggerInput("sync", edge_delay_s=config.sync_edge_delay_s)
    return StreamSpec(
        name=FORCES,
        type="Force",
        rate_hz=layout.frame_hz * n_per_frame,
        channels=(*loads, *sync, Channel("index", "", "SampleNumber")),
        serial=config.serial,
        counter=Counter("device", "index", COUNTER_MODULUS),
        trigger=trigger if layout.sync else None,
        metadata={
            **_common(),
            "samples_per_frame": n_per_frame,
            "force_convention": (
                "force on the plate, in plate axes; moments about the plate origin"
            ),
            "pose_incline_deg": _pose_incline(layout, config),
            "plates": {plate.label: _plate(plate, config) for plate in layout.plates},
        },
    )


def _common() -> dict[str, Any]:
    return {
        "acquisition": {
            "manufacturer": "Vicon",
            "model": "DataStream",
            "protocol": "CGStream",
            "numbering": _NOTE,
        },
        "synchronization": {"can_drop_samples": "true"},
    }


def _pose_incline(layout: Layout, config: ViconConfig) -> float:
    if config.pose_incline_deg is not None:
        return config.pose_incline_deg
    angles = [incline_deg(plate.pose) for plate in layout.plates if plate.pose]
    return round(float(np.mean(angles)), 4) if angles else 0.0


def _plate(plate: Plate, config: ViconConfig) -> Mapping[str, Any]:
    if plate.pose is None:
        return {"device": plate.name}
    pose, incline = plate.pose, config.pose_incline_deg
    if incline is None:
        incline = incline_deg(pose)
    return {
        "device": plate.name,
        "translation_m": _rounded(pose.translation_mm / 1000.0),
        "rotation": _rounded(pose.rotation),
        "corners_m": _rounded(corners_m(pose)),
        "local_translation_m": _rounded(pose.local_translation_mm / 1000.0),
        "local_rotation": _rounded(pose.local_rotation),
        "pose_incline_deg": round(incline, 4),
    }


def _rounded(values: NDArray[np.float64]) -> list[Any]:
    """Plain nested lists, without the float32 tail of the wire."""
    rounded: list[Any] = np.round(values, 7).tolist()
    return rounded
