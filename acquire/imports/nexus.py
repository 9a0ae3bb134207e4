"""A C3D file as the Vicon streams of a trial, and what it says besides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import FRAME_HZ
from acquire.dataset.c3d import C3dError, C3dFile, read_c3d
from acquire.dataset.c3d_gait import PROCESSING_NAMES, force_plates
from acquire.dataset.source_tree.vicon import ASIS_NAMES, SIMULATED
from acquire.gait.plate_types import PlateError
from acquire.imports.errors import SourceFileError
from acquire.imports.profile import ViconFiles
from acquire.imports.streams import force_stream, marker_stream, recorded
from acquire.storage.recording import RecordedStream
from devices.stream import Channel, StreamSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NexusTrial:
    """Streams of one C3D file; `rise_s` is the line's rise on their clock.

    `measures` are the body's, by our names in mm and kg.
    """

    streams: tuple[RecordedStream, ...]
    rise_s: float
    facing: str
    measures: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_nexus(
    path: Path,
    layout: ViconFiles,
    slope_deg: float,
    facing: str,
    *,
    simulated: bool,
) -> NexusTrial:
    """Read markers, plates, the trigger line and events.

    `slope_deg` is the deck's, uphill positive as the person walks; `facing` which way
    they do (+x is ``forward``), or ``markers`` to tell by the pelvis.

    Raises
    ------
    SourceFileError
        The file is no C3D, below 100 Hz, without markers, or lacks the declared line;
        or it is marked as virtual where the profile says it is real.
    """
    try:
        file = read_c3d(path)
        plates, loads = force_plates(file)
    except (C3dError, PlateError) as error:
        raise SourceFileError(str(error)) from error
    if bool(file.processing.get(SIMULATED, 0.0)) != simulated:
        is_one, says = ("virtual", "real") if not simulated else ("real", "virtual")
        raise SourceFileError(
            f"{path.name} is {is_one} but the profile says {says} (simulated: "
            f"{str(simulated).lower()})"
        )
    if file.rate_hz < FRAME_HZ - 1e-3:
        raise SourceFileError(
            f"{path.name}: {file.rate_hz:g} frames a second; subject files hold "
            f"{FRAME_HZ:g}, and frames are never made up"
        )
    markers = _markers(file, layout)
    if not markers:
        raise SourceFileError(f"{path.name} has no labelled marker")
    last = file.first_frame + file.n_frames
    span = (1, last) if layout.first_frame == "rise" else None
    facing = facing_of(markers) if facing == "markers" else facing
    incline_deg = -slope_deg if facing == "reversed" else slope_deg
    streams = [
        marker_stream(
            markers, file.rate_hz, file.first_frame, span, simulated=simulated
        )
    ]
    line = _line(file, layout)
    per_frame = round(file.analog_rate_hz / file.rate_hz)
    if plates or line is not None:
        streams.append(
            force_stream(
                list(zip(plates, loads, strict=True)),
                line,
                file.analog_rate_hz,
                file.first_frame * per_frame,
                incline_deg,
                simulated=simulated,
            )
        )
    if file.events:
        streams.append(_events(file, simulated=simulated))
    remarks = []
    if len(markers) < len(file.markers_m):
        n = len(file.markers_m) - len(markers)
        remarks.append(f"{path.name}: {n} unlabelled trajectories left out")
    if not plates:
        remarks.append(f"{path.name} has no force plates")
    return NexusTrial(
        tuple(streams), _rise_s(file, line), facing, _measures(file), tuple(remarks)
    )


def facing_of(markers_m: Mapping[str, Floats]) -> str:
    """Tell by the pelvis whether somebody walks to +x (``forward``) or to -x."""

    def middle(*names: str) -> Floats:
        rows = [markers_m[name] for name in names if name in markers_m]
        if not rows or not np.isfinite(rows).any():
            return np.full(3, np.nan)
        return np.asarray(np.nanmean(np.concatenate(rows), axis=0))

    ahead = middle("LASI", "RASI") - middle("LPSI", "RPSI", "SACR")
    return "reversed" if ahead[0] < -abs(ahead[1]) else "forward"


def _markers(file: C3dFile, layout: ViconFiles) -> dict[str, Floats]:
    return {
        layout.rename.get(label, label): rows
        for label, rows in file.markers_m.items()
        if not label.startswith("*")
    }


def _line(file: C3dFile, layout: ViconFiles) -> Floats | None:
    if layout.sync is None:
        return None
    if layout.sync not in file.analogs:
        have = ", ".join(file.analogs) or "none"
        raise SourceFileError(
            f"{file.path.name} has no analog channel {layout.sync!r} (vicon.sync); it "
            f"has {have}"
        )
    return np.asarray(file.analogs[layout.sync], dtype=np.float64)


def _rise_s(file: C3dFile, line: Floats | None) -> float:
    """Return the rise on the frames' clock: frame 1, or the line's first edge."""
    if line is None:
        return 1 / file.rate_hz
    low, high = float(np.nanmin(line)), float(np.nanmax(line))
    first = np.flatnonzero(line > (low + high) / 2)
    if high - low < 0.5 or not first.size or first[0] == 0:
        return 1 / file.rate_hz
    return file.first_frame / file.rate_hz + float(first[0]) / file.analog_rate_hz


def _events(file: C3dFile, *, simulated: bool) -> RecordedStream:
    """Return the file's events as text; the build finds its own."""
    texts = [
        {
            "event": "c3d_event",
            "context": event.context,
            "label": event.label,
            "time_s": round(event.time_s, 6),
        }
        for event in file.events
    ]
    spec = StreamSpec("kinemuse-events", "Markers", 0.0, (Channel("event"),), "string")
    data = np.array([[json.dumps(text)] for text in texts], dtype=object)
    at = file.first_frame / file.rate_hz + np.array([e.time_s for e in file.events])
    return recorded(spec, data, at, simulated=simulated)


def _measures(file: C3dFile) -> dict[str, float]:
    names = {**PROCESSING_NAMES, **ASIS_NAMES}
    return {
        ours: float(f"{file.processing[theirs]:.7g}")  # as far as a float32 says
        for ours, theirs in names.items()
        if file.processing.get(theirs, 0.0) != 0
    }
