"""Widgets show what their models say, and say what the operator wants."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from gui.models.light import Light
from gui.models.session import Prompt, SessionView
from gui.models.treadmill import TreadmillView
from gui.widgets.banner import Banner, clock
from gui.widgets.controls import Controls
from gui.widgets.messages import Messages
from gui.widgets.prompts import PromptBar
from gui.widgets.stream_lights import StreamLights
from gui.widgets.treadmill_panel import TreadmillPanel

IDLE = SessionView(reachable=True, state="idle")
RECORDING = SessionView(
    reachable=True,
    state="recording",
    participant="P43",
    trial="Ideal LG_0 S_1 Trial_2",
    elapsed_s=83.44,
    n_bytes=2_500_000,
)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (SessionView(), "NO SESSION"),
        (IDLE, "IDLE"),
        (RECORDING, "● RECORDING"),
        (SessionView(reachable=True, state="confirming_deck"), "CONFIRMING DECK"),
        (SessionView(reachable=True, state="failed"), "✕ FAILED"),
    ],
)
def test_the_banner_says_the_state(keep, view, words) -> None:
    banner = keep(Banner())
    banner.show_view(view)
    assert banner.state.text() == words


def test_the_banner_names_trial_time_and_size(keep) -> None:
    banner = keep(Banner())
    banner.show_view(RECORDING)
    assert "P43" in banner.trial.text()
    assert "Trial_2" in banner.trial.text()
    assert banner.elapsed.text() == "01:23.4"
    assert "2.5 MB" in banner.step.text()


def test_virtual_lab_stays_once_shown(keep) -> None:
    banner = keep(Banner())
    assert not banner.badge.isVisible()
    banner.show_view(SessionView(reachable=True, simulated=True))
    banner.show_view(SessionView(reachable=True, simulated=False))
    assert banner.badge.isVisible()
    assert banner.badge.text() == "VIRTUAL LAB"


def test_clock() -> None:
    assert clock(-1) == "00:00.0"
    assert clock(3725.25) == "62:05.2"


def asked(controls: Controls) -> list[str]:
    verbs: list[str] = []
    controls.asked.connect(verbs.append)
    return verbs


def test_abort_is_always_there(keep) -> None:
    controls = keep(Controls())
    verbs = asked(controls)
    for view in (SessionView(), IDLE, RECORDING, SessionView(True, "failed")):
        controls.show_view(view)
        assert controls.abort.isEnabled()
        controls.abort.click()
    assert verbs == ["abort"] * 4


def test_buttons_follow_the_session(keep) -> None:
    controls = keep(Controls())
    verbs = asked(controls)
    controls.show_view(IDLE)
    assert controls.start.isEnabled()
    assert not controls.pause.isEnabled()
    controls.start.click()
    controls.show_view(RECORDING)
    assert not controls.start.isEnabled()
    controls.pause.click()
    controls.show_view(SessionView(reachable=True, state="paused"))
    assert controls.pause.text().startswith("Resume")
    controls.pause.click()
    assert verbs == ["start", "pause", "resume"]


def test_escape_aborts_wherever_the_focus_is(keep) -> None:
    host = QWidget()
    controls, messages = Controls(host), Messages(host)
    keep(host)
    host.activateWindow()
    assert QTest.qWaitForWindowActive(host)
    verbs = asked(controls)
    messages.note.setFocus()
    QTest.keyClick(messages.note, Qt.Key.Key_Escape)
    assert verbs == ["abort"]


def test_lights_are_shape_words_and_colour(keep) -> None:
    panel = keep(StreamLights())
    panel.show_lights(
        [
            Light("semg", "red", "2000 Hz", "0 lost", "line low", "Plug it in."),
            Light("amode", "ok", "20 Hz"),
        ]
    )
    row = panel.rows["semg"]
    assert row.shape.text() == "✕"
    assert row.advice.text() == "Plug it in."
    assert not row.advice.isHidden()
    assert "fault" in row.accessibleName()
    assert panel.rows["amode"].advice.isHidden()
    assert panel.summary.text() == "✕ 1 to look at"
    panel.show_lights([Light("semg", "ok"), Light("amode", "ok")])
    assert panel.summary.text() == "● all good"
    assert row.shape.text() == "●"


def test_the_treadmill_shows_readback_and_setpoint(keep) -> None:
    panel = keep(TreadmillPanel())
    panel.show_view(
        TreadmillView(
            True, left_mps=1.04, right_mps=-1.0, left_set_mps=1.0, reversed=True
        )
    )
    assert not panel.warning.isVisible()
    assert panel.values["left"].text() == "+1.04"
    assert panel.values["right"].text() == "-1.00"
    assert panel.values["incline"].text() == "-"
    assert panel.asked["left"].text() == "set +1.00"
    assert "REVERSED" in panel.facing.text()


def test_unknown_belts_point_at_the_hardware_e_stop(keep) -> None:
    panel = keep(TreadmillPanel())
    panel.show_view(TreadmillView(False, "last status 3.0 s ago", left_mps=1.0))
    assert panel.warning.isVisible()
    assert "BELT STATE UNKNOWN" in panel.warning.text()
    assert "use the hardware e-stop" in panel.warning.text()
    assert "3.0 s ago" in panel.warning.text()


def test_messages_have_a_time_and_do_not_repeat(keep) -> None:
    panel = keep(Messages(wall=lambda: "12:00:00"))
    panel.say("belts at <1.0> m/s")
    panel.say("belts at <1.0> m/s")
    panel.say("lost", "error")
    lines = panel.log.toPlainText().splitlines()
    assert lines == ["12:00:00 belts at <1.0> m/s", "12:00:00 ✕ lost"]


def test_notes_are_sent_and_cleared(keep) -> None:
    panel = keep(Messages())
    notes: list[str] = []
    panel.noted.connect(notes.append)
    QTest.keyClicks(panel.note, "  coughed ")
    QTest.keyClick(panel.note, Qt.Key.Key_Return)
    QTest.keyClick(panel.note, Qt.Key.Key_Return)
    assert notes == ["coughed"]
    assert panel.note.text() == ""


def answers(bar: PromptBar) -> list[tuple[object, str]]:
    found: list[tuple[object, str]] = []
    bar.answered.connect(lambda key, value: found.append((key, value)))
    return found


def test_a_question_has_a_button_per_answer(keep) -> None:
    bar = keep(PromptBar())
    given = answers(bar)
    prompt = Prompt(7, "Move the deck?", ("move the deck", "skip"))
    bar.show_prompts((prompt,))
    assert bar.isVisible()
    assert [button.text() for button in bar.buttons] == ["move the deck", "skip"]
    bar.buttons[1].click()
    assert given == [(7, "skip")]
    assert not bar.buttons[0].isEnabled()
    bar.enable()
    assert bar.buttons[0].isEnabled()


def test_the_same_question_keeps_its_buttons_and_the_next_replaces_them(keep) -> None:
    bar = keep(PromptBar())
    first = Prompt(1, "A?", ("yes", "no"))
    bar.show_prompts((first,))
    button: QPushButton = bar.buttons[0]
    bar.show_prompts((Prompt(1, "A?", ("yes", "no")),))
    assert bar.buttons[0] is button
    bar.show_prompts((Prompt(2, "B?", ("go",)),))
    assert [each.text() for each in bar.buttons] == ["go"]
    bar.show_prompts(())
    assert not bar.isVisible()


def test_enter_answers_nothing_by_itself(keep) -> None:
    bar = keep(PromptBar())
    given = answers(bar)
    bar.show_prompts((Prompt(1, "Belts on?", ("yes", "no")),))
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert given == []
