"""A trial archive becomes clocks, times and gait, all of it true."""

from pathlib import Path

import numpy as np
import pytest

from acquire.derive import derive
from acquire.gait.events import times_of
from acquire.placed import place
from acquire.storage.derived_file import (
    Derived,
    read_derived,
    read_derived_attributes,
)
from acquire.storage.provenance import sha256
from acquire.stored_gait import stored_gait
from tests.builders.dataset import archive, key
from tests.builders.walking import Session, Walk, session


@pytest.fixture(scope="module")
def recorded() -> Session:
    return session(Walk(duration_s=16.0, incline_deg=0.0), lost_us=slice(100, 103))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, recorded: Session) -> Path:
    return archive(tmp_path_factory.mktemp("data"), key(), recorded)


@pytest.fixture(scope="module")
def derived(trial: Path) -> Derived:
    return read_derived(derive(trial))


@pytest.mark.parametrize(
    ("name", "within_s"),
    [("vicon-markers", 1e-9), ("vicon-forces", 1e-9), ("semg", 5e-4), ("amode", 0.02)],
)
def test_times_are_true(
    derived: Derived, recorded: Session, name: str, within_s: float
) -> None:
    times = derived["time"].arrays[name]
    np.testing.assert_allclose(times, recorded.trial_time_s()[name], atol=within_s)


def test_clocks_are_recorded_with_losses(derived: Derived) -> None:
    clock = derived["clock/amode"]
    assert clock.attributes["lost"] == 3
    assert clock.groups["gaps"].arrays["n"].tolist() == [3]
    assert clock.groups["gaps"].arrays["kind"].tolist() == ["counted"]
    assert derived["clock/semg"].attributes["skew_ppm"] == pytest.approx(60, abs=40)


def test_the_trial_begins_at_the_first_frame_after_the_rise(trial: Path) -> None:
    derive(trial)
    attributes = read_derived_attributes(trial.with_name("Trial_1_take1.derived.h5"))
    assert attributes["t0_s"] == pytest.approx(1000 / 100 + 1.01)
    assert attributes["duration_s"] == pytest.approx(15.0 - 1.01, abs=2e-3)
    assert attributes["simulated"] is True


def test_gait_events_are_the_persons(derived: Derived, recorded: Session) -> None:
    found = stored_gait(derived)
    assert all(remark.startswith("no angles") for remark in found.remarks)
    for side in ("left", "right"):
        truth = recorded.walk.strikes(side) - recorded.t0_s
        times = times_of(found.events, side, "strike")
        for instant in truth[truth < 13.5]:
            assert np.abs(times - instant).min() < 0.006
    assert found.checks["stride_mean_tilt_deg"] < 0.3
    assert sum(stride.accepted for stride in found.strides) >= 18


def test_forces_are_on_trial_time(derived: Derived, recorded: Session) -> None:
    found = stored_gait(derived)
    truth = recorded.walk.force("left", found.force_time_s + recorded.t0_s)
    error = found.forces_n["left"] - truth
    assert np.sqrt(np.mean(error**2)) < 1.5


def test_inputs_are_named_by_hash(derived: Derived, trial: Path) -> None:
    assert derived.inputs == {trial.name: sha256(trial)}


def test_a_trial_without_a_trigger_still_has_times() -> None:
    recorded = session(Walk(duration_s=6.0), trigger=False)
    facts = place(recorded.recording)
    assert any("no rise" in remark for remark in facts.remarks)
    assert facts.duration_s == pytest.approx(6.0, abs=0.02)
    assert np.isfinite(facts.time_s("semg")).all()
