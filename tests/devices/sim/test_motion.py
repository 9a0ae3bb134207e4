"""The walk looks like walking: angles, cadence, variability, starts and stops."""

import numpy as np
import pytest

from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import Person
from tests.builders.walkers import QUIET, SLOPES, SPEEDS, downhill_walker, walker

BELTS = {"accel_left_mps2": 0.5, "accel_right_mps2": 0.5}


def belts(left, right):
    return {"left_mps": left, "right_mps": right, **BELTS}


def curve(w, name):
    t = w.times(100)
    return w.cycle(t, w.person.angles_deg(t)[name][:, 0])


def test_level_angles_are_within_published_ranges():
    w = walker(1.0, 0.0)
    hip, knee, ankle = (curve(w, f"L{j}Angles") for j in ("Hip", "Knee", "Ankle"))
    assert 20 < hip.max() < 40
    assert -20 < hip.min() < 0
    assert 50 < knee[60:90].max() < 70
    assert 5 < knee[5:30].max() < 25
    assert 0 < knee[30:50].min() < 12
    assert 8 < ankle[30:55].max() < 22
    assert -28 < ankle[55:80].min() < -8


def test_slope_changes_angles_as_it_does():
    up, level, down = (walker(1.0, s) for s in (10.0, 0.0, -10.0))
    at_strike = [curve(w, "LHipAngles")[0] for w in (up, level, down)]
    assert at_strike[0] > at_strike[1] + 10
    assert at_strike[1] > at_strike[2] - 1
    knee = [curve(w, "LKneeAngles") for w in (up, level, down)]
    assert knee[0][0] > knee[1][0] + 15  # uphill lands with a bent knee
    assert knee[2][20:50].max() > knee[1][20:50].max() + 8  # downhill yields


@pytest.mark.parametrize("slope", SLOPES)
def test_cadence_and_step_length_follow_speed(slope):
    strides = [np.diff(walker(v, slope).strikes()).mean() for v in SPEEDS]
    steps_per_min = [120 / s for s in strides]
    lengths = [v * s / 2 for v, s in zip(SPEEDS, strides, strict=True)]
    assert steps_per_min == sorted(steps_per_min)
    assert lengths == sorted(lengths)
    ratio = [a / b for a, b in zip(lengths, steps_per_min, strict=True)]
    assert np.allclose(ratio, 0.006, rtol=0.2)  # walk ratio, Sekiya & Nagasaki


def test_stance_share_falls_with_speed():
    shares = []
    for v in SPEEDS:
        w = walker(v, 0.0)
        strikes, offs = w.strikes(), w.strikes(kind="off")
        contact = [offs[offs > s][0] - s for s in strikes if (offs > s).any()]
        shares.append(np.mean(contact) / np.diff(strikes).mean())
    assert shares == sorted(shares, reverse=True)
    assert all(0.58 < share < 0.70 for share in shares)


def test_strides_vary_a_little():
    history = History()
    history.append(0.0, "belts", belts(1.0, 1.0))
    person = Person(LabConfig(seed=5), history)
    strikes = [e[0] for e in person.heel_strikes(5, 60) if e[1:] == ("left", "strike")]
    strides = np.diff(strikes)
    assert 0.005 < strides.std() / strides.mean() < 0.04


def test_events_alternate_and_opposite_feet_take_turns():
    events = walker(1.0, 0.0).person.heel_strikes(3.5, 8.0)
    told = [(side, kind) for _, side, kind in events]
    order = [("right", "strike"), ("left", "off"), ("left", "strike"), ("right", "off")]
    begin = order.index(told[0])
    assert told == [order[(begin + i) % 4] for i in range(len(told))]


def standing(seconds=4.0, **config):
    person = Person(LabConfig(plates=QUIET, **config), History())
    return person, np.arange(int(seconds * 100)) / 100


def test_standing_is_calm():
    person, t = standing()
    markers = person.markers_m(t)
    assert np.ptp(markers[:, :4], axis=0).max() < 0.05
    assert np.ptp(markers[:, [8, 9, 14, 15]], axis=0).max() < 1e-9
    vertical = person.plate_loads(t)[..., 2]
    weight = 72 * 9.81
    assert np.allclose(vertical.sum(axis=1), weight, rtol=0.02)
    assert np.allclose(vertical / weight, 0.5, atol=0.05)
    assert person.heel_strikes(0, 4) == []


