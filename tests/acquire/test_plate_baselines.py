"""Unloaded trials of a session zero the plates of trials at the same angle."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquire.dataset.trial_source import up_to_date
from acquire.derive import derive
from acquire.gait.baselines import BaselineError
from acquire.storage.derived_file import Derived, read_derived
from acquire.storage.layout import TrialKey
from acquire.storage.provenance import sha256
from acquire.stored_gait import stored_gait
from acquire.trial_gait import unloaded_baseline
from tests.builders.dataset import archive, dataset, key, verdict
from tests.builders.walking import PLATES, Walk, belt_load, session, with_treadmill

BELT_KG = 60.0  # at 5° it puts 51 N along the plate


def unloaded(trial: int) -> TrialKey:
    return key(trial, condition="Calibration", mode="Unloaded", speed="")


def put(root: Path, trial: TrialKey, **walk) -> Path:
    """Record a walk of 7 s, or 5 s of nobody."""
    person = {"duration_s": 7.0} if trial.condition == "Ideal" else {"mass_kg": 0.0}
    whole = Walk(**{"duration_s": 5.0, "belt_kg": BELT_KG, **person, **walk})
    return archive(root, trial, with_treadmill(session(whole)))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Derived]:
    root = dataset(tmp_path_factory.mktemp("base") / "K2")
    put(root, unloaded(1), incline_deg=0.0)
    put(root, unloaded(2), incline_deg=5.0)
    trial = put(root, key(mode="AS_5"), incline_deg=5.0)
    return root, read_derived(derive(trial))


def test_the_baseline_of_the_angle_is_used_and_named(made) -> None:
    root, derived = made
    plates = derived["gait/plates"]
    path = unloaded(2).h5(root)
    assert plates.attributes["baseline"] == path.relative_to(root).as_posix()
    assert plates.attributes["baseline_sha256"] == sha256(path)
    assert plates.attributes["baseline_incline_deg"] == pytest.approx(5.0)
    assert list(plates.arrays["zero_source"]) == ["baseline", "baseline"]
    walk = Walk(incline_deg=5.0, belt_kg=BELT_KG)
    for k, plate in enumerate(PLATES):
        want = belt_load(walk, plate)
        want[2] += walk.offset_n[k]
        want[3] += 0.1 * walk.offset_n[k]
        assert plates.arrays["zero"][k] == pytest.approx(want, abs=0.1)
    assert np.abs(plates.arrays["zero"][:, 1]).min() > 45  # along the belts
    assert derived.inputs[path.relative_to(root).as_posix()] == sha256(path)


def test_what_hangs_on_the_plate_is_not_the_persons_load(made) -> None:
    found = stored_gait(made[1])
    assert found.checks["stride_mean_tilt_deg"] < 0.2
    assert found.checks["stride_mean_force_n"] == pytest.approx(72 * 9.80665, rel=0.01)
    assert not [r for r in found.remarks if "baseline" in r]
    steps = made[1]["gait/steps"].arrays
    assert set(steps["side"]) == {"left", "right"}
    assert not steps["crossover"].any()


def test_a_baseline_of_another_angle_is_refused_by_name(tmp_path) -> None:
    root = dataset(tmp_path / "K2")
    put(root, unloaded(1), incline_deg=0.0)
    trial = put(root, key(mode="AS_10"), incline_deg=10.0)
    first, _ = up_to_date(trial)
    (remark,) = [r for r in stored_gait(first).remarks if "baseline" in r]
    name = "raw/P43/2026-11-22_1/Calibration/Unloaded/Trial_1_take1.h5"
    assert remark.startswith(f"baseline {name} is refused: it was taken at 0.0°")
    assert set(first["gait/plates"].arrays["zero_source"]) == {"swing"}
    assert first["gait/plates"].attributes["baseline"] == ""
    assert stored_gait(first).checks["stride_mean_tilt_deg"] < 0.3  # all six, in swing
    put(root, unloaded(2), incline_deg=10.0)  # makes what was derived out of date
    second, _ = up_to_date(trial)
    assert set(second["gait/plates"].arrays["zero_source"]) == {"baseline"}
    verdict(root, unloaded(2), accepted=False)
    third, _ = up_to_date(trial)
    assert set(third["gait/plates"].arrays["zero_source"]) == {"swing"}


def test_of_one_angle_the_baseline_of_the_facing_is_used(tmp_path) -> None:
    root = dataset(tmp_path / "K2")
    trial = put(root, key(mode="DS_5"), incline_deg=5.0, facing=-1)
    put(root, unloaded(1), incline_deg=5.0, facing=-1)
    put(root, unloaded(2), incline_deg=5.0)
    made = read_derived(derive(trial))
    assert made["gait/plates"].attributes["baseline_facing"] == "reversed"
    assert stored_gait(made).checks["stride_mean_tilt_deg"] < 0.2
    sides = made["gait/steps"].arrays
    left = sides["plate"][sides["side"] == "left"]
    assert set(left) == {"FP2"}  # facing back, the left foot is on the other belt


def test_an_unloaded_trial_with_somebody_on_it_is_said(tmp_path) -> None:
    root = dataset(tmp_path / "K2")
    loaded = put(root, unloaded(1), mass_kg=60.0)
    with pytest.raises(BaselineError, match=r"Trial_1_take1.h5: plate FP1 is not unl"):
        unloaded_baseline(loaded)
    trial = put(root, key())
    remarks = stored_gait(read_derived(derive(trial))).remarks
    assert any(r.startswith("no baseline: Trial_1_take1.h5: plate") for r in remarks)


def test_a_deck_that_moves_is_said(tmp_path) -> None:
    root = dataset(tmp_path / "K2")
    made = with_treadmill(session(Walk(duration_s=7.0)))
    *others, deck = made.recording.streams
    rows = deck.data.copy()
    rows[:, 2] = np.linspace(0, 2, len(rows))
    moving = replace(made.recording, streams=(*others, replace(deck, data=rows)))
    trial = archive(root, key(), replace(made, recording=moving))
    remarks = stored_gait(read_derived(derive(trial))).remarks
    assert any(r.startswith("the deck moves by 1.4° during") for r in remarks)
