"""A-mode metrics."""

import numpy as np
import pytest

from acquire.quality import amode
from tests.acquire.quality.windows import PROBE, lines, window

METRIC = {each.name: each for each in amode.METRICS}


def level(name: str, rows: np.ndarray) -> str:
    metric = METRIC[f"amode.{name}"]
    labels = ("seq", *PROBE)
    seen = np.column_stack([np.arange(len(rows)), rows]).astype(np.int16)
    values = metric.compute(window(seen, 20.0, labels))
    assert set(values) == {"CH1"}
    return metric.level(values["CH1"])


@pytest.mark.parametrize("name", [each.partition(".")[2] for each in METRIC])
def test_good_contact_raises_nothing(name: str) -> None:
    assert level(name, lines(200)) == "ok"


def test_no_echo_is_poor_snr() -> None:
    assert level("echo_snr", lines(gain=0.0)) == "red"


@pytest.mark.parametrize(("left", "said"), [(0.4, "amber"), (0.05, "red")])
def test_a_probe_that_lifts_off(left: float, said: str) -> None:
    rows = lines(200)
    rows[-40:, 100:] *= left
    assert level("coupling_loss", rows) == said


def test_echoes_at_the_rail() -> None:
    assert level("saturation", np.clip(lines(gain=900), -300, 300)) == "red"


def test_a_frozen_device() -> None:
    rows = lines(200)
    rows[-6:] = rows[-6]
    assert level("frozen", rows) == "red"
    rows[-1] += 1
    assert level("frozen", rows) == "ok"


def test_a_few_frames_are_not_judged() -> None:
    metric = METRIC["amode.echo_snr"]
    seen = window(lines(2).astype(np.int16), 20.0, PROBE)
    assert np.isnan(metric.compute(seen)["CH1"])
