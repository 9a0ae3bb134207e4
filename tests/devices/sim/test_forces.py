"""Ground reaction obeys Newton, and falls where the feet are."""

import numpy as np
import pytest

from devices.sim import anatomy as shape
from devices.sim.config import SIDES
from tests.builders.walkers import SLOPES, SPEEDS, downhill_walker, walker

EVERY = pytest.mark.parametrize(
    ("speed", "slope"), [(v, s) for v in SPEEDS for s in SLOPES]
)


def world_forces(w, t):
    """Force on the person from both plates, world axes, as a reader computes it."""
    loads = w.person.plate_loads(t)
    deck = w.history.incline_deg(t[:1])[0]
    axes = w.config.plates.rotation(deck)
    return -loads[..., :3] @ axes.T


def segment_com(w, t):
    """Centre of mass summed here, segment by segment."""
    pose = w.person.body.pose(w.rows(t))
    hips, knee, feet = pose.pelvis.hips, pose.knee, pose.feet
    com = 0.678 * pose.trunk
    for i in (0, 1):
        com = com + 0.1 * (knee[:, i] + 0.567 * (hips[:, i] - knee[:, i]))
        com = com + 0.0465 * (
            feet.ankle[:, i] + 0.567 * (knee[:, i] - feet.ankle[:, i])
        )
        com = com + 0.0145 * w.person.body.foot_com(feet)[:, i]
    return com


def test_mass_shares_add_up():
    legs = 2 * (shape.THIGH_MASS + shape.SHANK_MASS + shape.FOOT_MASS)
    assert shape.TRUNK_MASS + legs == pytest.approx(1.0)
    assert pytest.approx(0.678) == shape.TRUNK_MASS


@EVERY
def test_force_less_weight_is_mass_times_acceleration(speed, slope):
    w = walker(speed, slope)
    t = w.times(1000)
    force = world_forces(w, t).sum(axis=1)[1:-1]
    com = segment_com(w, t)
    inertial = w.config.person.mass_kg * (com[2:] - 2 * com[1:-1] + com[:-2]) * 1e6
    rest = force - inertial - [0, 0, w.weight_n]
    rms = np.sqrt((rest**2).sum(axis=1).mean())
    assert rms < 0.02 * w.weight_n


@EVERY
def test_mean_vertical_force_is_the_weight(speed, slope):
    w = walker(speed, slope)
    strikes = w.strikes()
    t = np.arange(strikes[0], strikes[-1], 0.001)
    vertical = world_forces(w, t)[..., 2].sum(axis=1).mean()
    assert vertical == pytest.approx(w.weight_n, rel=0.01)


@EVERY
def test_each_foot_peaks_between_one_and_1_3_weights(speed, slope):
    w = walker(speed, slope)
    t = w.times(1000)
    vertical = w.person.foot_forces_n(t)[:, :, 2] / w.weight_n
    assert 1.0 < vertical.max() < 1.35
    assert vertical.min() > -1e-9


@pytest.mark.parametrize("speed", [1.0, 1.5])
def test_level_walking_has_two_peaks(speed):
    w = walker(speed, 0.0)
    t = w.times(1000)
    curve = w.cycle(t, w.person.foot_forces_n(t)[:, 0, 2]) / w.weight_n
    first, valley, second = curve[5:22].max(), curve[22:40].min(), curve[40:60].max()
    assert 1.0 < first < 1.3
    assert 1.0 < second < 1.3
    assert valley < min(first, second) - 0.1


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_step_brakes_then_pushes(speed):
    w = walker(speed, 0.0)
    t = w.times(1000)
    curve = w.cycle(t, w.person.foot_forces_n(t)[:, 0, 0]) / w.weight_n
    assert -0.3 < curve[5:25].min() < -0.04
    assert 0.04 < curve[35:60].max() < 0.3
    assert abs(curve.mean()) < 0.01


@EVERY
def test_pressure_is_under_the_sole_and_goes_forward(speed, slope):
    w = walker(speed, slope)
    t = w.times(1000)
    rows = w.rows(t)
    pose = w.person.body.pose(rows)
    on = rows.swing[:, 0] == 0
    away = w.person.pressure_m(t)[:, 0] - pose.feet.ankle[:, 0]
    axes = pose.feet.axes[:, 0]
    ahead = np.einsum("ni,ni->n", away, axes[..., 0])[on]
    below = np.einsum("ni,ni->n", away, axes[..., 2])[on]
    aside = np.einsum("ni,ni->n", away, axes[..., 1])[on]
    assert ahead.min() > -0.09
    assert ahead.max() < 0.20
    assert np.abs(aside).max() < 0.045
    assert below.max() < -0.05
    forward = w.cycle(t, np.einsum("ni,ni->n", away, axes[..., 0]))
    assert forward[8] < forward[20] < forward[40]


