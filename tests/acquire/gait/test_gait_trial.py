"""One whole walk: events, feet, strides and the checks against physics."""

import dataclasses

import numpy as np
import pytest

from acquire.gait.cycles import StrideRules, find_strides, normalise
from acquire.gait.events import GaitEvent, times_of
from acquire.gait.kinematic_events import calibrate
from acquire.gait.plates import Deck
from acquire.gait.trial import GaitResult, analyse
from tests.builders.gait_inputs import gait_input
from tests.builders.walking import PIVOT_M, Walk


@pytest.fixture(scope="module", params=[(0.0, 1), (10.0, 1), (5.0, -1)])
def walked(request: pytest.FixtureRequest) -> tuple[Walk, GaitResult]:
    incline_deg, facing = request.param
    walk = Walk(incline_deg=incline_deg, facing=facing)
    return walk, analyse(gait_input(walk))


@pytest.mark.parametrize("side", ["left", "right"])
def test_events_of_the_right_foot_at_the_right_time(
    walked: tuple[Walk, GaitResult], side: str
) -> None:
    walk, found = walked
    events = [event for event in found.events if event.source == "force"]
    for kind, truth, latest in (
        ("strike", walk.strikes(side), 0.006),
        ("off", walk.offs(side), 0.001),
    ):
        times = times_of(events, side, kind)
        want = truth[(truth > 0.05) & (truth < walk.duration_s - 0.05)]
        assert times.size == want.size
        assert np.all(times - want < latest)
        assert np.all(times - want > -0.006)


def test_forces_are_the_persons_weight(walked: tuple[Walk, GaitResult]) -> None:
    walk, found = walked
    for side in ("left", "right"):
        want = walk.force(side, found.force_time_s)
        error = found.forces_n[side] - want
        assert np.abs(error).max() < 6.0
        assert np.sqrt(np.mean(error**2)) < 1.0
    assert found.checks["stride_mean_weight_ratio"] == pytest.approx(1.0, abs=0.01)
    assert found.checks["stride_mean_tilt_deg"] < 0.2
    assert found.checks["cop_inside_share"] == 1.0
    assert found.checks["crossovers"] == 0


def test_strides_are_same_foot_strike_to_strike(
    walked: tuple[Walk, GaitResult],
) -> None:
    walk, found = walked
    good = [stride for stride in found.strides if stride.accepted]
    assert len(good) >= 20
    for stride in good:
        assert stride.end_s - stride.start_s == pytest.approx(walk.stride_s, abs=0.003)
        stance = (stride.off_s - stride.start_s) / walk.stride_s
        assert stance == pytest.approx(walk.stance, abs=0.01)


def test_a_wrong_slope_is_caught_by_gravity() -> None:
    walk = Walk(incline_deg=10.0)
    level = dataclasses.replace(gait_input(walk), deck=Deck(np.zeros(14000), PIVOT_M))
    assert analyse(level).checks["stride_mean_tilt_deg"] == pytest.approx(10.0, abs=0.3)


def test_without_foot_markers_no_foot_is_guessed() -> None:
    walk = Walk(duration_s=5.0)
    blind = dataclasses.replace(gait_input(walk), markers_m={})
    found = analyse(blind)
    assert found.events == []
    assert any("LHEE and LTOE" in remark for remark in found.remarks)


def test_plate_names_do_not_matter() -> None:
    walk = Walk(duration_s=6.0)
    normal = gait_input(walk)
    swapped = dataclasses.replace(
        normal, plates=normal.plates[::-1], loads=normal.loads[::-1]
    )
    assert analyse(swapped).events == analyse(normal).events


def test_both_feet_on_one_plate_is_a_crossover() -> None:
    walk = Walk(duration_s=6.0)
    normal = gait_input(walk)
    placed = dict(normal.markers_m)
    shift = np.array([0.0, 0.24, 0.0])  # right foot steps onto the left belt
    placed.update({name: placed[name] + shift for name in ("RHEE", "RTOE")})
    found = analyse(dataclasses.replace(normal, markers_m=placed))
    left = [step for step in found.steps if step.plate == 0]
    assert left
    assert all(step.crossover for step in left)
    assert not [e for e in found.events if e.source == "force" and e.side == "left"]


