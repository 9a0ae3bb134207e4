"""One trial's streams on the reference clock, as the subject file needs them.

Frame k of a trial is taken k/100 s after trial time 0. A sample that is missing is
NaN in its place; nothing is closed up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquire.gait.cycles import Stride
from acquire.gait.events import GaitEvent
from acquire.gait.feet import Side
from acquire.gait.foot_loads import means_around
from acquire.storage.recording import RecordedStream, Recording

Floats = NDArray[np.float64]

FRAME_HZ = 100.0
EMG_HZ = 2000.0
EMG_CHANNELS = (
    *("R_TA", "R_MG", "R_LG", "R_SOL", "R_RF", "R_VLO", "R_VMO", "R_BF", "R_SEM"),
    *("L_TA", "L_LG", "L_RF", "L_BF"),
)
US_SHAPE = (4, 1000)
MICROVOLTS = {"uv": 1.0, "µv": 1.0, "microvolts": 1.0, "mv": 1e3, "millivolts": 1e3}
MICROVOLTS |= {"v": 1e6, "volts": 1e6}
METRES = {"m": 1.0, "meters": 1.0, "mm": 1e-3, "millimeters": 1e-3}


@dataclass(frozen=True, eq=False)
class TrialArrays:
    """One trial, cut to trial time 0 … the end of the capture.

    `markers_m` and `forces_n` (reaction on the person, world axes) have shape
    (n_frames, 3) each; `emg_uv` (20·n_frames, 13); `echo` (n, 4, 1000) raw counts in
    the recorded type, taken at `echo_time_s` (n,), void where `echo_missing`; `model`
    the gait model's outputs by name, (n_frames, 3) each, empty where there are none.
    """

    n_frames: int
    markers_m: Mapping[str, Floats]
    forces_n: Mapping[Side, Floats]
    emg_uv: Floats
    echo: NDArray[np.integer]
    echo_time_s: Floats
    echo_missing: NDArray[np.bool_]
    events: list[GaitEvent]
    strides: list[Stride]
    remarks: tuple[str, ...] = field(default=())
    model: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        return self.n_frames / FRAME_HZ

    def accepted(self, side: Side) -> list[Stride]:
        """Return the accepted strides of one foot that lie within the trial."""
        return [
            stride
            for stride in self.strides
            if stride.side == side
            and stride.accepted
            and stride.start_s >= 0
            and stride.end_s <= self.duration_s - 1 / FRAME_HZ
        ]


def marker_positions(stream: RecordedStream) -> dict[str, Floats]:
    """Return positions by marker, metres, shape (n_rows, 3), NaN where occluded.

    A subject's name before the label (``subject:LASI``) is dropped when the labels
    stay distinct.
    """
    labels = [label[:-2] for label in stream.labels if label.endswith("_X")]
    short = [label.rpartition(":")[2] for label in labels]
    names = short if len(set(short)) == len(short) else labels
    found = {}
    for name, label in zip(names, labels, strict=True):
        first = stream.labels.index(f"{label}_X")
        scale = METRES.get(stream.channels[first].unit.lower(), 1.0)
        columns = [stream.column(f"{label}_{axis}") for axis in "XYZ"]
        found[name] = np.stack(columns, axis=1).astype(np.float64) * scale
    return found


def on_frames(
    time_s: Floats, rows: Floats, n_frames: int, rate_hz: float = FRAME_HZ
) -> Floats:
    """Put rows (n, k) into their frames, shape (n_frames, k), NaN where none came.

    Rows at another rate than the frames' are interpolated linearly between neighbours.
    """
    if abs(rate_hz - FRAME_HZ) > 0.5:
        return on_grid(time_s, rows, FRAME_HZ, n_frames, source_hz=rate_hz)
    placed = np.full((n_frames, rows.shape[1]), np.nan)
    known = np.isfinite(time_s)
    frame = np.full(time_s.size, -1)
    frame[known] = np.round(time_s[known] * FRAME_HZ)
    inside = (frame >= 0) & (frame < n_frames)
    placed[frame[inside]] = rows[inside]
    return placed


def on_grid(
    time_s: Floats,
    rows: Floats,
    rate_hz: float,
    n: int,
    *,
    source_hz: float | None = None,
) -> Floats:
    """Interpolate rows (m, k) at times 0, 1/rate … linearly, shape (n, k).

    NaN where the two neighbours are more than one and a half periods apart, of their
    own rate (`source_hz`, else the same), and outside the rows: what was not measured
    stays unknown.
    """
    at = np.arange(n) / rate_hz
    known = np.isfinite(time_s)
    time_s, rows = time_s[known], rows[known]
    if time_s.size < 2:
        return np.full((n, rows.shape[1]), np.nan)
    after = np.clip(np.searchsorted(time_s, at), 1, time_s.size - 1)
    before = after - 1
    span = time_s[after] - time_s[before]
    share = ((at - time_s[before]) / span)[:, None]
    made = rows[before] + share * (rows[after] - rows[before])
    lost = (span > 1.5 / (source_hz or rate_hz)) | (at < time_s[0]) | (at > time_s[-1])
    made[lost] = np.nan
    return made


def centred_means(
    time_s: Floats, rows: Floats, rate_hz: float, n_frames: int
) -> Floats:
    """Average rows (m, k) over one frame period around each frame, (n_frames, k).

    `time_s` (m,) is evenly spaced; of the window's two ends each counts half.
    """
    if time_s.size < 2:
        return np.full((n_frames, rows.shape[1]), np.nan)
    places = (np.arange(n_frames) / FRAME_HZ - time_s[0]) * rate_hz
    return means_around(rows, places, rate_hz / FRAME_HZ)


def model_on_frames(
    model: Mapping[str, Floats], time_s: Floats, n_frames: int
) -> dict[str, Floats]:
    """Put the gait model's outputs (m, 3), at `time_s` (m,), into their frames."""
    return {
        name: on_frames(time_s, rows, n_frames, rate_of(time_s))
        for name, rows in model.items()
    }


