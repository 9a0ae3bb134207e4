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

from acquire.dataset.c3d import OWN_SOFTWARE, C3dError, C3dEvent, C3dPlate
from acquire.storage.durable import replace_atomically

Floats = NDArray[np.float64]

MOST_FRAMES: Final = 32_767  #: more are misread by some readers
MOST_ANALOGS: Final = 255
MOST_EVENTS: Final = 255
INT16: Final = 2
MM: Final = 1000.0
_FORCE, _LENGTH, _MOMENT, _VOLT = (1.0, "N"), (MM, "mm"), (MM, "Nmm"), (1.0, "V")
CHANNELS: Final[Mapping[int, Mapping[str, tuple[float, str]]]] = {
    1: dict.fromkeys(("Fx", "Fy", "Fz"), _FORCE)
    | dict.fromkeys(("Px", "Py"), _LENGTH)
    | {"Mz": _MOMENT},
    2: dict.fromkeys(("Fx", "Fy", "Fz"), _FORCE)
    | dict.fromkeys(("Mx", "My", "Mz"), _MOMENT),
    3: dict.fromkeys(
        ("Fx12_", "Fx34_", "Fy14_", "Fy23_", *(f"Fz{k}_" for k in range(1, 5))),
        _FORCE,
    ),
    4: {f"C{k}_": _VOLT for k in range(1, 7)},
}
"""Channels of each type of plate: names, and factor and unit in the file."""
OUTPUTS: Final[Mapping[str, tuple[float, str]]] = {
    "ANGLES": (1.0, "deg"),
    "FORCES": (1.0, "N"),
    "MOMENTS": (MM, "Nmm"),
    "POWERS": (1.0, "W"),
}
"""Groups of model outputs; their units, as Nexus writes them, leave out "per kg"."""


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
    outputs: Mapping[str, Mapping[str, Floats]] | None = None,
    first_frame: int = 1,
    software: str = OWN_SOFTWARE,
) -> Path:
    """Write one file, in one step in place of an earlier one.

    `markers_m` holds (n, 3) per label; `analogs` rows (n · analog rate / rate,) and
    their unit; `plates` add their own channels, 6 or for type 3 eight; event times are
    s from the first frame, `processing` the subject's parameters as Nexus names them.
    `outputs` holds (n, 3) by group (`OUTPUTS`) and label, in deg, N/kg, N·m/kg and
    W/kg. `first_frame` counts from 1 at the start of the capture; `software` is who
    the file says it is from.

    Raises
    ------
    C3dError
        There are more frames, channels or events than other readers take, or lengths
        differ.
    """
    outputs = outputs or {}
    model = {
        label: rows * OUTPUTS[group][0]
        for group, part in outputs.items()
        for label, rows in part.items()
    }
    n = _check_length(path, {**markers_m, **model})
    per_frame = round(analog_rate_hz / rate_hz)
    channels = dict(analogs or {})
    for number, plate in enumerate(plates, 1):
        channels |= _plate_channels(path, number, plate)
    if len(channels) > MOST_ANALOGS:
        raise C3dError(f"{path}: {len(channels)} analog channels; 255 at most")
    if len(events) > MOST_EVENTS:
        raise C3dError(f"{path}: {len(events)} events; 255 at most")
    for name, (row, _) in channels.items():
        if len(row) != n * per_frame:
            raise C3dError(
                f"{path}: channel {name} has {len(row)} samples, not {n} x {per_frame}"
            )
    file = ezc3d.c3d()
    points = {**{name: rows * MM for name, rows in markers_m.items()}, **model}
    _put_points(file, points, n, rate_hz)
    for group, part in outputs.items():
        file.add_parameter("POINT", group, list(part))
        file.add_parameter("POINT", f"{group[:-1]}_UNITS", [OUTPUTS[group][1]])
    own = file["parameters"]["ANALOG"]
    own["RATE"]["value"] = [float(rate_hz * per_frame)]
    own["LABELS"]["value"] = list(channels)
    own["UNITS"]["value"] = [unit for _, unit in channels.values()]
    rows = [row for row, _ in channels.values()]
    file["data"]["analogs"] = np.asarray(rows).reshape(1, len(rows), n * per_frame)
    if plates:
        _put_plates(file, plates, len(channels))
    if events:
        _put_events(file, events, (first_frame - 1) / rate_hz)
    file.add_parameter("MANUFACTURER", "SOFTWARE", [software])
    for name, value in (processing or {}).items():
        file.add_parameter("PROCESSING", name, [float(value)])
    file["header"]["points"]["first_frame"] = first_frame - 1
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.stem}.{os.getpid()}.tmp.c3d")
    try:
        file.write(str(tmp))
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    return path


