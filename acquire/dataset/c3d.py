"""Read C3D files: points, plates, analogs, events and parameters, traps handled.

Positions come out in m, moments in N·m, times in s from the file's first frame.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ezc3d
import numpy as np
from numpy.typing import NDArray

from acquire.dataset.c3d_mips import intel_bytes, is_mips

Floats = NDArray[np.float64]

METRES = {"mm": 1e-3, "cm": 1e-2, "m": 1.0}
NEWTON_METRES = {"nmm": 1e-3, "n.mm": 1e-3, "nm": 1.0, "n.m": 1.0}
OWN_SOFTWARE = "Kinemuse"  #: MANUFACTURER:SOFTWARE of files written here
MODEL_GROUPS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")


class C3dError(ValueError):
    """A file is no readable C3D, or contradicts itself."""


@dataclass(frozen=True, eq=False)
class C3dPlate:
    """A force plate as the file describes it; `kind` is the format's type, 1 to 4.

    `channels` (n, 6 or 8) are the plate's own, in N and N·m where they are forces and
    moments; `corners_m` (4, 3) world; `origin_m` (3,) as stored; `matrix` (6, 6) turns
    the channels of type 4 into forces and moments.
    """

    kind: int
    channels: Floats
    corners_m: Floats
    origin_m: Floats
    matrix: Floats | None = None


@dataclass(frozen=True, slots=True)
class C3dEvent:
    """One event, `time_s` after the first frame of the file."""

    time_s: float
    context: str  #: Left, Right or General
    label: str  #: Foot Strike, Foot Off...


@dataclass(frozen=True, eq=False)
class C3dFile:
    """One file. `points` (n, 3) per label in the file's own units, NaN where hidden.

    Labels come without the subject's name. `first_frame` is the number of the first
    frame, counted from 1 at the start of the capture.
    """

    path: Path
    rate_hz: float
    first_frame: int
    points: Mapping[str, Floats]
    metres_per_unit: float
    analogs: Mapping[str, Floats]
    analog_rate_hz: float
    plates: Sequence[C3dPlate]
    events: Sequence[C3dEvent]
    processing: Mapping[str, float]
    model_labels: frozenset[str]
    software: str = ""  #: that wrote the file, as far as it says

    @property
    def n_frames(self) -> int:
        return len(next(iter(self.points.values()), ()))

    @property
    def markers_m(self) -> dict[str, Floats]:
        """Positions by label, in m, without the outputs of models."""
        return {
            label: rows * self.metres_per_unit
            for label, rows in self.points.items()
            if label not in self.model_labels
        }


def read_c3d(path: Path) -> C3dFile:
    """Read a file whole.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    C3dError
        It is not a C3D file, is longer than the reader reaches, or names channels and
        units that are not there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = _content(path)
    except (OSError, RuntimeError, ValueError, IndexError) as error:
        raise C3dError(f"{path}: no readable C3D file ({error})") from error
    parameters = content["parameters"]
    point = _Group(path, parameters, "POINT")
    labels = _names(path, point.texts("LABELS"))
    data, hidden = content["data"]["points"], content["data"]["meta_points"]
    _check_length(path, _Group(path, parameters, "TRIAL"), data.shape[2])
    unit = (point.texts("UNITS") or ["mm"])[0].strip().lower()
    if unit not in METRES:
        raise C3dError(f"{path}: POINT:UNITS is {unit!r}, not one of {list(METRES)}")
    model = {
        name.rpartition(":")[2] for group in MODEL_GROUPS for name in point.texts(group)
    }
    residuals = hidden["residuals"][0]
    points: dict[str, Floats] = {}
    for k, label in enumerate(labels[: data.shape[1]]):
        rows = data[:3, k].T.astype(np.float64)
        lost = residuals[k] < 0
        if label not in model:
            lost |= (rows == 0).all(axis=1)
        rows[lost] = np.nan
        points.setdefault(label, rows)
    rate = point.number("RATE", content["header"]["points"]["frame_rate"])
    first = int(content["header"]["points"]["first_frame"])
    analog = _Group(path, parameters, "ANALOG")
    rows = content["data"]["analogs"][0]
    per_frame = rows.shape[1] / max(data.shape[2], 1)
    return C3dFile(
        path=path,
        rate_hz=rate,
        first_frame=first + 1,
        points=points,
        metres_per_unit=METRES[unit],
        analogs=dict(zip(analog.texts("LABELS"), rows, strict=False)),
        analog_rate_hz=rate * per_frame,
        plates=_plates(_Group(path, parameters, "FORCE_PLATFORM"), rows, analog, unit),
        events=_events(_Group(path, parameters, "EVENT"), first / rate),
        processing=_numbers(parameters.get("PROCESSING", {})),
        model_labels=frozenset(model),
        software=" ".join(_Group(path, parameters, "MANUFACTURER").texts("SOFTWARE")),
    )


def _content(path: Path) -> Any:  # noqa: ANN401 (ezc3d has no types)
    if not is_mips(path):
        return ezc3d.c3d(str(path))
    with TemporaryDirectory() as folder:
        turned = Path(folder) / "intel.c3d"
        turned.write_bytes(intel_bytes(path))
        return ezc3d.c3d(str(turned))


def _names(path: Path, stored: list[str]) -> list[str]:
    """Return labels without the subject's name; refuse two subjects' alike."""
    names = [label.rpartition(":")[2].strip() for label in stored]
    first: dict[str, str] = {}
    for name, label in zip(names, stored, strict=True):
        other = first.setdefault(name, label)
        if other != label and ":" in other and ":" in label:
            raise C3dError(
                f"{path} has {other} and {label}; export one subject to a file"
            )
    return names


