"""Real LSL outlets in, displayed values out."""

import numpy as np
import pytest

from acquire.live.lsl import live_over_lsl
from acquire.lsl import Outlet, local_clock
from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from devices.stream import Chunk
from gui.bridge import SessionBridge
from gui.window import Window
from tests.builders.synthetic_lab import Body, rows_of, specs
from tests.gui.test_window import FakeSession

STEP_S = 0.05


class Feed:
    """Publishes sEMG and treadmill as fast as time passes."""

    def __init__(self) -> None:
        names = ("semg", "treadmill")
        self.outlets = {
            name: Outlet(specs()[name], device="feed", kind="test", simulated=True)
            for name in names
        }
        self.body, self.belt_mps = Body(set()), 1.0
        self.t0, self.n = local_clock(), dict.fromkeys(names, 0)

    def push(self) -> None:
        now = local_clock()
        for name, outlet in self.outlets.items():
            rate_hz = specs()[name].rate_hz or 10.0
            index = np.arange(self.n[name], int((now - self.t0) * rate_hz))
            if index.size:
                self.n[name] = int(index[-1]) + 1
                zeros = np.zeros(index.size)
                rows = rows_of(name, self.body, index / rate_hz, index, zeros, [])
                if name == "treadmill":
                    rows[:, :2] = self.belt_mps
                outlet.push(Chunk(name, rows, now))

    def close(self) -> None:
        for outlet in self.outlets.values():
            outlet.close()


@pytest.mark.usefixtures("lsl_session")
def test_the_window_follows_belts_and_an_unplugged_electrode(keep, spin) -> None:
    feed, session = Feed(), FakeSession()
    live = live_over_lsl(ignore=lambda name: name not in ("semg", "treadmill"))
    quality = QualityService(live, Monitor(local_clock)).start()
    window = Window(live, quality, SessionBridge(lambda _name: session))
    keep(window, (1280, 800))
    window.run()

    def seen(what):
        def look():
            feed.push()
            return what()

        return look

    try:
        spin(seen(lambda: window.treadmill.values["left"].text() == "+1.00"), 10.0)
        assert not window.treadmill.warning.isVisible()
        spin(seen(window.banner.badge.isVisible), 5.0)
        feed.belt_mps = 1.4
        spin(seen(lambda: window.treadmill.values["left"].text() == "+1.40"), 3.0)
        row = window.streams.rows
        spin(seen(lambda: "semg" in row and row["semg"].light.level == "ok"), 10.0)
        feed.body.unplugged = {"R_SOL"}
        spin(seen(lambda: row["semg"].light.level == "red"), 15.0)
        assert "R_SOL" in row["semg"].light.advice
        spin(seen(lambda: "unplugged" in window.messages.log.toPlainText()), 10.0)
        view = window.emg.view
        levels = {
            lane.label: note.level
            for lane, note in zip(view.lanes, view.notes, strict=True)
        }
        assert levels["R_SOL"] == "red"
        assert levels["R_TA"] == "ok"
    finally:
        window.close()
        quality.close()
        live.close()
        feed.close()
