"""A whole virtual subject, part of it from the real path, read as its users read it."""

import json
import math
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from acquire.bench.virtual_subject import FULL, write_subject
from acquire.dataset import open_subject
from acquire.dataset.mat_reader import Node, variables
from acquire.rig import load_rig
from tests.builders.matwalk import built_matwalk

with warnings.catch_warnings():  # its pandas import warns of pandas itself
    warnings.simplefilter("ignore")
    import matio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
N_TRIALS = 75 + 10 + 25
EARLIER = "2020-01-01_1"  #: so that the trials of the real path are the newer takes
JOINTS = ("Hip", "Knee", "Ankle")


@pytest.fixture(scope="module")
def dataset(demo: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's dataset, and every trial of the young protocol."""
    root = tmp_path_factory.mktemp("subject") / "dataset"
    shutil.copytree(demo["dataset"], root)
    write_subject(root, load_rig(), session=EARLIER, trial_s=3.0)
    return root


@pytest.fixture(scope="module")
def subject_file(dataset: Path) -> Path:
    command = [sys.executable, "-m", "acquire", "build", "--dataset", str(dataset)]
    command += ["--participant", "P43", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert len(told["trials"]) == N_TRIALS
    assert not [f for f in told["findings"] if f["severity"] == "error"]
    return Path(told["path"])


def test_every_trial_is_there_and_those_of_the_real_path_count(
    subject_file: Path,
) -> None:
    wanted = {
        (part.condition, mode, speed, trial)
        for part in FULL
        for mode in part.modes
        for speed in part.speeds
        for trial in range(1, part.n_trials + 1)
    }
    with open_subject(subject_file) as subject:
        found = {(t.condition, t.mode, t.speed, t.trial) for t in subject.trials}
        assert not subject.unread
    assert found == wanted
    made = json.loads(subject_file.with_suffix(".json").read_text())["trials"]
    assert made["Ideal/LG_0/S_1/Trial_1_take1"]["frames"] > 700  # 8 s, not 3
    assert made["Ideal/AS_10/S_1/Trial_1_take1"]["frames"] < 320
    assert {facts["clock_status"] for facts in made.values()} <= {"ok", "degraded"}


def test_code_of_published_users_finds_all_it_walks(subject_file: Path) -> None:
    """Curves, cells of sEMG and ultrasound, by path, through h5py alone."""
    n_strides = 0
    with h5py.File(subject_file) as file:
        for condition, modes in file["P43/NormalizedData"].items():
            for mode, speeds in modes.items():
                for speed, trials in speeds.items():
                    for name, trial in trials.items():
                        where = f"{condition}/{mode}/{speed}/{name}"
                        n_strides += cells_and_curves(file, trial, where)
    assert n_strides > 2 * N_TRIALS


def cells_and_curves(file: Any, trial: Any, where: str) -> int:
    right, left = (trial[f"EMGData/{side}"] for side in ("Right", "Left"))
    counts = {"R": n_cells(right), "L": n_cells(left)}
    for side in "RL":
        for joint in JOINTS:
            curve = trial[f"Angles/{side}{joint}Angles/rsGaitData"]
            dims = curve.shape[::-1] if curve.attrs.get("MATLAB_empty", 0) == 0 else ()
            n = dims[2] if len(dims) == 3 else min(len(dims), 1)
            assert n == counts[side], where
            if n:
                assert dims[:2] == (200, 3), where
            assert f"{side}{joint}Moment" in trial["Moments"], where
            assert f"{side}{joint}Power" in trial["Powers"], where
    for cell, columns in ((right, 9), (left, 4)):
        for reference in cell[()].ravel() if n_cells(cell) else ():
            assert file[reference].shape[0] == columns, where
    assert n_cells(trial["USData"]) == counts["L"], where
    return counts["L"] + counts["R"]


def n_cells(cell: Any) -> int:
    if cell.attrs.get("MATLAB_empty", 0):
        return int(cell[()].min())
    return int(cell.size)


def lines(node: Node) -> Iterator[str]:
    """Yield what matwalk prints of a value: path, class, dimensions, fields."""
    dims = "x".join(map(str, node.dims))
    if node.kind == "struct":
        fields = node.fields
        yield f"{node.path} struct {dims} {len(fields)}"
        for child in node.children():
            yield from lines(child)
    elif node.kind == "cell":
        yield f"{node.path} cell {dims} 0"
        for k, item in enumerate(node.cells()):
            yield from lines(Node(f"{node.path}{{{k}}}", item.item))
    else:
        yield f"{node.path} {node.kind} {dims} 0"


@pytest.mark.soak
def test_libmatio_reads_every_object(subject_file: Path, tmp_path: Path) -> None:
    """Minutes: of each item of a cell libmatio asks HDF5 for its name.

    The reference does not tell it, so HDF5 searches the file from its beginning: time
    grows with the square of the items. MATLAB's own files are no different there.
    """
    walked = subprocess.run(
        [built_matwalk(tmp_path), subject_file],
        capture_output=True,
        text=True,
        check=True,
        timeout=1500,
    )
    got = [line.rpartition(" ")[0] for line in walked.stdout.splitlines()]
    with h5py.File(subject_file) as file:
        (subject,) = variables(file)
        assert got == list(lines(subject))
    assert len(got) > 20_000


def same(got: Any, node: Node) -> int:
    """Compare what mat-io read with the file's own bytes, value by value."""
    if node.kind == "struct":
        names = node.fields
        assert list(got.dtype.names) == names, node.path
        return 1 + sum(same(got[0, 0][name], node[name]) for name in names)
    if node.kind == "cell":
        assert got.shape == node.dims, node.path
        items = zip(got.flatten(order="F"), node.cells(), strict=True)
        return 1 + sum(same(item, below) for item, below in items)
    np.testing.assert_array_equal(got, node.value(), strict=True, err_msg=node.path)
    return 1


@pytest.mark.soak
def test_mat_io_reads_every_value(subject_file: Path) -> None:
    loaded = matio.load_from_mat(str(subject_file))
    assert list(loaded) == ["P43"]
    with h5py.File(subject_file) as file:
        (subject,) = variables(file)
        assert same(loaded["P43"], subject) > 20_000


@pytest.mark.soak
def test_octave_finds_struct_paths_the_right_way_round(subject_file: Path) -> None:
    octave = shutil.which("octave-cli")
    if octave is None:
        pytest.skip("octave is not installed")
    trial = "P43.OriginalData.Ideal.LG_0.S_1.Trial_1"
    curve = "P43.NormalizedData.Ideal.LG_0.S_1.Trial_1.Angles.RKneeAngles.rsGaitData"
    script = (
        f"load('{subject_file}'); disp(size({trial}.EMGData)); "
        f"disp(size({trial}.Angles.RKneeAngles)); disp(size({curve})); "
        f"printf('%.9g\\n', {trial}.EMGData(7, 3));"
    )
    shown = subprocess.run(
        [octave, "--eval", script], capture_output=True, text=True, timeout=600
    )
    rows = [line.split() for line in shown.stdout.splitlines() if line.strip()]
    with open_subject(subject_file) as subject:
        first = subject.trial("Ideal", "LG_0", 1, 1)
        emg = first.original.emg_uv
        n = first.normalized.angles_deg["RKneeAngles"].strides.shape[2]
        assert rows[0] == [str(size) for size in emg.shape]
        assert rows[1] == [str(len(emg) // 20), "3"]
        assert rows[2] == ["200", "3", str(n)][: 3 if n > 1 else 2]
        assert math.isclose(float(rows[3][0]), emg[6, 2], rel_tol=1e-8)


@pytest.mark.soak
def test_it_is_built_again_to_the_same_bytes(dataset: Path, subject_file: Path) -> None:
    before = subject_file.read_bytes()
    again = [sys.executable, "-m", "acquire", "build", "--dataset", str(dataset)]
    again += ["--participants", "all", "--json"]
    subprocess.run(again, capture_output=True, check=True, timeout=1200)
    assert subject_file.read_bytes() == before