def rate_of(time_s: Floats) -> float:
    """Return the rate of evenly spaced times; that of frames where there are few."""
    return float(1 / np.median(np.diff(time_s))) if time_s.size > 1 else FRAME_HZ


def emg_of(stream: RecordedStream, time_s: Floats, n: int) -> tuple[Floats, list[str]]:
    """Return thirteen channels in µV on the 2000 Hz grid, (n, 13), and what lacks."""
    made = np.full((n, len(EMG_CHANNELS)), np.nan)
    have = [name for name in EMG_CHANNELS if name in stream.labels]
    scale = [
        MICROVOLTS.get(stream.channels[stream.labels.index(name)].unit.lower(), 1.0)
        for name in have
    ]
    if have:
        rows = np.stack([stream.column(name) for name in have], axis=1) * scale
        places = [EMG_CHANNELS.index(name) for name in have]
        made[:, places] = on_grid(time_s, rows.astype(np.float64), EMG_HZ, n)
    missing = [name for name in EMG_CHANNELS if name not in have]
    return made, [f"semg has no channel {name}" for name in missing]


def echoes_of(
    stream: RecordedStream, time_s: Floats, duration_s: float
) -> tuple[NDArray[np.integer], Floats, NDArray[np.bool_]]:
    """Return frames (n, 4, 1000), their times (n,), and which of them were lost.

    Lost frames take their place between their neighbours, at even times, as zeros.
    """
    first = stream.labels.index("CH1_0000")
    rows = np.flatnonzero(np.isfinite(time_s))
    if rows.size == 0:
        return np.zeros((0, *US_SHAPE), "i2"), np.empty(0), np.zeros(0, bool)
    times = time_s[rows]
    steps = np.maximum(np.round(np.diff(times) * stream.rate_hz), 1)
    slot = np.concatenate([[0], np.cumsum(steps)]).astype(int)
    every = np.interp(np.arange(slot[-1] + 1), slot, times)
    row = np.full(every.size, -1)
    row[slot] = rows
    inside = (every >= 0) & (every < duration_s)
    row, every = row[inside], every[inside]
    echo = stream.data[:, first : first + 4000][row].reshape(-1, *US_SHAPE)
    echo[row < 0] = 0
    return echo, every, row < 0


def trial_arrays(
    recording: Recording,
    time_s: Mapping[str, Floats],
    duration_s: float,
    *,
    force_time_s: Floats,
    force_rate_hz: float,
    forces_n: Mapping[Side, Floats],
    events: list[GaitEvent],
    strides: list[Stride],
    model: Mapping[str, Floats] | None = None,
    model_time_s: Floats | None = None,
) -> TrialArrays:
    """Assemble a trial; `time_s` holds the trial time of every row of each stream.

    `model` holds (m, 3) by name at `model_time_s` (m,), on trial time like the rest.
    """
    n_frames = max(int(np.floor(duration_s * FRAME_HZ + 1e-6)), 0)
    remarks: list[str] = []
    markers: dict[str, Floats] = {}
    if "vicon-markers" in recording:
        positions = marker_positions(recording["vicon-markers"])
        times = time_s["vicon-markers"]
        rate_hz = recording["vicon-markers"].rate_hz
        markers = {
            k: on_frames(times, rows, n_frames, rate_hz)
            for k, rows in positions.items()
        }
    n_emg = n_frames * round(EMG_HZ / FRAME_HZ)
    emg = np.full((n_emg, len(EMG_CHANNELS)), np.nan)
    if "semg" in recording:
        emg, missing = emg_of(recording["semg"], time_s["semg"], n_emg)
        remarks += missing
    else:
        remarks.append("the recording has no stream semg")
    if "amode" in recording:
        parts = echoes_of(recording["amode"], time_s["amode"], n_frames / FRAME_HZ)
    else:
        remarks.append("the recording has no stream amode")
        parts = (np.zeros((0, *US_SHAPE), "i2"), np.empty(0), np.zeros(0, bool))
    return TrialArrays(
        n_frames=n_frames,
        markers_m=markers,
        forces_n={
            side: centred_means(force_time_s, force, force_rate_hz, n_frames)
            for side, force in forces_n.items()
            if force.size
        },
        emg_uv=emg,
        echo=parts[0],
        echo_time_s=parts[1],
        echo_missing=parts[2],
        events=events,
        strides=strides,
        remarks=tuple(remarks),
        model=(
            {}
            if model_time_s is None
            else model_on_frames(model or {}, model_time_s, n_frames)
        ),
    )
