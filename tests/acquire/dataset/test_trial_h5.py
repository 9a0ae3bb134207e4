"""The flat trial file: what it holds, its cycle table, and the two examples on it."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from acquire.dataset.trial_h5 import write_trial_h5
from tests.builders.trial_arrays import trial_of
from tests.builders.walking import Walk, session

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
MASS_KG = 72.0
ABOUT = {"participant": "P43", "condition": "Ideal", "trial": 1, "simulated": True}


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trial():
    made = trial_of(session(Walk(duration_s=8.0), lost_us=slice(60, 70)))
    at = np.arange(made.n_frames) / 100
    knee = np.stack([60 * np.sin(at), at, -at], axis=1)
    knee[100:110] = np.nan
    return replace(made, model={"LKneeAngles": knee, "RKneeAngles": -knee})


@pytest.fixture(scope="module")
def path(trial, tmp_path_factory):
    out = tmp_path_factory.mktemp("h5") / "P43" / "Trial_1.h5"
    return write_trial_h5(out, trial, MASS_KG, ABOUT)


def test_everything_is_there_in_one_array_per_kind(path, trial):
    with h5py.File(path) as file:
        assert file["emg"].shape == (20 * trial.n_frames, 13)
        assert file["emg"].dtype == "float32"
        assert file["ultrasound"].shape == (len(trial.echo), 4, 1000)
        assert file["ultrasound"].dtype == "int16"
        np.testing.assert_array_equal(file["ultrasound"][()], trial.echo)
        np.testing.assert_array_equal(file["ultrasound_time_s"][()], trial.echo_time_s)
        assert file["ultrasound_missing"][()].sum() == 10
        label = file["markers_label"].asstr()[()].tolist()
        np.testing.assert_array_equal(
            file["markers"][:, label.index("LTOE")], trial.markers_m["LTOE"]
        )
        left = file["forces_label"].asstr()[()].tolist().index("LGroundReactionForce")
        np.testing.assert_allclose(
            file["forces"][:, left] * MASS_KG, trial.forces_n["left"]
        )
        assert file.attrs["condition"] == "Ideal"


def test_rows_of_a_cycle_lie_between_its_strikes(path, trial):
    with h5py.File(path) as file:
        cycles = {name: item[()] for name, item in file["cycles"].items()}
        times = {
            "frame": file["time_s"][()],
            "emg_row": file["emg_time_s"][()],
            "ultrasound_row": file["ultrasound_time_s"][()],
        }
    assert len(cycles["side"]) == sum(
        len(trial.accepted(side)) for side in ("left", "right")
    )
    assert set(cycles["side"]) == {b"left", b"right"}
    for name, at in times.items():
        for k, (start, end) in enumerate(
            zip(cycles["start_s"], cycles["end_s"], strict=True)
        ):
            inside = at[cycles[f"first_{name}"][k] : cycles[f"end_{name}"][k]]
            np.testing.assert_array_equal(
                inside, at[(at >= start - 1e-9) & (at < end - 1e-9)]
            )


def test_every_axis_has_a_scale(path):
    with h5py.File(path) as file:
        named = ("markers", "forces", "angles", "emg", "ultrasound")
        for name in named:
            assert all(len(dimension) == 1 for dimension in file[name].dims), name


def test_the_same_trial_gives_the_same_bytes(path, trial, tmp_path):
    again = write_trial_h5(tmp_path / "again.h5", trial, MASS_KG, ABOUT)
    assert again.read_bytes() == path.read_bytes()
    write_trial_h5(again, trial, MASS_KG, {**ABOUT, "trial": 2})
    assert again.read_bytes() != path.read_bytes()
    assert list(tmp_path.iterdir()) == [again]


def test_the_ten_line_loader_returns_all_arrays(path, trial):
    loaded = example("load_trial").load_trial(path)
    assert loaded["about"]["participant"] == "P43"
    assert loaded["angles_label"].tolist() == ["LKneeAngles", "RKneeAngles"]
    assert loaded["cycles"]["side"][0] in ("left", "right")
    np.testing.assert_allclose(loaded["emg"], trial.emg_uv, rtol=1e-6, atol=1e-4)


def test_windows_hold_what_was_measured_up_to_their_end(path, trial):
    data = example("window_dataset").WindowDataset([path, path])
    assert len(data) > 100
    half = len(data) // 2
    for k in (0, half - 1, half, len(data) - 1):
        emg, echoes, angles = data[k]
        end_s = data.ends_s[0][k % half]
        end = round(end_s * 2000)
        np.testing.assert_allclose(
            emg, trial.emg_uv[end - 400 : end], rtol=1e-6, atol=1e-4
        )
        row = np.flatnonzero(trial.echo_time_s <= end_s)[-1]
        np.testing.assert_array_equal(echoes, trial.echo[row])
        np.testing.assert_allclose(
            angles, trial.model["LKneeAngles"][None, round(end_s * 100)], rtol=1e-6
        )
    with pytest.raises(IndexError):
        data[len(data)]


def test_windows_with_missing_parts_are_left_out(path, trial):
    data = example("window_dataset").WindowDataset([path])
    ends = data.ends_s[0]
    assert not np.any((ends > 0.995) & (ends < 1.095))
    row = np.searchsorted(trial.echo_time_s, ends, "right") - 1
    assert not trial.echo_missing[row].any()
    assert np.isfinite(np.concatenate([data[k][0] for k in range(len(data))])).all()