def test_walking_starts_and_stops_by_itself():
    history = History()
    history.append(1.0, "belts", belts(1.0, 1.0))
    history.append(8.0, "belts", belts(0.0, 0.0))
    person = Person(LabConfig(plates=QUIET), history)
    t = np.arange(1400) / 100
    markers = person.markers_m(t)
    speed = np.diff(markers, axis=0) * 100
    assert np.abs(np.diff(speed, axis=0)).max() < 2.5  # no jumps
    assert np.abs(speed[1200:]).max() < 0.05
    events = person.heel_strikes(0, 14)
    assert 1.0 < events[0][0] < 1.6
    assert events[-1][0] < 12.0
    assert events[-1][2] == "strike"
    feet = markers[-1, [8, 14], 0]
    assert abs(feet[0] - feet[1]) < 0.06
    vertical = person.foot_forces_n(np.arange(14000) / 1000)[..., 2].sum(axis=1)
    assert vertical.min() / (72 * 9.81) > 0.4
    assert vertical.max() / (72 * 9.81) < 1.6


def test_an_unexpected_stop_is_survived():
    history = History()
    history.append(0.5, "belts", belts(1.5, 1.5))
    stop = {"left_mps": 0.0, "right_mps": 0.0}
    stop |= {"accel_left_mps2": 4.0, "accel_right_mps2": 4.0}
    history.append(7.0, "belts", stop)
    person = Person(LabConfig(plates=QUIET), history)
    markers = person.markers_m(np.arange(1200) / 100)
    assert np.isfinite(markers).all()
    assert np.abs(markers[:, :, 0]).max() < 1.2
    assert np.abs(markers[-50:, 8] - markers[-51, 8]).max() < 1e-6


def test_split_belts_keep_each_foot_on_its_own():
    history = History()
    history.append(0.5, "belts", belts(0.6, 1.2))
    person = Person(LabConfig(plates=QUIET), history)
    t = 6 + np.arange(4000) / 1000
    travel = history.belt_travel_m(t)
    heels = person.markers_m(t)[:, [8, 14], 0]
    phase = person.phase(t)
    for foot in (0, 1):
        middle = (phase[:, foot] > 0.13) & (phase[:, foot] < 0.28)
        on_belt = np.gradient(heels[:, foot] + travel[:, foot], 0.001)[middle]
        assert np.abs(on_belt[5:-5]).mean() < 0.01


def test_the_deck_tilts_under_a_standing_person():
    history = History()
    history.append(0.5, "deck", {"target_deg": 10.0, "rate_dps": 2.0})
    person = Person(LabConfig(plates=QUIET), history)
    t = np.arange(800) / 100
    markers = person.markers_m(t)
    for heel, toe in ((8, 9), (14, 15)):
        foot = markers[:, toe] - markers[:, heel]
        angle = np.degrees(np.arctan2(foot[:, 2], np.hypot(foot[:, 0], foot[:, 1])))
        expected = np.degrees(
            np.arcsin(np.sin(np.radians(history.incline_deg(t))) * np.cos(0.105))
        )
        assert np.abs(angle - expected).max() < 0.2
    assert np.abs(np.diff(markers, n=2, axis=0)).max() * 1e4 < 5.0


def test_facing_back_is_a_turn_in_place():
    w = downhill_walker(1.0, -10.0)
    t = np.arange(600) / 100
    markers = w.person.markers_m(t)
    across = markers[:, 0] - markers[:, 1]
    turned = np.degrees(np.unwrap(np.arctan2(across[:, 1], across[:, 0])))
    assert abs(turned[-1] - turned[0]) == pytest.approx(180, abs=3)
    assert np.abs(np.diff(markers, n=2, axis=0)).max() * 1e4 < 150


def test_feet_stay_above_the_belt():
    w = walker(1.0, 0.0)
    t = w.times(200)
    markers = w.person.markers_m(t)
    lowest = w.person.anatomy.toe[2]
    assert markers[:, [9, 15], 2].min() > 0.8 * lowest


def test_two_people_with_one_history_are_identical():
    w = walker(1.0, 0.0)
    other = Person(w.config, w.history)
    t = w.times(100)
    steps = [other.markers_m(t[i : i + 7]) for i in range(0, t.size, 7)]
    assert np.array_equal(np.concatenate(steps), w.person.markers_m(t))


def test_seeds_differ():
    w = walker(1.0, 0.0)
    other = Person(w.config.model_copy(update={"seed": 99}), w.history)
    t = w.times(100)[:100]
    assert not np.allclose(other.markers_m(t), w.person.markers_m(t), atol=1e-3)


def test_the_past_is_forgotten_with_a_message():
    person = Person(LabConfig(), History())
    person.walk.advance(40.0)
    with pytest.raises(ValueError, match="keeps"):
        person.markers_m(np.array([1.0]))
