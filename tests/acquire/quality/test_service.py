"""The service evaluates live streams and keeps the newest verdicts."""

import numpy as np
import pytest

from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService, belt_context, live_window
from devices.stream import Channel, Counter, StreamSpec, TriggerInput
from tests.builders.live_fakes import FakeTime, fake_live, until

MARKERS = StreamSpec(
    "vicon-markers",
    "MoCap",
    100.0,
    tuple(Channel(label) for label in ("frame", "LASI_X", "LASI_Y", "LASI_Z", "sync")),
    counter=Counter("device", "frame"),
    trigger=TriggerInput("sync"),
)
BELTS = StreamSpec(
    "treadmill",
    "Treadmill",
    0.0,
    tuple(Channel(label) for label in ("left_mps", "right_mps", "left_set_mps")),
)


@pytest.fixture
def live():
    views, finder = fake_live(MARKERS, BELTS, now=FakeTime())
    yield views, finder
    views.close()


def hidden(n: int = 600) -> np.ndarray:
    rows = np.column_stack([np.arange(n), np.sin(np.arange(n * 4)).reshape(n, 4)])
    rows[:, 1] = np.nan
    return rows


def test_sees_a_hidden_marker_and_publishes(live) -> None:
    views, finder = live
    finder.sources["vicon-markers"].push_rows(hidden())
    until(lambda: views.stats()["vicon-markers"].n_samples == 600)
    now, told = FakeTime(), []
    service = QualityService(
        views, Monitor(now), publish=told.append, period_s=0.01
    ).start()
    until(lambda: told)
    now.t += 3.0
    until(lambda: service.verdicts["vicon-markers"].level == "red")
    service.close()
    subjects = {each.subject for each in service.verdicts["vicon-markers"].findings}
    assert "LASI" in subjects


def test_the_window_knows_its_helpers_and_its_context(live) -> None:
    views, finder = live
    finder.sources["vicon-markers"].push_rows(hidden(2000))
    finder.sources["treadmill"].push_rows([[-1.2, -1.1, 9.0]])
    until(lambda: views.stats()["vicon-markers"].n_samples == 2000)
    until(lambda: views.stats()["treadmill"].n_samples == 1)
    kind, window = live_window(views, "vicon-markers", belt_context(views))
    assert kind == "MoCap"
    assert window.signals() == ("LASI_X", "LASI_Y", "LASI_Z")
    assert len(window.stamps) == 1000
    assert window.context["belt_mps"] == pytest.approx(1.2)
    assert window.walked(60.0)
    finder.sources["treadmill"].push_rows([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], t0=50.0)
    until(lambda: views.stats()["treadmill"].n_samples == 3)
    _, window = live_window(views, "vicon-markers", belt_context(views))
    assert window.walked(1.0)
    assert not window.walked(2.0)
    assert live_window(views, "semg", {}) is None


def test_a_failing_listener_does_not_stop_it(live, caplog) -> None:
    views, _ = live

    def fail(_verdicts):
        raise RuntimeError("no printer")

    service = QualityService(
        views, Monitor(FakeTime()), publish=fail, period_s=0.005
    ).start()
    until(lambda: caplog.text.count("no printer") >= 2)
    service.close()
