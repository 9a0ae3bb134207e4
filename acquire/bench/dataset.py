"""What writing and reading a subject file costs, beside other libraries' ways."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from acquire.bench.virtual_subject import Part, write_subject
from acquire.dataset.arrays import TrialArrays
from acquire.dataset.k2muse import trees
from acquire.dataset.matfile import Cell, MatWriter, Value
from acquire.dataset.subject_file import open_subject
from acquire.dataset.trial_h5 import write_trial_h5
from acquire.dataset.trial_source import load
from acquire.rig import load_rig

TRIAL_S = 10.0
N_TRIALS = 3
REPEATS = 3
PLACE = "Ideal/LG_0/S_1/Trial_"
Row = dict[str, Any]


def run(trial_s: float = TRIAL_S, n_trials: int = N_TRIALS) -> list[Row]:
    """Return a row per claim; times are medians of CPU time, peers in the same run."""
    with tempfile.TemporaryDirectory(prefix="kinemuse-bench-") as folder:
        root = Path(folder)
        keys = write_subject(
            root / "K2",
            load_rig(),
            parts=[Part("Ideal", n_trials=1)],
            trial_s=trial_s,
        )
        trial, _ = load(keys[1].h5(root / "K2"))
        return [*_writing(root, trial, n_trials), *_reading(root, trial)]


def _writing(root: Path, trial: TrialArrays, n_trials: int) -> list[Row]:
    def ours() -> None:
        _write(root / "ours.mat", trial, n_trials)

    def flat() -> None:
        for k in range(n_trials):
            write_trial_h5(root / f"Trial_{k}.h5", trial, 72.0, {"trial": k})

    ours_s = _cpu_s(ours) / n_trials
    rows = [
        _row("write one trial into P43.mat", ours_s, "<= 0.25 s"),
        _row("write one trial's flat file", _cpu_s(flat) / n_trials, ""),
    ]
    content = {"P43": _nested(trial, n_trials)}
    for name, write in _peer_writers(root).items():
        peer_s = _peer(lambda write=write: write(content))  # type: ignore[misc]
        each_s = None if peer_s is None else peer_s / n_trials
        rows.append(_beside(f"… with {name}", each_s, ours_s))
    return rows


def _reading(root: Path, trial: TrialArrays) -> list[Row]:
    path, flat = root / "ours.mat", root / "Trial_0.h5"

    def emg() -> None:
        with open_subject(path) as subject:
            assert subject.trial("Ideal", "LG_0", 1, 1).original.emg_uv.size  # noqa: S101

    def echoes() -> None:
        with h5py.File(flat) as file:
            assert file["ultrasound"][()].shape == trial.echo.shape  # noqa: S101

    def echo_cells() -> None:
        with open_subject(path) as subject:
            assert subject.trial("Ideal", "LG_0", 1, 1).original.echoes.size  # noqa: S101

    emg_s = _cpu_s(emg)
    rows = [
        _row("read one trial's sEMG from P43.mat", emg_s, "<= 0.02 s"),
        _row("read one trial's ultrasound, flat file", _cpu_s(echoes), "<= 0.02 s"),
        _row("read one trial's ultrasound, P43.mat", _cpu_s(echo_cells), ""),
    ]
    for name, read in _peer_readers(path).items():
        rows.append(_beside(f"sEMG through {name} (reads all)", _peer(read), emg_s))
    return rows


def _write(path: Path, trial: TrialArrays, n_trials: int) -> None:
    path.unlink(missing_ok=True)
    with MatWriter(path, created=datetime(2000, 1, 1)) as mat:
        for k in range(1, n_trials + 1):
            own = _another(trial, k)
            for tree, struct in trees(own, 72.0).items():
                mat.write(f"P43/{tree}/{PLACE}{k}", struct)


def _another(trial: TrialArrays, k: int) -> TrialArrays:
    """Return a trial with other values: no two trials of a subject are alike."""
    return replace(
        trial,
        echo=trial.echo + np.int16(k),
        emg_uv=trial.emg_uv * (1 + k),
        markers_m={name: rows + k for name, rows in trial.markers_m.items()},
        forces_n={side: rows * (1 + k) for side, rows in trial.forces_n.items()},
        model={name: rows * (1 + k) for name, rows in trial.model.items()},
    )


def _nested(trial: TrialArrays, n_trials: int) -> dict[str, Any]:
    trials = {
        f"Trial_{k}": trees(_another(trial, k), 72.0) for k in range(1, n_trials + 1)
    }
    return {
        tree: {
            "Ideal": {
                "LG_0": {
                    "S_1": {name: plain(own[tree]) for name, own in trials.items()}
                }
            }
        }
        for tree in ("OriginalData", "NormalizedData")
    }


def plain(value: Value) -> Any:  # noqa: ANN401 (as nested as what goes in)
    """Return a value as other libraries take it: cells as object arrays."""
    while callable(value):
        value = value()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, Cell):
        made = np.empty(value.dims, dtype=object)
        for k, item in enumerate(value.items):
            made.flat[k] = plain(item)
        return made
    return value


def _peer_writers(root: Path) -> dict[str, Callable[[Any], None]]:
    def with_hdf5storage(content: Any) -> None:  # noqa: ANN401
        path = root / "hdf5storage.mat"
        path.unlink(missing_ok=True)
        import_module("hdf5storage").savemat(
            str(path), content, format="7.3", oned_as="column", appendmat=False
        )

    def with_matio(content: Any) -> None:  # noqa: ANN401
        path = root / "mat-io.mat"
        path.unlink(missing_ok=True)
        import_module("matio").save_to_mat(str(path), content, version="v7.3")

    return {"hdf5storage": with_hdf5storage, "mat-io": with_matio}


def _peer_readers(path: Path) -> dict[str, Callable[[], None]]:
    return {
        "hdf5storage": lambda: import_module("hdf5storage").loadmat(str(path)),
        "mat-io": lambda: import_module("matio").load_from_mat(str(path)),
        "pymatreader": lambda: import_module("pymatreader").read_mat(str(path)),
    }


def _cpu_s(work: Callable[[], None], repeats: int = REPEATS) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _peer(work: Callable[[], None]) -> float | None:
    """Return a peer's time, None where it is not installed."""
    try:
        return _cpu_s(work, repeats=1)
    except ModuleNotFoundError:
        return None


def _row(what: str, seconds: float, limit: str) -> Row:
    return {"what": what, "cpu_s": round(seconds, 4), "ratio": None, "limit": limit}


def _beside(what: str, seconds: float | None, ours_s: float) -> Row:
    if seconds is None:
        return {"what": what, "cpu_s": None, "ratio": None, "limit": "not installed"}
    ratio = round(seconds / ours_s, 1)
    return {"what": what, "cpu_s": round(seconds, 4), "ratio": ratio, "limit": ""}
