"""The filters in numpy are those of scipy."""

import numpy as np
from scipy.signal import firwin2, lfilter, lfilter_zi

from devices.sim.filters import Smoother, fir_of


def test_smoother_is_three_poles_in_a_row() -> None:
    pole, block = 0.99, 40
    a, b = np.poly([pole] * 3), [(1 - pole) ** 3]
    raw = np.random.default_rng(1).normal((3.0, -1.0), size=(5 * block, 2))
    settled = lfilter_zi(b, a)[:, None] * raw[0]
    wanted, _ = lfilter(b, a, raw, axis=0, zi=settled)
    smoother = Smoother(pole, block)
    state, found = smoother.settled(raw[0]), []
    for k in range(0, len(raw), block):
        part, state = smoother(raw[k : k + block], state)
        found.append(part)
    np.testing.assert_allclose(np.concatenate(found), wanted, rtol=0, atol=1e-9)


def test_fir_follows_the_wanted_spectrum() -> None:
    f = np.linspace(0.0, 1.0, 401)
    magnitude = np.where((f > 0.02) & (f < 0.25), np.exp(-4 * f), 0.0)
    wanted = firwin2(511, f, magnitude)
    np.testing.assert_allclose(fir_of(magnitude, 511), wanted, rtol=0, atol=2e-3)
