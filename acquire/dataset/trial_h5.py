"""One trial as a flat HDF5 file for programs that learn from it.

Where the subject file holds a cell of frames, this file holds one array; everything
is on trial time, and a table says which rows belong to which gait cycle. h5py and
numpy read it (``docs/examples``).

    /time_s (F,)                 /markers /forces /angles /moments /powers (F, n, 3)
    /emg_time_s (M,)             /emg (M, 13) uV, float32
    /ultrasound_time_s (N,)      /ultrasound (N, 4, 1000) raw counts as recorded
    /ultrasound_missing (N,)     frames that were lost: void in /ultrasound
    /cycles/{side,start_s,end_s,off_s,first_frame,...}   one row per accepted stride
    /events/{time_s,side,kind,source}
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from acquire.dataset.arrays import EMG_CHANNELS, EMG_HZ, FRAME_HZ, TrialArrays
from acquire.dataset.k2muse import model_groups
from acquire.gait.feet import SIDES
from acquire.storage import hdf5
from acquire.storage.durable import replace_atomically, sync_file

LAYOUT: Final = 1
UNITS: Final = {
    "markers": "m",
    "angles": "deg",
    "forces": "N/kg",
    "moments": "N.m/kg",
    "powers": "W/kg",
}
Floats = NDArray[np.float64]


def write_trial_h5(
    path: Path,
    trial: TrialArrays,
    mass_kg: float,
    attributes: Mapping[str, str | int | float | bool],
) -> Path:
    """Write a trial, in one step in place of an earlier file of that name.

    The same trial gives the same bytes. `attributes` (participant, condition, …) go
    to the root.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    try:
        with h5py.File(tmp, "x", libver=hdf5.LIBVER) as file:
            hdf5.set_attribute(file, "kinemuse_trial", LAYOUT)
            for name, value in attributes.items():
                hdf5.set_attribute(file, name, value)
            _write(file, trial, mass_kg)
        sync_file(tmp)
        replace_atomically(tmp, path)
    finally:
        tmp.unlink(missing_ok=True)
    return path


def _write(file: Any, trial: TrialArrays, mass_kg: float) -> None:  # noqa: ANN401
    frames = _scale(file, "time_s", np.arange(trial.n_frames) / FRAME_HZ)
    axis = hdf5.put_text_scale(file, "xyz", ("X", "Y", "Z"))
    groups: dict[str, Mapping[str, Floats]] = {"markers": trial.markers_m}
    groups |= {k.lower(): part for k, part in model_groups(trial, mass_kg).items()}
    for name, part in groups.items():
        if not part:
            continue
        label = hdf5.put_text_scale(file, f"{name}_label", list(part))
        stacked = np.stack(list(part.values()), axis=1)
        axes = [frames, label, axis]
        hdf5.put(file, name, stacked, axes=axes, chunk_rows=100, unit=UNITS[name])
    samples = _scale(file, "emg_time_s", np.arange(len(trial.emg_uv)) / EMG_HZ)
    muscle = hdf5.put_text_scale(file, "emg_label", EMG_CHANNELS)
    emg = trial.emg_uv.astype(np.float32)
    rows = round(EMG_HZ)
    hdf5.put(file, "emg", emg, axes=[samples, muscle], chunk_rows=rows, unit="uV")
    _write_echoes(file, trial)
    _write_cycles(file.create_group("cycles"), trial)
    _write_events(file.create_group("events"), trial)


def _write_echoes(file: Any, trial: TrialArrays) -> None:  # noqa: ANN401
    times = _scale(file, "ultrasound_time_s", trial.echo_time_s)
    probe = hdf5.put_text_scale(file, "probe", [f"CH{k}" for k in range(1, 5)])
    depth = hdf5.put_scale(file, "sample", np.arange(trial.echo.shape[2]))
    axes = [times, probe, depth]
    hdf5.put(file, "ultrasound", trial.echo, axes=axes, chunk_rows=20, unit="counts")
    hdf5.put(file, "ultrasound_missing", trial.echo_missing, axes=[times])


def _write_cycles(group: Any, trial: TrialArrays) -> None:  # noqa: ANN401
    """Write one row per accepted stride; rows are [first, end) of each array."""
    strides = [s for side in SIDES for s in trial.accepted(side)]
    number = hdf5.put_scale(group, "cycle", np.arange(len(strides)))
    sides = np.array([s.side for s in strides], dtype=object)
    hdf5.put_text(group, "side", sides, axes=[number])
    spans = np.array([(s.start_s, s.end_s) for s in strides]).reshape(-1, 2)
    for name in ("start_s", "end_s", "off_s"):
        values = np.array([getattr(s, name) for s in strides], dtype=np.float64)
        hdf5.put(group, name, values, axes=[number], unit="s")
    grids = {
        "frame": np.arange(trial.n_frames) / FRAME_HZ,
        "emg_row": np.arange(len(trial.emg_uv)) / EMG_HZ,
        "ultrasound_row": trial.echo_time_s,
    }
    for name, times in grids.items():
        rows = np.searchsorted(times, spans - 1e-9)
        hdf5.put(group, f"first_{name}", rows[:, 0], axes=[number])
        hdf5.put(group, f"end_{name}", rows[:, 1], axes=[number])


def _write_events(group: Any, trial: TrialArrays) -> None:  # noqa: ANN401
    events = trial.events
    when = np.array([e.time_s for e in events], dtype=np.float64)
    time = _scale(group, "time_s", when)
    for name in ("side", "kind", "source"):
        values = np.array([getattr(e, name) for e in events], dtype=object)
        hdf5.put_text(group, name, values, axes=[time])


def _scale(node: Any, name: str, values: Floats) -> hdf5.Axis:  # noqa: ANN401
    return hdf5.put_scale(node, name, values, unit="s")