def _plate_channels(
    path: Path, number: int, plate: C3dPlate
) -> dict[str, tuple[Floats, str]]:
    """Return a plate's channels in the file's units, by label."""
    layout = CHANNELS.get(plate.kind)
    if layout is None or plate.channels.shape[1:] != (len(layout),):
        raise C3dError(
            f"{path}: plate {number} is of type {plate.kind} with channels of shape "
            f"{plate.channels.shape}; types 1, 2 and 4 have 6, type 3 has 8"
        )
    if plate.kind == 4 and plate.matrix is None:
        raise C3dError(f"{path}: plate {number} is of type 4 without its matrix")
    return {
        f"{name}{number}": (plate.channels[:, k] * scale, unit)
        for k, (name, (scale, unit)) in enumerate(layout.items())
    }


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
    points: Mapping[str, Floats],
    n: int,
    rate_hz: float,
) -> None:
    own = file["parameters"]["POINT"]
    own["RATE"]["value"] = [float(rate_hz)]
    own["UNITS"]["value"] = ["mm"]
    own["LABELS"]["value"] = list(points)
    data = np.ones((4, len(points), n))
    residuals = np.zeros((1, len(points), n))
    for k, rows in enumerate(points.values()):
        hidden = ~np.isfinite(rows).all(axis=1)
        data[:3, k] = np.where(hidden, 0.0, rows.T)
        residuals[0, k, hidden] = -1
    file["data"]["points"] = data
    file["data"]["meta_points"]["residuals"] = residuals
    file["data"]["meta_points"]["camera_masks"] = np.zeros(
        (7, len(points), n), dtype=bool
    )


def _put_plates(
    file: Any,  # noqa: ANN401
    plates: Sequence[C3dPlate],
    n_channels: int,
) -> None:
    widths = [plate.channels.shape[1] for plate in plates]
    numbers = np.zeros((max(widths), len(plates)))
    first = n_channels - sum(widths) + 1
    for k, width in enumerate(widths):
        numbers[:width, k] = np.arange(first, first + width)
        first += width
    parameters: dict[str, Any] = {
        "USED": [len(plates)],
        "TYPE": [plate.kind for plate in plates],
        "ZERO": [0, 0],
        "CORNERS": np.stack([p.corners_m.T * MM for p in plates], axis=2),
        "ORIGIN": np.stack([p.origin_m * MM for p in plates], axis=1),
        "CHANNEL": numbers,
    }
    if any(plate.kind == 4 for plate in plates):
        to_file = np.array([1, 1, 1, MM, MM, MM])[:, None]  # moments in N mm
        parameters["CAL_MATRIX"] = np.stack(
            [np.eye(6) if p.matrix is None else p.matrix * to_file for p in plates],
            axis=2,
        )
    for name, value in parameters.items():
        file.add_parameter("FORCE_PLATFORM", name, value)
        if name in ("USED", "TYPE", "ZERO", "CHANNEL"):
            file["parameters"]["FORCE_PLATFORM"][name]["type"] = INT16


def _put_events(
    file: Any,  # noqa: ANN401
    events: Sequence[C3dEvent],
    start_s: float,
) -> None:
    times = np.array([divmod(event.time_s + start_s, 60.0) for event in events]).T
    for name, value in (
        ("USED", [len(events)]),
        ("CONTEXTS", [event.context for event in events]),
        ("LABELS", [event.label for event in events]),
        ("TIMES", times),
    ):
        file.add_parameter("EVENT", name, value)
    file["parameters"]["EVENT"]["USED"]["type"] = INT16
