"""M-mode brightness."""

from dataclasses import replace

import numpy as np

from gui.models.mmode import MMode, envelope, probe_names
from tests.builders.live_fakes import header
from tests.builders.synthetic_lab import specs


def test_envelope_is_the_peak_of_each_depth() -> None:
    line = np.zeros((1, 1000))
    line[0, 503] = -700
    depths = envelope(line, 200)
    assert depths.shape == (1, 200)
    assert depths[0, 100] == 700
    assert np.count_nonzero(depths) == 1


def test_echoes_are_bright_and_the_picture_wraps() -> None:
    model = MMode(2, n_frames=5)
    frames = np.random.default_rng(0).normal(0, 3, (7, 2, 1000))
    frames[:, 0, 500] = 800
    assert model.add(frames) == 5
    assert model.add(frames[:1]) == 1
    assert model.column == 0
    assert (model.image[0, :, 100] == 255).all()
    assert model.image[0, :, 50].max() < 128
    assert model.relative_lines()[0, 100] == 1.0


def test_no_frames_change_nothing() -> None:
    model = MMode(1, 4)
    assert model.add(np.zeros((0, 1, 1000))) == 0
    assert model.head == -1


def test_silence_is_no_error() -> None:
    model = MMode(1, 4)
    model.add(np.zeros((2, 1, 1000)))
    assert model.image.max() == 0


def test_probes_are_named_by_muscle_where_the_stream_says_so() -> None:
    seen = header(specs()["amode"])
    probes = ("CH1", "CH2", "CH3", "CH4")
    named = replace(seen, metadata={"probes": {"muscles": "L_TA L_LG L_RF L_BF"}})
    assert probe_names(named, probes) == ("L_TA", "L_LG", "L_RF", "L_BF")
    assert probe_names(named, probes[:2]) == probes[:2]  # which two is not known
    assert probe_names(replace(seen, metadata={}), probes) == probes
