"""Model outputs that Nexus computed, put in the place of ours.

A processed file knows nothing of our clock: its frames are placed by its markers, which
must be where they were recorded. Frame 1 is expected at trial time 0, where the capture
began.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from acquire.dataset.c3d import OWN_SOFTWARE, C3dFile, read_c3d
from acquire.gait.model_trial import ModelOutputs
from acquire.gait.plug_in_gait import ANGLES, FORCES, MOMENTS, POWERS
from acquire.nexus_folder import NexusError

Floats = NDArray[np.float64]

NEAR_FRAMES: Final = 5  #: places looked at before any other
MOST_APART_M: Final = 0.005  #: median over markers and frames, smoothing included
LEAST_FRAMES: Final = 50
LEAST_COVER: Final = 0.5
PLAUSIBLE: Final[Mapping[str, tuple[float, float, str]]] = {
    "FORCES": (3.0, 60.0, "N/kg"),
    "MOMENTS": (0.05, 20.0, "N.m/kg"),
    "POWERS": (0.05, 100.0, "W/kg"),
}
"""What the greatest values lie between when forces are per body mass."""


@dataclass(frozen=True, eq=False)
class NexusOutputs:
    """Outputs on trial time, the parameters they rest on, and how they were placed.

    `first_s` is the trial time of the file's first frame; `apart_m` how far the
    file's markers are from those recorded (median).
    """

    model: ModelOutputs
    parameters: Mapping[str, float]
    first_s: float
    apart_m: float


def nexus_outputs(
    path: Path,
    markers_m: Mapping[str, Floats],
    time_s: Floats,
    rate_hz: float,
    duration_s: float,
) -> NexusOutputs:
    """Read a processed file and place it on trial time.

    `markers_m` holds the recorded positions (n, 3) by label at `time_s` (n,),
    multiples of a frame's period; the trial lasts from 0 to `duration_s`.

    Raises
    ------
    NexusError
        Its frame rate is another, its markers are elsewhere, it covers less than half
        of the trial, it has no outputs, they are not per body mass, or not of Nexus.
    """
    file = read_c3d(path)
    if file.software == OWN_SOFTWARE:
        raise NexusError(
            f"{path.name} was written by Kinemuse, its outputs are ours already; give "
            "the folder of the files that Nexus processed"
        )
    if abs(file.rate_hz - rate_hz) > 0.01:
        raise NexusError(
            f"{path.name} has {file.rate_hz:g} frames per second, the recording "
            f"{rate_hz:g}"
        )
    arrays = _arrays(file)
    first, apart = _place(file, markers_m, np.round(time_s * rate_hz).astype(int))
    at = (first + np.arange(file.n_frames)) / rate_hz
    inside = (at >= 0) & (at <= duration_s)
    covered = inside.sum() / max(duration_s * rate_hz, 1.0)
    if covered < LEAST_COVER:
        raise NexusError(
            f"{path.name} covers {covered:.0%} of the trial: its frames are from "
            f"{at[0]:.2f} to {at[-1]:.2f} s of {duration_s:.2f} s"
        )
    remarks: list[str] = []
    if covered < 0.99:
        remarks.append(
            f"{path.name} covers {max(at[0], 0):.2f} to {min(at[-1], duration_s):.2f} "
            f"s of {duration_s:.2f} s; beyond there are no outputs"
        )
    if abs(first - (file.first_frame - 1)) > NEAR_FRAMES:
        remarks.append(
            f"frame {file.first_frame} of {path.name} lies {first / rate_hz:.2f} s "
            "after trial time 0, by its markers"
        )
    model = ModelOutputs(
        at,
        arrays,
        np.zeros(at.size, dtype=bool),
        tuple(remarks),
        source=f"Nexus: {path.name}",
    )
    return NexusOutputs(model, file.processing, first / rate_hz, apart)


def _arrays(file: C3dFile) -> dict[str, Floats]:
    """Return the outputs in our units: deg, N/kg, N·m/kg, W/kg."""
    found: dict[str, Floats] = {}
    for group, names, scale in (
        ("ANGLES", ANGLES, 1.0),
        ("FORCES", FORCES, 1.0),
        ("MOMENTS", MOMENTS, 1e-3),
        ("POWERS", POWERS, 1.0),
    ):
        part = {
            name: file.points[name] * scale for name in names if name in file.points
        }
        known = [rows for rows in part.values() if np.isfinite(rows).any()]
        if group in PLAUSIBLE and known:
            low, high, unit = PLAUSIBLE[group]
            peak = max(float(np.nanmax(np.abs(rows))) for rows in known)
            if not low <= peak <= high:
                raise NexusError(
                    f"{file.path.name}: {group.lower()} reach {peak:.3g} {unit} as "
                    "read; they must be normalised to body mass, with moments in "
                    "N.mm/kg, as Plug-in Gait writes them"
                )
        found |= part
    if not any(name in found for name in ANGLES):
        raise NexusError(
            f"{file.path.name} has no outputs of Plug-in Gait such as {ANGLES[1]}; "
            "run the dynamic gait model in Nexus and save the trial"
        )
    return found


def _place(
    file: C3dFile, markers_m: Mapping[str, Floats], frames: NDArray[np.int_]
) -> tuple[int, float]:
    """Return the frame of trial time at which the file begins, and how well it fits."""
    theirs = file.markers_m
    names = [name for name in theirs if name in markers_m]
    if len(names) < 3:
        raise NexusError(
            f"{file.path.name} shares {len(names)} markers with the recording "
            f"({', '.join(names) or 'none'}); three are needed to place it"
        )
    low = int(frames[0])
    ours = np.full((int(frames[-1]) - low + 1, len(names), 3), np.nan)
    ours[frames - low] = np.stack([markers_m[name] for name in names], axis=1)
    own = np.stack([theirs[name] for name in names], axis=1)
    nominal = file.first_frame - 1 - low
    near = range(nominal - NEAR_FRAMES, nominal + NEAR_FRAMES + 1)
    # Of places that fit alike, as while standing still, the expected one.
    best = min(
        ((_apart(ours, own, k), k) for k in near),
        key=lambda found: (round(found[0], 4), abs(found[1] - nominal)),
    )
    if best[0] > MOST_APART_M:
        every = range(LEAST_FRAMES - len(own), len(ours) - LEAST_FRAMES + 1)
        step = max(len(own) // 100, 1)
        coarse = sorted((_apart(ours, own, k, step), k) for k in every)[:20]
        best = min([best, *((_apart(ours, own, k), k) for _, k in coarse)])
    if best[0] > MOST_APART_M:
        text = f"{best[0] * 1000:.0f} mm" if np.isfinite(best[0]) else "nowhere near"
        raise NexusError(
            f"the markers of {file.path.name} are not those recorded: at best they lie "
            f"{text} apart; it is another trial, or its frames are other ones"
        )
    return best[1] + low, best[0]


def _apart(ours: Floats, own: Floats, shift: int, step: int = 1) -> float:
    """Return the median distance of markers when the file begins at row `shift`."""
    first, last = max(shift, 0), min(shift + len(own), len(ours))
    if last - first < min(LEAST_FRAMES, len(own)):
        return float("inf")
    apart = np.linalg.norm(
        ours[first:last:step] - own[first - shift : last - shift : step], axis=2
    )
    known = apart[np.isfinite(apart)]
    return float(np.median(known)) if known.size else float("inf")
