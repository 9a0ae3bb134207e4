"""Widgets show what their models say, and say what the operator wants."""

import pytest

from gui import theme
from gui.models.light import Light
from gui.models.session import SessionView
from gui.models.treadmill import TreadmillView
from gui.widgets.banner import Banner, clock
from gui.widgets.fit_label import ELLIPSIS, FitLabel
from gui.widgets.messages import Messages
from gui.widgets.stepper import Stepper
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
        (
            SessionView(reachable=True, state="ramping", recorder="recording"),
            "● RAMPING",
        ),
        (SessionView(lost=True, state="recording"), "✕ NO ANSWER"),
        (SessionView(lost=True, state="finished"), "✓ FINISHED"),
    ],
)
def test_the_banner_says_the_state(keep, view, words) -> None:
    banner = keep(Banner())
    banner.show_view(view)
    assert banner.state.said == words


def test_the_banner_names_trial_time_and_size(keep) -> None:
    banner = keep(Banner())
    banner.show_view(RECORDING)
    assert "P43" in banner.trial.said
    assert "Trial_2" in banner.trial.said
    assert banner.elapsed.text() == "01:23.4"
    assert "2.5 MB" in banner.step.said


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
    late = "last status 3.0 s ago"
    panel.show_view(TreadmillView(False, late, left_mps=1.0, state="moving"))
    assert panel.state.text() == "UNKNOWN"
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


def test_letters_shrink_before_a_text_is_cut(keep) -> None:
    label = keep(FitLabel(30, 12), (300, 40))
    label.say("IDLE", theme.WARN)
    assert "font-size: 30px" in label.styleSheet()
    assert theme.WARN in label.styleSheet()
    label.say("CONFIRMING FACING")
    assert label.text() == "CONFIRMING FACING"
    assert label.toolTip() == ""
    assert "font-size: 30px" not in label.styleSheet()
    label.say("a great many words " * 9)
    assert label.text().endswith(ELLIPSIS)
    assert label.text()[:-1] == label.said[: len(label.text()) - 1]
    assert label.toolTip() == label.said
    label.resize(3000, 40)
    assert label.text() == label.said


def test_a_stepper_stops_at_its_ends(keep) -> None:
    stepper = keep(Stepper(["50", "100"], 0, "range"))
    heard: list[int] = []
    stepper.stepped.connect(heard.append)
    assert not stepper.less.isEnabled()
    stepper.more.click()
    stepper.more.click()
    stepper.less.click()
    assert heard == [1, 0]
    assert stepper.value.text() == "50"
