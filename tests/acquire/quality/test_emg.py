"""sEMG metrics name the fault that is there, and none that is not."""

import numpy as np
import pytest

from acquire.quality import emg
from acquire.quality.metric import Metric
from tests.acquire.quality.windows import muscle, white, window

METRIC: dict[str, Metric] = {each.name: each for each in emg.METRICS}
WALKING = {"belt_mps": 1.0}


def judge(name: str, x: np.ndarray, context=WALKING) -> tuple[float, str]:
    metric = METRIC[f"semg.{name}"]
    value = metric.compute(window(x[:, None], 2000.0, ["R_TA"], context=context))
    return value["R_TA"], metric.level(value["R_TA"])


def hum(uv: float, hz: float = 50.0) -> np.ndarray:
    return uv * np.sin(2 * np.pi * hz * np.arange(12000) / 2000)


@pytest.mark.parametrize("name", [each.partition(".")[2] for each in METRIC])
def test_a_good_channel_raises_nothing(name: str) -> None:
    _, level = judge(name, muscle())
    assert level == "ok"


def test_baseline_and_snr_are_the_numbers_they_claim() -> None:
    value, _ = judge("baseline_rms", white(10.0))
    in_band = 10.0 * np.sqrt(430 / 1000)
    assert value == pytest.approx(in_band, rel=0.12)
    loud, _ = judge("snr", muscle(burst_uv=300.0))
    soft, _ = judge("snr", muscle(burst_uv=30.0))
    assert 15 < loud - soft < 22


@pytest.mark.parametrize(
    ("name", "x", "level"),
    [
        ("baseline_rms", muscle() + white(16), "amber"),
        ("baseline_rms", muscle() + white(60), "red"),
        ("snr", muscle(burst_uv=5.0), "amber"),
        ("snr", muscle(burst_uv=1.0), "red"),
        ("open_electrode", white(50.0), "red"),
        ("mains", muscle() + hum(25.0), "amber"),
        ("mains", muscle() + hum(90.0), "red"),
        ("mains", muscle() + hum(90.0, 60.0), "red"),
        ("motion", muscle() + 20 * hum(30.0, 3.0), "red"),
        ("clipping", np.clip(muscle(), -150, 150), "red"),
        ("flat_line", np.zeros(12000), "red"),
        ("flat_line", np.concatenate([muscle()[:-100], np.full(100, 3.0)]), "amber"),
        ("missing", np.where(np.arange(12000) % 50, 1.0, np.nan), "red"),
    ],
)
def test_a_fault_is_seen(name: str, x: np.ndarray, level: str) -> None:
    assert judge(name, x)[1] == level


def test_a_quiet_muscle_at_rest_is_no_open_electrode() -> None:
    assert judge("open_electrode", white(3.0), context={})[1] == "ok"
    assert judge("open_electrode", white(30.0), context={})[1] == "red"


def test_snr_is_not_judged_while_standing() -> None:
    assert np.isnan(judge("snr", white(3.0), context={})[0])


def test_too_short_a_window_is_not_judged() -> None:
    assert np.isnan(judge("snr", muscle()[:4000])[0])


def test_every_channel_has_a_value_and_helpers_have_none() -> None:
    x = np.column_stack([muscle(), white(50), np.arange(12000)])
    labels = ("R_TA", "L_TA", "index")
    seen = window(x, 2000.0, labels, helpers=frozenset({"index"}), context=WALKING)
    assert set(METRIC["semg.open_electrode"].compute(seen)) == {"R_TA", "L_TA"}
