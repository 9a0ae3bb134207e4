"""Write C3D files that other readers understand: points, analogs, plates, events.

Positions go in as m and into the file as mm; a hidden marker is stored as zero with
residual -1, because a literal NaN reads as a valid point elsewhere.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import ezc3d
import numpy as np
from numpy.typing import NDArray

from acquire.dataset.c3d import C3dError, C3dEvent, C3dPlate
from acquire.storage.durable import replace_atomically

Floats = NDArray[np.float64]

MOST_FRAMES: Final = 32_767  #: more are misread by some readers
MOST_ANALOGS: Final = 255
INT16: Final = 2
MM: Final = 1000.0


def write_c3d(
    path: Path,
    markers_m: Mapping[str, Floats],
    rate_hz: float,
    *,
    analogs: Mapping[str, tuple[Floats, str]] | None = None,
    analog_rate_hz: float = 1000.0,
    plates: Sequence[C3dPlate] = (),
    events: Sequence[C3dEvent] = (),
    processing: Mapping[str, float] | None = None,
) -> Path:
    """Write one file, in one step in place of an earlier one.

    `markers_m` holds (n, 3) per label; `analogs` rows (n · analog rate / rate,) and
    their unit; `plates` of type 2 add six channels each; event times are s from the
    first frame, `processing` the subject's parameters as Nexus names them.

    Raises
    ------
    C3dError
        There are more frames or channels than other readers take, or lengths differ.
    """
    n = _check_length(path, markers_m)
    per_frame = round(analog_rate_hz / rate_hz)
    channels = dict(analogs or {})
    for number, plate in enumerate(plates, 1):
        if plate.kind != 2:
            raise C3dError(f"{path}: plate {number} is not of type 2")
        for k, name in enumerate(("Fx", "Fy", "Fz", "Mx", "My", "Mz")):
            scale, unit = (1.0, "N") if k < 3 else (MM, "Nmm")
            channels[f"{name}{number}"] = (plate.channels[:, k] * scale, unit)
    if len(channels) > MOST_ANALOGS:
        raise C3dError(f"{path}: {len(channels)} analog channels; 255 at most")
    for name, (row, _) in channels.items():
        if len(row) != n * per_frame:
            raise C3dError(
                f"{path}: channel {name} has {len(row)} samples, not {n} x {per_frame}"
            )
    file = ezc3d.c3d()
    _put_points(file, markers_m, n, rate_hz)
    own = file["parameters"]["ANALOG"]
    own["RATE"]["value"] = [float(rate_hz * per_frame)]
    own["LABELS"]["value"] = list(channels)
    own["UNITS"]["value"] = [unit for _, unit in channels.values()]
    rows = [row for row, _ in channels.values()]
    file["data"]["analogs"] = np.asarray(rows).reshape(1, len(rows), n * per_frame)
    if plates:
        _put_plates(file, plates, len(channels))
    if events:
        _put_events(file, events)
    for name, value in (processing or {}).items():
        file.add_parameter("PROCESSING", name, [float(value)])
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.stem}.{os.getpid()}.tmp.c3d")
    try:
        file.write(str(tmp))
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    return path


def _check_length(path: Path, markers_m: Mapping[str, Floats]) -> int:
    lengths = {len(rows) for rows in markers_m.values()}
    if len(lengths) != 1:
        raise C3dError(f"{path}: markers have {sorted(lengths)} frames, not one number")
    (n,) = lengths
    if not 0 < n <= MOST_FRAMES:
        raise C3dError(
            f"{path}: {n} frames; from 1 to {MOST_FRAMES} can be read by others, write "
            "it in parts"
        )
    return n


def _put_points(
    file: Any,  # noqa: ANN401 (ezc3d has no types)
    markers_m: Mapping[str, Floats],
    n: int,
    rate_hz: float,
) -> None:
    own = file["parameters"]["POINT"]
    own["RATE"]["value"] = [float(rate_hz)]
    own["UNITS"]["value"] = ["mm"]
    own["LABELS"]["value"] = list(markers_m)
    points = np.ones((4, len(markers_m), n))
    residuals = np.zeros((1, len(markers_m), n))
    for k, rows in enumerate(markers_m.values()):
        hidden = ~np.isfinite(rows).all(axis=1)
        points[:3, k] = np.where(hidden, 0.0, rows.T * MM)
        residuals[0, k, hidden] = -1
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = residuals
    file["data"]["meta_points"]["camera_masks"] = np.zeros(
        (7, len(markers_m), n), dtype=bool
    )


def _put_plates(
    file: Any,  # noqa: ANN401
    plates: Sequence[C3dPlate],
    n_channels: int,
) -> None:
    first = n_channels - 6 * len(plates)
    numbers = np.arange(first + 1.0, n_channels + 1).reshape(-1, 6).T
    for name, value in (
        ("USED", [len(plates)]),
        ("TYPE", [plate.kind for plate in plates]),
        ("ZERO", [0, 0]),
        ("CORNERS", np.stack([p.corners_m.T * MM for p in plates], axis=2)),
        ("ORIGIN", np.stack([p.origin_m * MM for p in plates], axis=1)),
        ("CHANNEL", numbers),
    ):
        file.add_parameter("FORCE_PLATFORM", name, value)
        if name in ("USED", "TYPE", "ZERO", "CHANNEL"):
            file["parameters"]["FORCE_PLATFORM"][name]["type"] = INT16


def _put_events(
    file: Any,  # noqa: ANN401
    events: Sequence[C3dEvent],
) -> None:
    times = np.array([divmod(event.time_s, 60.0) for event in events]).T
    for name, value in (
        ("USED", [len(events)]),
        ("CONTEXTS", [event.context for event in events]),
        ("LABELS", [event.label for event in events]),
        ("TIMES", times),
    ):
        file.add_parameter("EVENT", name, value)
    file["parameters"]["EVENT"]["USED"]["type"] = INT16
