"""The subject file's structs: names, order, shapes, units and what they hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from acquire.dataset.arrays import TrialArrays
from acquire.dataset.k2muse import Profile, field_name, trees
from acquire.dataset.matfile import Cell
from tests.builders.trial_arrays import trial_of
from tests.builders.walking import MARKERS, G, Session, Walk, markers, session

MASS_KG = 72.0


@pytest.fixture(scope="module")
def recorded() -> Session:
    return session(Walk(duration_s=14.0), lost_us=slice(100, 140))


@pytest.fixture(scope="module")
def trial(recorded: Session) -> TrialArrays:
    return trial_of(recorded)


@pytest.fixture(scope="module")
def structs(trial: TrialArrays) -> tuple[dict[str, Any], dict[str, Any]]:
    made = evaluate(trees(trial, MASS_KG))
    assert list(made) == ["OriginalData", "NormalizedData"]
    return made["OriginalData"], made["NormalizedData"]


def evaluate(value: Any) -> Any:
    while callable(value):
        value = value()
    if isinstance(value, Mapping):
        return {name: evaluate(item) for name, item in value.items()}
    if isinstance(value, Cell):
        return Cell(tuple(evaluate(item) for item in value.items), value.shape)
    return value


def test_fields_come_in_the_published_order(
    structs: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    first, second = structs
    wanted = ["Markers", "Forces", "Events", "USData", "EMGData"]
    assert list(first) == wanted
    assert list(second) == wanted
    assert list(first["Markers"]) == list(MARKERS)
    assert list(first["Forces"]) == ["LGroundReactionForce", "RGroundReactionForce"]
    assert list(second["Markers"]["LASI"]) == ["rsGaitData", "MeanValues", "StdValues"]
    assert list(second["Events"]) == [
        *("LStartFrame", "LEndFrame", "RStartFrame", "REndFrame")
    ]
    assert list(second["EMGData"]) == ["Right", "Left"]


def test_original_shapes_keep_the_ratios(
    trial: TrialArrays, structs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    first, _ = structs
    frames = trial.n_frames
    assert frames == 1199
    assert all(rows.shape == (frames, 3) for rows in first["Markers"].values())
    assert first["EMGData"].shape == (20 * frames, 13)
    assert first["USData"].dims == (240, 1)
    assert {item.shape for item in first["USData"].items} == {(4, 1000)}
    assert {item.dtype.name for item in first["USData"].items} == {"float64"}
    lost = [np.isnan(item).all() for item in first["USData"].items]
    assert sum(lost) == 40


def test_units_are_metres_and_newtons_per_kilogram(
    recorded: Session, structs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    first, _ = structs
    at = np.arange(1199) / 100 + recorded.t0_s
    truth = markers(recorded.walk, at)["RTOE"]
    np.testing.assert_allclose(first["Markers"]["RTOE"], truth, atol=1e-6)
    both = sum(first["Forces"].values())
    np.testing.assert_allclose(both[:, 2], G, rtol=2e-3)


def test_events_are_seconds_and_frames_from_one(
    recorded: Session, structs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    events = structs[0]["Events"]
    names = ["Left_Foot_Strike", "Left_Foot_Off", "Right_Foot_Strike", "Right_Foot_Off"]
    assert list(events["EventTime"]) == names
    assert list(events["EventFrame"]) == names
    times = events["EventTime"]["Left_Foot_Strike"]
    truth = recorded.walk.strikes("left") - recorded.t0_s
    assert times.shape[1] == 1
    np.testing.assert_allclose(times[:, 0], truth[(truth >= 0) & (truth < 11.98)])
    np.testing.assert_array_equal(
        events["EventFrame"]["Left_Foot_Strike"], np.round(times * 100) + 1
    )


def test_strides_are_resampled_at_two_hundred_times(
    recorded: Session,
    trial: TrialArrays,
    structs: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, second = structs
    left, right = trial.accepted("left"), trial.accepted("right")
    assert len(left) >= 9
    for name, strides in (("LTOE", left), ("RTOE", right)):
        data = second["Markers"][name]
        assert data["rsGaitData"].shape == (200, 3, len(strides))
        at = np.linspace(strides[2].start_s, strides[2].end_s, 200) + recorded.t0_s
        truth = markers(recorded.walk, at)[name]
        np.testing.assert_allclose(data["rsGaitData"][:, :, 2], truth, atol=2e-3)
        np.testing.assert_allclose(
            data["MeanValues"], data["rsGaitData"].mean(axis=2), atol=1e-12
        )
        spread = data["rsGaitData"].std(axis=2, ddof=1)
        np.testing.assert_allclose(data["StdValues"], spread, atol=1e-12)


def test_start_frames_follow_end_frames(
    structs: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    events = structs[1]["Events"]
    for side in "LR":
        starts, ends = events[f"{side}StartFrame"], events[f"{side}EndFrame"]
        assert starts.shape == ends.shape == (1, starts.size)
        np.testing.assert_array_equal(starts[0, 1:], ends[0, :-1])
        assert np.all(ends - starts >= 109)


def test_emg_is_cut_not_resampled(
    trial: TrialArrays, structs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    emg = structs[1]["EMGData"]
    assert emg["Right"].dims == (len(trial.accepted("right")), 1)
    assert emg["Left"].dims == (len(trial.accepted("left")), 1)
    assert {item.shape for item in emg["Right"].items} <= {
        (2200, 9),
        (2201, 9),
        (2199, 9),
    }
    assert {item.shape[1] for item in emg["Left"].items} == {4}


def test_echoes_are_cut_by_left_strides_and_may_be_empty(
    trial: TrialArrays, structs: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    strides = structs[1]["USData"]
    left = trial.accepted("left")
    assert strides.dims == (len(left), 1)
    counts = [item.dims[0] for item in strides.items]
    assert 0 in counts  # forty lost frames cover a whole stride
    for stride, cell in zip(left, strides.items, strict=True):
        inside = (trial.echo_time_s >= stride.start_s) & (
            trial.echo_time_s < stride.end_s
        )
        assert cell.dims[0] in {0, int(inside.sum())}
        assert all(item.shape == (4, 1000) for item in cell.items)


def test_a_profile_moves_frames_and_times(trial: TrialArrays) -> None:
    from_zero, usual = (
        evaluate(trees(trial, MASS_KG, profile)["OriginalData"])
        for profile in (Profile(first_frame=0, start_time_s=5.0), Profile())
    )
    name = "Right_Foot_Off"
    moved, kept = from_zero["Events"], usual["Events"]
    np.testing.assert_array_equal(
        moved["EventFrame"][name] + 1, kept["EventFrame"][name]
    )
    np.testing.assert_allclose(moved["EventTime"][name] - 5.0, kept["EventTime"][name])


def test_forces_need_a_mass(trial: TrialArrays) -> None:
    with pytest.raises(ValueError, match="body mass"):
        trees(trial, float("nan"))


@pytest.mark.parametrize(
    ("label", "name"),
    [("LASI", "LASI"), ("*12", "M_12"), ("a b", "a_b"), ("9x", "M9x")],
)
def test_labels_become_field_names(label: str, name: str) -> None:
    assert field_name(label) == name
