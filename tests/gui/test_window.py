"""The whole window over fake streams and a fake session."""

import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QWidget,
)

from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from gui.bridge import SessionBridge
from gui.models.session import SessionView
from gui.screenshot import save_screenshot
from gui.widgets.fit_label import FitLabel
from gui.window import Window
from protocols.states import Question, Request
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
        questions=(Question(9, "Keep it?", ("accept", "repeat")),),
    )
    lab.window.show_session(asked)
    assert lab.window.banner.state.said == "JUDGING"
    assert "▲ semg: 3 lost" in lab.window.messages.log.toPlainText()
    lab.window.show_session(asked)
    assert lab.window.messages.log.toPlainText().count("3 lost") == 1
    lab.window.prompts.buttons[1].click()
    spin(lambda: lab.session.asked)
    assert lab.session.asked == [("answer", {"prompt_id": 9, "value": "repeat"})]
    lab.window.show_session(SessionView(reachable=True, message="belts to +1.00 m/s"))
    assert lab.window.prompts.buttons == []
    assert lab.window.prompts.text.text() == "belts to +1.00 m/s"


def test_buttons_and_notes_reach_the_session(lab, spin) -> None:
    lab.window.controls.abort.click()
    lab.window.show_session(SessionView(reachable=True))
    lab.window.controls.line.entry.setText("coughed")
    lab.window.controls.line.entry.returnPressed.emit()
    spin(lambda: len(lab.session.asked) == 2)
    assert ("abort", {}) in lab.session.asked
    assert ("note", {"text": "coughed"}) in lab.session.asked


def test_polling_brings_the_state(lab, spin) -> None:
    lab.window.run()
    spin(lambda: lab.window.banner.state.said == "IDLE")
    assert "ready to begin" in lab.window.messages.log.toPlainText()


def test_a_refused_answer_can_be_given_again(lab) -> None:
    question = Question(1, "Move?", ("yes", "no"))
    lab.window.show_session(SessionView(reachable=True, questions=(question,)))
    lab.window.prompts.buttons[0].click()
    lab.bridge.refused.emit("answer", "not now")
    assert lab.window.prompts.buttons[0].isEnabled()
    assert "✕ answer: not now" in lab.window.messages.log.toPlainText()


GO = {verb: Request("trial 1") for verb in ("pause", "skip", "repeat", "adverse_event")}
ASKED = (
    (),
    (Question(1, "Borg?", (), (0.0, 10.0), "3"),),
    (Question(2, "Keep it?", ("accept", "repeat")),),
)


def test_escape_aborts_wherever_the_focus_is(lab, qapp) -> None:
    window, asked = lab.window, []
    window.controls.asked.connect(lambda verb, _: asked.append(verb))
    lab.walk(1.0)
    lab.turn()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    n_stations = 0
    for questions in ASKED:
        window.show_session(
            SessionView(reachable=True, state="x", questions=questions, requests=GO)
        )
        for button in (None, window.controls.skip, window.controls.adverse_event):
            if button is not None:
                button.click()
            qapp.processEvents()
            for station in _stations(window):
                station.setFocus()
                asked.clear()
                QTest.keyClick(window.windowHandle(), Qt.Key.Key_Escape)
                assert asked == ["abort"], station
                n_stations += 1
    assert n_stations > 9 * 12


def _stations(window: QWidget) -> list[QWidget]:
    """Everything that can have the focus."""
    return [
        each
        for each in window.findChildren(QWidget)
        if each.focusPolicy() != Qt.FocusPolicy.NoFocus
        and each.isEnabled()
        and each.isVisible()
    ]


def test_nothing_in_the_window_can_pop_up_and_swallow_the_abort_key(lab) -> None:
    lab.walk(1.0)
    lab.turn()
    asked = (Question(1, "Why?"),)
    lab.window.show_session(SessionView(reachable=True, questions=asked))
    everything = lab.window.findChildren(QWidget)
    assert [w for w in everything if isinstance(w, QComboBox | QMenu | QDialog)] == []
    with_menus = [
        each
        for each in everything
        if isinstance(each, QLineEdit | QPlainTextEdit | QScrollBar)
        and each.isVisibleTo(lab.window)
        and each.contextMenuPolicy() != Qt.ContextMenuPolicy.NoContextMenu
    ]
    assert with_menus == []


def test_a_run_that_ends_with_its_session_stays_and_the_next_one_shows(lab) -> None:
    window = lab.window
    lab.walk(2.0)
    lab.turn()
    run = {"reachable": True, "participant": "P43", "requests": GO}
    window.show_session(SessionView(**run, state="recording", session="day_1"))
    window.show_session(SessionView(**run, state="finished", session="day_1"))
    for _ in range(3):
        window.show_session(SessionView.unreachable("it is not running"))
    lab.now.t += 30.0
    lab.turn()
    assert window.banner.state.said == "✓ FINISHED"
    assert window.banner.trial.said == "P43"
    assert "Run ended, state finished" in window.prompts.text.said
    assert {row.light.level for row in window.streams.rows.values()} == {"off"}
    assert not window.controls.skip.isEnabled()
    said = window.messages.log.toPlainText()
    assert said.count("Run ended, state finished") == 1
    assert "✕" not in said  # streams that end with their session are no fault
    window.show_session(SessionView(**run, state="idle", session="day_2"))
    assert window.banner.state.said == "IDLE"
    assert "watching session day_2 (P43)" in window.messages.log.toPlainText()
    assert window.controls.skip.isEnabled()


def test_a_session_lost_in_a_run_is_an_alarm(lab) -> None:
    window = lab.window
    window.show_session(SessionView(reachable=True, state="settling", session="a"))
    window.show_session(SessionView.unreachable("did not answer"))
    assert window.banner.state.said == "✕ NO ANSWER"
    assert "hardware e-stop" in window.prompts.text.said
    assert "last state was settling" in window.messages.log.toPlainText()
    assert window.controls.abort.isEnabled()


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


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("questions", ASKED)
def test_no_text_is_cut_on_the_usual_screens(lab, qapp, size, questions) -> None:
    window = lab.window
    lab.walk(2.0)
    window.resize(*size)
    state = "confirming_facing"
    view = SessionView(
        reachable=True, state=state, questions=questions, requests=GO, elapsed_s=83.4
    )
    window.show_session(view)
    window.controls.skip.click()
    lab.turn()
    qapp.processEvents()
    assert (window.width(), window.height()) == size
    shown = [
        each
        for each in window.findChildren(QWidget)
        if isinstance(each, QLabel | QPushButton) and each.isVisible()
    ]
    assert len(shown) > 40
    cut = [each.text() for each in shown if _is_cut(each)]
    assert cut == []


def _is_cut(shown: QLabel | QPushButton) -> bool:
    if isinstance(shown, FitLabel):
        return shown.text() != shown.said
    wraps = isinstance(shown, QLabel) and shown.wordWrap()
    return not wraps and shown.width() < shown.minimumSizeHint().width()


def test_scales_can_be_changed_while_it_runs(lab) -> None:
    lab.walk(2.0)
    lab.turn()
    lab.window.emg.scale.less.click()
    assert lab.window.emg.view.lanes[0].high == 200.0
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
