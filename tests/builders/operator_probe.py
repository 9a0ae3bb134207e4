"""An operator at the window of a session in the virtual lab: presses, types, looks.

Run under a display as ``python -m tests.builders.operator_probe FOLDER``; prints as
JSON what the window showed at each step, and saves a picture of most.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from acquire import lsl
from acquire.control import ControlClient
from acquire.live.lsl import live_over_lsl
from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from acquire.rig import load_rig
from acquire.virtual_lab import VirtualLab
from gui.bridge import SessionBridge
from gui.screenshot import save_screenshot
from gui.window import Window

PROTOCOL = """
protocol: 1
name: at_the_window
title: A little of everything
condition: Ideal
settings: {settle_s: 1, record_s: 20, steady_cv_percent: null, accel_mps2: 0.5}
steps:
  - {type: borg}
  - {type: trials, mode: LG_0, speed_mps: 0.5, repeat: 2}
"""


class Operator:
    """A window, and hands on its buttons and keys."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self.folder = folder
        self.app = QApplication([])
        self.live = live_over_lsl()
        self.quality = QualityService(self.live, Monitor(lsl.local_clock)).start()
        bridge = SessionBridge(lambda name: ControlClient(name, folder), "bertec")
        self.window = Window(self.live, self.quality, bridge, simulated=True)
        self.window.resize(*size)
        self.window.show()
        self.window.activateWindow()
        if not QTest.qWaitForWindowActive(self.window):
            raise TimeoutError("the window gets no keys")
        self.window.run()

    @property
    def state(self) -> str:
        return self.window.banner.state.said

    @property
    def asked(self) -> str:
        question = self.window.prompts.question
        return question.text if question else ""

    def until(self, what: Callable[[], bool], timeout_s: float = 60.0) -> None:
        end_s = time.monotonic() + timeout_s
        while not what():
            if time.monotonic() > end_s:
                said = self.window.messages.log.toPlainText()[-1500:]
                raise TimeoutError(
                    f"still {self.state!r}, asked {self.asked!r}; {said}"
                )
            self.app.processEvents()
            time.sleep(0.01)

    def until_state(self, words: str) -> None:
        self.until(lambda: words in self.state)

    def press(self, answer: str) -> None:
        """Give an answer that has a button, once it is offered."""
        buttons = self.window.prompts.buttons
        self.until(lambda: answer in [each.text() for each in buttons])
        next(each for each in buttons if each.text() == answer).click()

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.window.windowHandle(), key)

    def type(self, words: str) -> None:
        """Type where the cursor is, and Enter."""
        target = self.app.focusWidget()
        QTest.keyClicks(target, words)
        QTest.keyClick(target, Qt.Key.Key_Return)

    def to_recording(self) -> None:
        """Wait for the take; a busy computer may need another attempt."""

        def is_recording() -> bool:
            if "was not recorded" in self.asked:
                self.press("repeat")
            return "● RECORDING" in self.state

        self.until(is_recording)

    def picture(self, name: str) -> None:
        self.app.processEvents()
        save_screenshot(self.window, self.folder / f"{name}.png")

    def close(self) -> None:
        self.window.close()
        self.quality.close()
        self.live.close()


def main(folder: Path, size: tuple[int, int] = (1280, 720)) -> None:
    rig = load_rig()
    session_id = f"operator-{time.time_ns()}"
    devices = {name: each for name, each in rig.devices.items() if name != "amode"}
    own = rig.lsl.model_copy(update={"session_id": session_id})
    rig = rig.model_copy(update={"lsl": own, "devices": devices})
    lsl.configure(session_id)
    with VirtualLab(rig, free_ports=True, log_dir=folder / "log") as lab:
        session = _session(lab, folder)
        operator = Operator(folder, size)
        try:
            shown = _visit(operator)
            ControlClient("session", folder).request("shutdown", 5.0)
            operator.until(lambda: "Run ended" in operator.window.prompts.text.said)
            shown["gone"] = [operator.state, operator.window.prompts.text.said]
            operator.picture("gone")
            sys.stdout.write(json.dumps(shown))
        finally:
            operator.close()
            session.terminate()
            session.wait(60.0)


def _session(lab: VirtualLab, folder: Path) -> "subprocess.Popen[bytes]":
    rig_file, protocol = folder / "rig.yaml", folder / "protocol.yaml"
    rig_file.write_text(lab.rig.to_yaml(), encoding="utf-8")
    protocol.write_text(PROTOCOL, encoding="utf-8")
    arguments = {
        "rig": rig_file,
        "protocol": protocol,
        "dataset": folder / "dataset",
        "participant": "P43",
        "runtime": folder,
        "lab": lab.addresses["lab"],
    }
    command = [sys.executable, "-m", "acquire.session_process"]
    for option, value in arguments.items():
        command += [f"--{option}", str(value)]
    with (folder / "session.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _visit(operator: Operator) -> dict[str, object]:
    """Start, rate, record, stop for an adverse event, repeat, skip, abort by key."""
    window, shown = operator.window, {}
    operator.until_state("IDLE")
    operator.key(Qt.Key.Key_F5)
    operator.until(lambda: window.prompts.entry is not None)
    shown["range"] = window.prompts.hint.text()
    operator.key(Qt.Key.Key_F2)
    operator.type("42")
    shown["refused"] = window.prompts.hint.text()
    operator.picture("refused")
    operator.key(Qt.Key.Key_F2)
    operator.type("3")
    operator.press("start the belts")
    operator.to_recording()
    operator.until(lambda: len(window.banner.elapsed.text()) > 0)
    operator.picture("recording")
    operator.key(Qt.Key.Key_F12)
    operator.until_state("PAUSED")
    operator.type("dizzy")
    operator.until(lambda: window.treadmill.values["left"].text() == "+0.00")
    operator.picture("adverse")
    operator.key(Qt.Key.Key_F8)
    operator.press("start the belts")
    operator.to_recording()
    operator.key(Qt.Key.Key_F7)
    operator.picture("sure")
    shown["sure"] = window.controls.line.caption.said
    operator.key(Qt.Key.Key_F7)
    operator.until(lambda: "RECORDING" not in operator.state)
    operator.key(Qt.Key.Key_F6)
    operator.type("cable loose")
    operator.until(lambda: "trial 2" in window.banner.trial.said)
    operator.key(Qt.Key.Key_F9)
    QTest.keyClicks(operator.app.focusWidget(), "half a no")
    operator.key(Qt.Key.Key_Escape)
    operator.until_state("ABORTED")
    shown["aborted"] = window.treadmill.values["left"].text()
    return shown


if __name__ == "__main__":
    wide = [int(each) for each in sys.argv[2:4]]
    main(Path(sys.argv[1]), (wide[0], wide[1]) if wide else (1280, 720))
