"""The gait model in derived files: what it rests on, and what it says is missing."""

import h5py
import numpy as np
import pytest

from acquire.dataset.build import build
from acquire.dataset.check import check_path
from acquire.dataset.mat_reader import variables
from acquire.dataset.trial_source import up_to_date
from acquire.derive import derive
from acquire.storage.derived_file import read_derived
from acquire.stored_gait import stored_gait
from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.person_session import listed, static_session, walk_session
from tests.builders.walkers import walker

STATIC = key(condition="Calibration", mode="Static", speed="")


@pytest.fixture(scope="module")
def walked():
    return walk_session()


@pytest.fixture(scope="module")
def stood():
    return static_session()


@pytest.fixture(scope="module")
def made(tmp_path_factory, walked, stood):
    root = dataset(tmp_path_factory.mktemp("model") / "K2")
    listed(root)
    archive(root, STATIC, stood)
    trial = archive(root, key(), walked)
    verdict(root, key(), accepted=True)
    return root, trial, read_derived(derive(trial))


def test_angles_that_went_in_are_in_the_derived_file(made, walked) -> None:
    found = stored_gait(made[2])
    assert not [r for r in found.remarks if r.startswith("no ")]
    at = walker(1.0, 0.0).since_s + walked.t0_s + found.model_time_s
    for name, want in walker(1.0, 0.0).person.angles_deg(at).items():
        assert np.abs(found.model[name] - want).max() < 0.02, name  # float32 metres


def test_kinetics_are_those_of_a_person(made) -> None:
    found = stored_gait(made[2]).model
    for side in "LR":
        force = found[f"{side}GroundReactionForce"]
        assert 9.5 < np.nanmax(force[:, 2]) < 14
        ankle = found[f"{side}AnkleMoment"][:, 0]
        assert 1.0 < np.nanmax(ankle) < 2.2  # plantar flexors push off
        assert np.isfinite(found[f"{side}HipMoment"]).all(axis=1).mean() > 0.9
    total = sum(found[f"{side}GroundReactionForce"][:, 2] for side in "LR")
    assert np.nanmean(total) == pytest.approx(9.81, abs=0.3)


def test_parameters_and_inputs_are_named(made) -> None:
    root, trial, derived = made
    assert '"mass_kg": 72.0' in str(derived["gait/angles"].attributes["measures"])
    assert "foot_flat" in str(derived["gait/angles"].attributes["calibration"])
    names = set(derived.inputs)
    static = STATIC.h5(root).relative_to(root).as_posix()
    assert names == {trial.name, static, "participants.tsv:P43"}
    assert derived["gait/moments"].units["LHipMoment"] == "N.m/kg"


def test_the_subject_file_has_the_groups(made) -> None:
    root, _, _ = made
    result = build(root, "P43")
    with h5py.File(result.path, "r") as file:
        (subject,) = variables(file)
        for tree in ("OriginalData", "NormalizedData"):
            node = subject
            for name in (tree, "Ideal", "LG_0", "S_1", "Trial_1"):
                node = node[name]
            assert node.fields[:5] == [
                *("Markers", "Angles", "Forces", "Moments", "Powers")
            ]
            assert node["Angles"].fields[:3] == [
                *("LHipAngles", "LKneeAngles", "LAnkleAngles")
            ]
            assert "LHipForce" in node["Forces"]
            cycles = node["Angles"]["LKneeAngles"]
            if tree == "NormalizedData":
                assert cycles["rsGaitData"].value().shape[:2] == (200, 3)
    assert not [f for f in result.findings if f.severity == "error"]


def test_new_measures_make_the_derived_file_anew(tmp_path, walked, stood) -> None:
    root = dataset(tmp_path / "K2")
    trial = archive(root, key(), walked)
    first, _ = up_to_date(trial)
    (remark,) = [r for r in stored_gait(first).remarks if r.startswith("no angles")]
    assert "leg_length_left_mm is missing" in remark
    assert "angles" not in first["gait"].groups
    listed(root)
    assert [f.code for f in check_path(root) if f.code == "derived-stale"]
    second, _ = up_to_date(trial)
    (remark,) = [r for r in stored_gait(second).remarks if r.startswith("no angles")]
    assert "no static calibration trial (Calibration/Static)" in remark
    archive(root, STATIC, stood)
    third, _ = up_to_date(trial)
    assert "LHipAngles" in third["gait/angles"].arrays
    verdict(root, STATIC, accepted=False)
    fourth, _ = up_to_date(trial)
    assert "angles" not in fourth["gait"].groups
