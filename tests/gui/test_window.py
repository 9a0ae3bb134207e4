"""The whole window over fake streams and a fake session."""

import json

import numpy as np
import pytest

from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from gui.bridge import SessionBridge
from gui.models.session import Prompt, SessionView
from gui.screenshot import save_screenshot
from gui.window import Window
from tests.builders.live_fakes import FakeTime, fake_live, until
from tests.builders.synthetic_lab import Body, rows_of, specs


class FakeSession:
    """Answers like the control channel, and notes what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict]] = []

    def request(self, verb, /, timeout_s=5.0, **arguments):  # noqa: ARG002
        self.asked.append((verb, arguments))
        return {"state": "idle", "message": "ready to begin"}

    def close(self) -> None: ...


class Lab:
    """A window, its streams and its session."""

    def __init__(self, keep) -> None:
        self.now, self.session = FakeTime(), FakeSession()
        self.live, self.finder = fake_live(*specs().values(), now=self.now)
        self.quality = QualityService(self.live, Monitor(self.now))
        self.bridge = SessionBridge(lambda _name: self.session)
        self.window = Window(self.live, self.quality, self.bridge)
        keep(self.window, (1280, 800))
        self.body, self.sent = Body(set()), dict.fromkeys(specs(), 0)

    def walk(self, seconds: float, without: tuple[str, ...] = ()) -> None:
        """Let every stream but some send so many seconds, and time pass."""
        self.now.t += seconds
        for name, spec in specs().items():
            if name in without or spec.dtype == "string":
                continue
            n = int(seconds * (spec.rate_hz or 10))
            index = np.arange(self.sent[name], self.sent[name] + n)
            self.sent[name] += n
            t = index / (spec.rate_hz or 10)
            rows = rows_of(name, self.body, t, index, np.zeros(n), [])
            source = self.finder.sources[name]
            source.push(rows, t[-len(rows) :])
            until(lambda source=source: not source.queue)
        until(lambda: all(n == 0 or self.has(k) for k, n in self.sent.items()))

    def has(self, name: str) -> bool:
        irregular = not specs()[name].rate_hz
        return self.live.stats()[name].n_samples >= (
            1 if irregular else self.sent[name]
        )

    def turn(self) -> None:
        """Evaluate quality once and let every panel have its turn."""
        self.quality.evaluate()
        for _ in range(24):
            self.window.tick()

    def close(self) -> None:
        self.window.close()
        self.live.close()


@pytest.fixture
def lab(keep):
    made = Lab(keep)
    yield made
    made.close()


def test_every_panel_shows_its_stream(lab) -> None:
    lab.walk(6.0)
    lab.turn()
    window = lab.window
    assert window.emg.view.sweep.head > 0
    assert window.forces.view.sweep.head > 0
    assert window.amode.view.model.head > 0
    assert window.markers.view.figure.hidden == ()
    assert window.treadmill.values["left"].text() == "+1.00"
    assert window.treadmill.state.text() == "MOVING"
    assert window.streams.rows["semg"].shape.text() == "●"
    assert window.banner.badge.isVisible()


def test_a_stream_that_stops_turns_red_and_its_belts_unknown(lab) -> None:
    lab.walk(6.0)
    lab.walk(3.0, without=("treadmill", "semg"))
    lab.turn()
    assert lab.window.treadmill.warning.isVisible()
    assert "use the hardware e-stop" in lab.window.treadmill.warning.text()
    assert lab.window.streams.rows["semg"].light.level == "red"
    assert "No data for 3 s" in lab.window.streams.rows["semg"].light.advice
    assert lab.window.streams.rows["vicon-forces"].light.level != "red"


def test_a_red_finding_is_said_once(lab) -> None:
    lab.body.unplugged = {"R_SOL"}
    lab.walk(6.0)
    for _ in range(8):
        lab.walk(0.5)
        lab.turn()
    said = lab.window.messages.log.toPlainText()
    assert said.count("R_SOL open electrode") == 1
    assert "Plug it in" in said


def test_hidden_panels_cost_nothing(lab) -> None:
    lab.window.emg.setVisible(False)
    lab.walk(2.0)
    lab.turn()
    assert lab.window.emg.view is None
    assert lab.window.forces.view is not None


def test_the_session_is_shown_and_questions_are_answered(lab, spin) -> None:
    asked = SessionView(
        reachable=True,
        state="judging",
        message="Trial 2 is verified",
        problems=("semg: 3 lost",),
        prompts=(Prompt(9, "Keep it?", ("accept", "repeat")),),
    )
    lab.window.show_session(asked)
    assert lab.window.banner.state.text() == "JUDGING"
    assert "▲ semg: 3 lost" in lab.window.messages.log.toPlainText()
    lab.window.show_session(asked)
    assert lab.window.messages.log.toPlainText().count("3 lost") == 1
    lab.window.prompts.buttons[1].click()
    spin(lambda: lab.session.asked)
    assert lab.session.asked == [("answer", {"prompt_id": 9, "value": "repeat"})]
    lab.window.show_session(SessionView(reachable=True, state="idle"))
    assert lab.window.prompts.isHidden()


def test_buttons_and_notes_reach_the_session(lab, spin) -> None:
    lab.window.controls.abort.click()
    lab.window.messages.noted.emit("coughed")
    spin(lambda: len(lab.session.asked) == 2)
    assert ("abort", {}) in lab.session.asked
    assert ("note", {"text": "coughed"}) in lab.session.asked


def test_polling_brings_the_state(lab, spin) -> None:
    lab.window.run()
    spin(lambda: lab.window.banner.state.text() == "IDLE")
    assert "ready to begin" in lab.window.messages.log.toPlainText()


def test_a_refused_answer_can_be_given_again(lab) -> None:
    prompt = Prompt(1, "Move?", ("yes", "no"))
    lab.window.show_session(SessionView(reachable=True, prompts=(prompt,)))
    lab.window.prompts.buttons[0].click()
    lab.bridge.refused.emit("answer", "not now")
    assert lab.window.prompts.buttons[0].isEnabled()
    assert "✕ answer: not now" in lab.window.messages.log.toPlainText()


def test_events_are_shown_in_words(lab) -> None:
    source = lab.finder.sources["kinemuse-events"]
    event = {"event": "trial_start", "t_lsl": 5.0, "trial": "Trial_2"}
    notice = {"device": "vicon", "severity": "warning", "message": "3 frames lost"}
    packet = {"severity": "info", "code": "sent", "message": "00ff"}
    texts = [json.dumps(each) for each in (event, [1], notice, packet)]
    source.push([*texts, "not json"], [1.0, 2.0, 3.0, 4.0, 5.0])
    until(lambda: lab.live.stats()["kinemuse-events"].n_samples == 5)
    lab.turn()
    said = lab.window.messages.log.toPlainText()
    assert "trial start: trial Trial_2" in said
    assert "not json" in said
    assert "00ff" not in said
    assert "▲ vicon: 3 frames lost" in said


def test_it_resizes_and_can_be_pictured(lab, tmp_path, qapp) -> None:
    lab.walk(2.0)
    for size in ((1600, 1000), (1024, 700)):
        lab.window.resize(*size)
        qapp.processEvents()
        lab.turn()
    assert lab.window.width() <= 1200
    picture = save_screenshot(lab.window, tmp_path / "out" / "window.png")
    assert picture.stat().st_size > 20_000
    with pytest.raises(OSError, match="could not be written"):
        save_screenshot(lab.window, tmp_path)


def test_scales_can_be_changed_while_it_runs(lab) -> None:
    lab.walk(2.0)
    lab.turn()
    lab.window.emg.scale.setCurrentIndex(0)
    assert lab.window.emg.view.lanes[0].high == 50.0
    lab.walk(0.2)
    lab.turn()
    assert lab.window.emg.view.lanes[-1].label == "trigger"


def test_a_marker_set_that_changes_is_followed(lab) -> None:
    lab.walk(1.0)
    lab.turn()
    spec = specs()["vicon-markers"]
    fewer = type(spec)(
        spec.name, spec.type, spec.rate_hz, spec.channels[:7], counter=spec.counter
    )
    lab.finder.announce(fewer).push_rows(np.ones((100, 7)))
    lab.live.look()
    until(lambda: lab.live.stats()["vicon-markers"].n_samples == 100)
    lab.turn()
    assert lab.window.markers.view.figure.names == ("LASI", "RASI")