def test_markers_step_in_where_force_is_missing() -> None:
    walk = Walk(duration_s=12.0)
    normal = gait_input(walk)
    cut = [load.copy() for load in normal.loads]
    for load in cut:
        load[6000:9000] = np.nan
    found = analyse(dataclasses.replace(normal, loads=cut))
    marked = [e for e in found.events if e.source == "marker"]
    strikes = [e.time_s for e in marked if e.kind == "strike" and e.side == "left"]
    truth = walk.strikes("left")
    missing = truth[(truth > 6.2) & (truth < 8.8)]
    for instant in missing:
        assert np.abs(np.array(strikes) - instant).min() < 0.03
    assert "marker" in {stride.source for stride in found.strides}


def events(lengths: list[float]) -> list[GaitEvent]:
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    found = [GaitEvent(float(t), "left", "strike", "force") for t in at]
    found += [GaitEvent(float(t) + 0.4, "left", "off", "force") for t in at]
    return sorted(found, key=lambda event: event.time_s)


@pytest.mark.parametrize(
    ("lengths", "bad", "why"),
    [
        ([1.1] * 6, [], ""),
        ([1.1, 1.1, 3.0, 1.1, 1.1], [2], "not 0.6 to 2.5"),
        ([1.1, 1.1, 1.4, 1.1, 1.1], [2], "beside a median"),
    ],
)
def test_odd_strides_are_kept_with_a_reason(
    lengths: list[float], bad: list[int], why: str
) -> None:
    strides = find_strides(events(lengths))
    assert [k for k, s in enumerate(strides) if not s.accepted] == bad
    assert all(why in strides[k].reasons[0] for k in bad)


def test_strides_while_belts_change_are_not_steady() -> None:
    strides = find_strides(events([1.1] * 6), steady_s=(2.0, 6.0), rules=StrideRules())
    assert [s.accepted for s in strides] == [False, False, True, True, True, False]


def test_normalising_keeps_both_ends_and_time() -> None:
    t = np.arange(0, 2, 0.01)
    values = np.column_stack([t, 2 * t, np.where(t > 1.5, np.nan, 1.0)])
    got = normalise(t, values, 0.255, 1.253)
    assert got.shape == (200, 3)
    assert got[0, 0] == pytest.approx(0.255)
    assert got[-1, 0] == pytest.approx(1.253)
    np.testing.assert_allclose(np.diff(got[:, 0]), 0.998 / 199)
    assert np.isnan(normalise(t, values, 1.0, 1.9)[:, 2]).any()
    assert np.isnan(normalise(t, values, 1.9, 2.5)[-1]).all()


def test_bias_needs_three_pairs() -> None:
    known = np.array([1.0, 2.0, 3.0, 4.0])
    own = calibrate(known - 0.04, known, usual_s=0.01)
    assert own.bias_s == pytest.approx(-0.04)
    assert own.calibrated
    few = calibrate(known[:2] - 0.04, known, usual_s=0.01)
    assert (few.bias_s, few.pairs, few.calibrated) == (0.01, 2, False)


def test_the_bias_that_was_removed_is_reported() -> None:
    found = analyse(gait_input(Walk(duration_s=8.0)))
    assert found.biases["left", "strike"].pairs >= 5
    late_s = found.checks["marker_strike_late_left_s"]
    assert late_s == found.biases["left", "strike"].bias_s
    assert abs(late_s) < 0.1


def test_strides_with_both_feet_on_one_plate_are_not_accepted() -> None:
    walk = Walk(duration_s=9.0)
    normal = gait_input(walk)
    placed = {name: rows.copy() for name, rows in normal.markers_m.items()}
    t = normal.marker_time_s
    for name in ("RHEE", "RTOE"):  # from 4 to 5 s the right foot is on the left belt
        placed[name][(t > 4.0) & (t < 5.0), 1] += 0.24
    crossed = dataclasses.replace(normal, markers_m=placed)
    found = analyse(crossed)
    shared = [s for s in found.strides if "has both feet on one plate" in s.reasons]
    assert 1 <= len(shared) <= 6
    for stride in shared:
        assert stride.start_s < 5.7
        assert stride.end_s > 3.3
    assert all(s.accepted for s in found.strides if s.end_s < 3.0)
    kept = analyse(crossed, stride_rules=StrideRules(crossovers=True))
    assert not any("one plate" in "".join(s.reasons) for s in kept.strides)
