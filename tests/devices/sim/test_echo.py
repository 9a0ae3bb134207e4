"""A-mode lines: frequency, attenuation, interfaces that move with the muscle."""

import numpy as np
from scipy.signal import hilbert

from devices.sim.echo import LAYERS, STEP_MM
from devices.sim.person import Person
from tests.builders.walkers import walker

_SHALLOW, _DEEP = slice(200, 450), slice(750, 1000)


def frames(w, n=60):
    return w.person.echo(w.times(20)[:n])


def test_shape_type_and_depth():
    lines = frames(walker(1.0, 0.0))
    assert lines.shape == (60, 4, 1000)
    assert lines.dtype == np.int16
    assert np.isclose(STEP_MM * 1000, 38.5)


def test_centre_frequency_is_5_mhz():
    lines = frames(walker(1.0, 0.0)).astype(float).reshape(-1, 1000)[:, 100:]
    power = (np.abs(np.fft.rfft(lines - lines.mean(axis=1, keepdims=True))) ** 2).mean(
        0
    )
    frequency = np.fft.rfftfreq(lines.shape[1], 1 / 20e6)
    centre = (frequency * power).sum() / power.sum()
    assert 4e6 < centre < 6e6


def test_probe_rings_and_tissue_attenuates():
    envelope = np.abs(hilbert(frames(walker(1.0, 0.0)).astype(float), axis=-1)).mean(0)
    assert (envelope[:, :15].mean(axis=1) > 4 * envelope[:, 100:200].mean(axis=1)).all()
    shallow, deep = (np.median(envelope[:, part]) for part in (_SHALLOW, _DEEP))
    assert deep < shallow


def test_interfaces_move_with_the_muscle():
    lines = frames(walker(1.0, 0.0)).astype(float)
    for muscle, layers in enumerate(LAYERS):
        envelope = np.abs(hilbert(lines[:, muscle], axis=-1))
        layer = max(layers, key=lambda item: item.strength * abs(item.contracted_mm))
        near = int(layer.depth_mm / STEP_MM)
        window = envelope[:, near - 70 : near + 110]
        depth = window.argmax(axis=1) * STEP_MM
        assert 0.3 < np.ptp(np.percentile(depth, [5, 95])) < 6


def test_standing_muscle_is_still():
    w = walker(1.0, 0.0)
    person = Person(w.config, type(w.history)())
    lines = person.echo(np.arange(10) / 20 + 1).astype(float)
    change = np.abs(np.diff(lines, axis=0)).mean()
    assert change < 60


def test_lines_repeat():
    w = walker(1.0, 0.0)
    t = w.times(20)[:10]
    one_by_one = np.concatenate([w.person.echo(t[i : i + 1]) for i in range(10)])
    assert np.array_equal(one_by_one, w.person.echo(t))