class _Group:
    """Parameters of one group; what is absent is empty."""

    def __init__(self, path: Path, parameters: Mapping[str, Any], name: str) -> None:
        self.path, self.name = path, name
        self._own = parameters.get(name, {})

    def values(self, name: str) -> NDArray[Any]:
        return np.asarray(self._own.get(name, {"value": []})["value"])

    def texts(self, name: str) -> list[str]:
        """Return the texts of LABELS, LABELS2, LABELS3... as one list."""
        return [str(text) for key in self._keys(name) for text in self.values(key)]

    def joined(self, name: str) -> NDArray[Any]:
        """Return TIMES, TIMES2... side by side; no axis holds more than 255."""
        parts = [self.values(key) for key in self._keys(name)]
        return np.concatenate(parts, axis=-1) if parts else np.empty(0)

    def _keys(self, name: str) -> Iterator[str]:
        for key in (name, *(f"{name}{k}" for k in range(2, 100))):
            if key not in self._own:
                return
            yield key

    def number(self, name: str, default: float) -> float:
        values = self.values(name).ravel()
        return float(values[0]) if values.size else float(default)


def _check_length(path: Path, trial: _Group, n_frames: int) -> None:
    """Refuse a file of more frames than the reader reaches (65 535)."""
    fields = [trial.values(f"ACTUAL_{end}_FIELD").ravel() for end in ("START", "END")]
    if any(field.size < 2 for field in fields):
        return
    first, last = ((int(field[0]) & 0xFFFF) + (int(field[1]) << 16) for field in fields)
    if n_frames == 65_535 and last - first + 1 > n_frames:
        raise C3dError(
            f"{path} has {last - first + 1} frames, of which only {n_frames} can be "
            "read; export it in parts"
        )


def _plates(
    group: _Group, analogs: Floats, analog: _Group, unit: str
) -> list[C3dPlate]:
    count = int(group.number("USED", 0))
    scale = METRES[unit]
    kinds, channels = group.values("TYPE").ravel(), group.values("CHANNEL")
    corners, origins = group.values("CORNERS"), group.values("ORIGIN")
    matrices = group.values("CAL_MATRIX")
    units = [text.strip().lower() for text in analog.texts("UNITS")]
    found = []
    for k in range(count):
        kind = int(kinds[k])
        if kind not in (1, 2, 3, 4):
            raise C3dError(
                f"{group.path}: plate {k + 1} is of type {kind}; types 1 to 4 are read"
            )
        n = 8 if kind == 3 else 6
        which = channels[:n, k].astype(int) - 1
        if which.min() < 0 or which.max() >= len(analogs):
            raise C3dError(
                f"{group.path}: plate {k + 1} names channel {which.max() + 1}; there "
                f"are {len(analogs)}"
            )
        rows = _zeroed(analogs[which].T, group.values("ZERO").ravel())
        if kind in (1, 2):
            # CoP of type 1 is a length, its last channel a moment like all of type 2
            moments = range(5, 6) if kind == 1 else range(3, 6)
            for i in moments:
                text = units[which[i]] if which[i] < len(units) else "nmm"
                rows[:, i] *= NEWTON_METRES.get(text, scale)
            if kind == 1:
                rows[:, 3:5] *= scale
        matrix = None
        if kind == 4:
            if matrices.ndim < 2 or matrices.shape[:2] != (6, 6):
                raise C3dError(
                    f"{group.path}: plate {k + 1} is of type 4 but CAL_MATRIX has "
                    f"shape {matrices.shape}, not (6, 6, {count})"
                )
            matrix = matrices.reshape(6, 6, -1)[:, :, k].astype(np.float64).copy()
            matrix[3:] *= scale
        found.append(
            C3dPlate(
                kind,
                rows,
                corners[:, :, k].T.astype(np.float64) * scale,
                origins[:, k].astype(np.float64) * scale,
                matrix,
            )
        )
    return found


def _zeroed(rows: Floats, zero: NDArray[Any]) -> Floats:
    """Subtract the mean over the frames that the file says are unloaded."""
    rows = np.array(rows, dtype=np.float64)
    if zero.size == 2 and 0 < zero[0] <= zero[1] <= len(rows):
        rows -= rows[int(zero[0]) - 1 : int(zero[1])].mean(axis=0)
    return rows


def _events(group: _Group, start_s: float) -> list[C3dEvent]:
    """Return events in order; stored times are minutes and seconds of the capture."""
    count = int(group.number("USED", 0))
    times = group.joined("TIMES").astype(np.float64).ravel(order="F")
    contexts, labels = group.texts("CONTEXTS"), group.texts("LABELS")
    if times.size < 2 * count or min(len(contexts), len(labels)) < count:
        raise C3dError(f"{group.path}: EVENT names {count} events but has fewer")
    found = [
        C3dEvent(
            float(times[2 * k] * 60 + times[2 * k + 1] - start_s),
            contexts[k].strip(),
            labels[k].strip(),
        )
        for k in range(count)
    ]
    return sorted(found, key=lambda event: event.time_s)


def _numbers(group: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, entry in group.items():
        value = np.ravel(entry["value"]) if name != "__METADATA__" else np.empty(0)
        if value.size and value.dtype.kind in "iuf":
            found[name] = float(value[0])
    return found
