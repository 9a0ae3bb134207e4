"""Parquet tables as LocoHub's loader takes them apart."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from acquire.dataset.trial_source import load
from acquire.exports.locohub import FEATURES, POINTS, export_parquet
from acquire.gait.cycles import normalise
from tests.builders.dataset import key


@pytest.fixture(scope="module")
def made(exported, tmp_path_factory):
    out = tmp_path_factory.mktemp("parquet") / "new"
    result = export_parquet(exported, ["P43"], out)
    return {
        kind: pq.read_table(out / f"kinemuse_{kind}.parquet").to_pandas()
        for kind in ("phase", "time")
    }, result


def test_columns_are_those_of_the_convention(made) -> None:
    phase = made[0]["phase"]
    head = ["subject", "subject_metadata", "task", "task_id", "task_info", "step"]
    assert list(phase.columns) == [*head, "phase_ipsi", *FEATURES]
    assert set(FEATURES) >= {
        "hip_flexion_angle_ipsi_rad",
        "ankle_dorsiflexion_angle_contra_rad",
        "knee_flexion_moment_ipsi_Nm_kg",
        "vertical_grf_contra_BW",
        "pelvis_sagittal_angle_rad",
    }
    assert list(made[0]["time"].columns) == [*head, "time_s", *FEATURES]


def test_words_say_who_walked_how(made) -> None:
    row = made[0]["phase"].iloc[0]
    assert row.subject == "K2MUSE_AB43"
    told = dict(pair.split(":") for pair in row.subject_metadata.split(","))
    assert (told["sex"], told["height_m"]) == ("F", "1.76")
    assert (row.task, row.task_id) == ("level_walking", "level")
    info = dict(pair.split(":") for pair in row.task_info.split(","))
    assert info["speed_m_s"] == "1"
    assert (info["treadmill"], info["variant"]) == ("true", "Ideal")


def test_every_stride_has_150_rows(made) -> None:
    phase = made[0]["phase"]
    for _, cycle in phase.groupby(["task_info", "step"]):
        assert len(cycle) == POINTS
        assert cycle.phase_ipsi.iloc[[0, -1]].tolist() == [0.0, 100.0]
    # how its loader makes arrays of strides
    one = phase[(phase.subject == "K2MUSE_AB43") & (phase.task == "level_walking")]
    cycles = one[list(FEATURES)].to_numpy().reshape(-1, POINTS, len(FEATURES))
    assert len(cycles) == len(phase) // POINTS


def test_values_are_ours_with_their_signs_and_units(made, exported) -> None:
    trial, _ = load(key(1).h5(exported))
    phase = made[0]["phase"]
    mine = phase[phase.task_info.str.endswith("trial:1,ipsi:left")]
    at = np.arange(trial.n_frames) / 100
    for step, stride in enumerate(trial.accepted("left"), 1):
        cycle = mine[mine.step == step]

        def of(name, stride=stride):
            return normalise(
                at, trial.model[name], stride.start_s, stride.end_s, POINTS
            )[:, 0]

        knee = cycle.knee_flexion_angle_ipsi_rad.to_numpy()
        assert np.degrees(knee) == pytest.approx(of("LKneeAngles"), nan_ok=True)
        other = cycle.knee_flexion_angle_contra_rad.to_numpy()
        assert np.degrees(other) == pytest.approx(of("RKneeAngles"), nan_ok=True)
        ankle = cycle.ankle_dorsiflexion_moment_ipsi_Nm_kg.to_numpy()
        assert -ankle == pytest.approx(of("LAnkleMoment"), nan_ok=True)
        assert np.nanmin(ankle) < -1.0  # push-off pulls against dorsiflexion
        stance = cycle.vertical_grf_ipsi_BW.to_numpy()[10:80]
        assert np.nanmean(stance) == pytest.approx(1.0, abs=0.3)


def test_frames_run_through_the_trial(made, exported) -> None:
    time = made[0]["time"]
    first = time[time.task_info.str.contains("trial:1")]
    trial, _ = load(key(1).h5(exported))
    assert len(first) == trial.n_frames
    assert first.time_s.to_numpy() == pytest.approx(np.arange(trial.n_frames) / 100)
    assert first.step.max() == len(trial.accepted("right"))
    knee = np.degrees(first.knee_flexion_angle_ipsi_rad.to_numpy())
    assert knee == pytest.approx(trial.model["RKneeAngles"][:, 0], nan_ok=True)


def test_what_has_no_place_is_told(made) -> None:
    assert any("sEMG and ultrasound" in remark for remark in made[1].remarks)
