"""Contacts: the instants, hysteresis, bounces and the recording's ends."""

import numpy as np
import pytest

from acquire.gait.contacts import ContactRules, find_contacts


def step(on: int, off: int, n: int = 2000, peak: float = 800.0) -> np.ndarray:
    force = np.zeros(n)
    force[on:off] = peak * np.sin(np.pi * np.arange(off - on) / (off - on)) ** 0.5
    return force


def test_instants_are_the_crossings_between_samples() -> None:
    force = np.zeros(1000)
    force[300:700] = 400.0
    force[300], force[699] = 10.0, 10.0  # 20 N lies between 10 and 400
    (found,) = find_contacts(force, 1000.0)
    assert found.on == pytest.approx(300 + 10 / 390)
    assert found.off == pytest.approx(698 + 385 / 390)


def test_a_dip_between_the_two_thresholds_is_no_step() -> None:
    force = step(200, 900)
    force[500:510] = 17.0
    assert len(find_contacts(force, 1000.0)) == 1


def test_a_bounce_before_the_strike_does_not_move_it() -> None:
    force = step(200, 900)
    clean = find_contacts(force, 1000.0)[0].on
    force[150:160] = 40.0  # 10 ms
    assert find_contacts(force, 1000.0)[0].on == pytest.approx(clean)


def test_short_loads_are_no_stance_and_short_gaps_no_swing() -> None:
    assert find_contacts(step(200, 300), 1000.0) == []
    force = step(200, 900)
    force[600:680] = 0.0
    assert len(find_contacts(force, 1000.0)) == 1


def test_contacts_cut_by_the_recording_have_no_instant_there() -> None:
    force = np.full(1500, 500.0)
    force[600:900] = 0.0
    first, last = find_contacts(force, 1000.0)
    assert np.isnan(first.on)
    assert np.isfinite(first.off)
    assert np.isfinite(last.on)
    assert np.isnan(last.off)


def test_missing_samples_count_as_unloaded() -> None:
    force = step(200, 900)
    force[1200:1400] = np.nan
    assert len(find_contacts(force, 1000.0)) == 1


def test_the_threshold_rises_with_the_noise() -> None:
    rng = np.random.default_rng(2)
    force = step(700, 1500, 3000) + rng.normal(0, 9.0, 3000)
    (found,) = find_contacts(force, 1000.0)
    assert found.on == pytest.approx(700, abs=8)
    rules = ContactRules(noise_factor=0.0)
    assert find_contacts(force, 1000.0, rules)[0].on <= found.on