@EVERY
def test_plates_give_the_centre_of_pressure(speed, slope):
    """As in the Bertec manual, where one foot stands on the plate."""
    w = walker(speed, slope)
    t = w.times(1000)
    loads = w.person.plate_loads(t)
    deck = float(w.history.incline_deg(t[:1])[0])
    plates = w.config.plates
    for i, side in enumerate(SIDES):
        fx, fy, fz, mx, my, _ = loads[:, i].T
        on = fz > 100
        h = plates.surface_height_m
        x = (-h * fx - my)[on] / fz[on]
        y = (-h * fy + mx)[on] / fz[on]
        local = np.stack([x, y, np.full_like(x, -h)], axis=-1)
        world = local @ plates.rotation(deck).T + plates.origin_m(side, deck)
        told = w.person.pressure_m(t)[on, i]
        assert np.abs(world - told).max() < 1e-6


def test_force_is_on_the_plate_of_the_belt_under_the_foot():
    ahead, back = walker(1.0, 0.0), downhill_walker(1.0, -10.0)
    for w, plate in ((ahead, 0), (back, 1)):
        t = w.times(1000)
        loads, feet = w.person.plate_loads(t), w.person.foot_forces_n(t)
        size = np.linalg.norm(loads[..., :3], axis=-1)
        left = np.linalg.norm(feet[:, 0], axis=-1)
        assert np.allclose(size[:, plate], left, atol=1e-6)


@EVERY
def test_force_begins_and_ends_with_contact(speed, slope):
    w = walker(speed, slope)
    t = w.times(1000)
    vertical = w.person.foot_forces_n(t)[:, 0, 2]
    loaded = vertical > 20
    onset = t[1:][~loaded[:-1] & loaded[1:]]
    offset = t[1:][loaded[:-1] & ~loaded[1:]]
    for strike in w.strikes()[1:-1]:
        late = onset[np.abs(onset - strike).argmin()] - strike
        assert 0 <= late < 0.004
    for off in w.strikes(kind="off")[1:-1]:
        early = off - offset[np.abs(offset - off).argmin()]
        assert -0.001 <= early < 0.004


def test_no_force_in_swing():
    w = walker(1.5, -5.0)
    t = w.times(1000)
    aloft = w.rows(t).swing > 0
    forces = w.person.foot_forces_n(t)
    assert np.abs(forces[aloft]).max() < 1e-6


@EVERY
def test_foot_does_not_slip_in_mid_stance(speed, slope):
    w = walker(speed, slope)
    t = w.times(1000)
    heel = w.person.markers_m(t)[:, 8]
    deck = np.radians(w.slope_deg)
    along = heel[:, 0] * np.cos(deck) + heel[:, 2] * np.sin(deck)
    on_belt = along + w.history.belt_travel_m(t)[:, 0]
    stance = w.person.phase(t)[:, 0]
    for strike in w.strikes()[:-1]:
        middle = (t > strike) & (t < strike + 0.6) & (stance > 0.11) & (stance < 0.31)
        assert np.ptp(on_belt[middle]) < 0.005
        assert np.ptp(heel[middle, 1]) < 0.005


def test_noise_and_baseline_are_options():
    w = walker(1.0, 0.0)
    t = w.times(1000)[:2000]
    baseline = ((1.0, 2.0, 3.0, 0.1, 0.2, 0.3), (0.0,) * 6)
    plates = w.config.plates.model_copy(
        update={"force_noise_n": 1.0, "moment_noise_nm": 0.3, "baseline": baseline}
    )
    noisy = type(w.person)(w.config.model_copy(update={"plates": plates}), w.history)
    extra = noisy.plate_loads(t) - w.person.plate_loads(t)
    assert np.allclose(extra.mean(axis=0)[0], baseline[0], atol=0.15)
    assert extra[:, :, :3].std(axis=0) == pytest.approx(np.ones((2, 3)), rel=0.1)
