"""Surface EMG: band, phases, amplitudes, fatigue."""

import numpy as np
import pytest
from scipy.signal import welch

from devices.sim.config import LabConfig
from devices.sim.history import History
from devices.sim.person import EMG_CHANNELS, Person
from tests.builders.walkers import walker


def loudness(w, channel):
    """Root mean square over the cycle, 20 bins from the channel's own strike."""
    t = w.times(2000)
    uv = w.person.emg_uv(t)[:, EMG_CHANNELS.index(channel)]
    phase = w.person.phase(t)[:, 0 if channel[0] == "L" else 1]
    bins = np.minimum((phase * 20).astype(int), 19)
    return np.array([np.sqrt((uv[bins == i] ** 2).mean()) for i in range(20)])


@pytest.mark.parametrize(
    ("channel", "loud", "quiet"),
    [
        ("R_TA", (0, 13, 18), (6, 8)),
        ("R_MG", (7, 8), (0, 16)),
        ("L_LG", (7, 8), (0, 16)),
        ("R_SOL", (8,), (0, 16)),
        ("R_RF", (1, 12), (7, 16)),
        ("R_VLO", (1, 19), (8, 14)),
        ("R_VMO", (1, 19), (8, 14)),
        ("R_BF", (18, 19), (6, 12)),
        ("R_SEM", (18,), (6, 12)),
    ],
)
def test_bursts_come_in_the_published_phases(channel, loud, quiet):
    found = loudness(walker(1.0, 0.0), channel)
    assert min(found[i] for i in loud) > 3 * max(found[i] for i in quiet)


def power(w, channel):
    return np.sqrt((loudness(w, channel) ** 2).mean())


def test_amplitude_grows_with_speed_and_slope():
    for channel in ("R_MG", "R_VLO", "R_BF"):
        assert power(walker(0.5, 0.0), channel) < power(walker(1.5, 0.0), channel)
        assert power(walker(1.0, 0.0), channel) < power(walker(1.0, 10.0), channel)
    assert power(walker(1.0, 0.0), "R_VLO") < power(walker(1.0, -10.0), "R_VLO")


def test_calm_stance_is_a_few_microvolts():
    uv = Person(LabConfig(), History()).emg_uv(np.arange(4000) / 2000)
    quiet = uv[:, EMG_CHANNELS.index("R_BF")].std()
    assert 1.5 < quiet < 6


def spectrum(level):
    history = History()
    history.append(0.0, "fatigue", {"level": level})
    uv = Person(LabConfig(), history).emg_uv(1 + np.arange(20000) / 2000)
    frequency, density = welch(uv[:, 3], 2000, nperseg=2000)
    share = np.cumsum(density) / density.sum()
    return [frequency[np.searchsorted(share, q)] for q in (0.02, 0.5, 0.98)]


def test_band_and_fatigue():
    low, fresh, high = spectrum(0.0)
    assert low > 18
    assert high < 500
    assert 80 < fresh < 130
    assert spectrum(0.5)[1] < fresh - 8
    assert spectrum(1.0)[1] < spectrum(0.5)[1]


def test_values_do_not_depend_on_how_they_are_asked_for():
    w = walker(1.0, 0.0)
    t = w.times(2000)[:1500] + 0.00013
    whole = w.person.emg_uv(t)
    parts = [w.person.emg_uv(t[i : i + 37]) for i in range(0, t.size, 37)]
    assert np.allclose(np.concatenate(parts), whole, atol=1e-9)


def test_nothing_asked_nothing_given():
    assert walker(1.0, 0.0).person.emg_uv(np.empty(0)).shape == (0, 13)
