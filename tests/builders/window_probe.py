"""The operator's window on a virtual lab, looked at while things change.

Run under a display as ``python -m tests.builders.window_probe FOLDER``; prints as JSON
what the window showed before and after the belts started and an electrode came off.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from acquire import lsl
from acquire.control import ControlClient, ControlError
from acquire.live.lsl import live_over_lsl
from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from acquire.rig import load_rig
from acquire.supervise import ChildSpec, Supervisor
from acquire.virtual_lab import VirtualLab
from gui.bridge import SessionBridge
from gui.screenshot import save_screenshot
from gui.window import Window

CHANNEL = "R_SOL"


def main(folder: Path) -> None:
    session_id = f"window-probe-{time.time_ns()}"
    rig = load_rig()
    rig = rig.model_copy(
        update={"lsl": rig.lsl.model_copy(update={"session_id": session_id})}
    )
    lsl.configure(session_id)
    with VirtualLab(rig, free_ports=True, log_dir=folder / "log") as lab:
        rig_file = folder / "rig.yaml"
        rig_file.write_text(lab.rig.to_yaml(), encoding="utf-8")
        common = ("--rig", str(rig_file), "--session-id", session_id)
        hosts = [
            ChildSpec(
                name,
                "acquire.device_host",
                (*common, "--runtime", str(folder), "--device", name),
            )
            for name in rig.devices
        ]
        with Supervisor(hosts, folder / "log"):
            sys.stdout.write(json.dumps(_look(lab, folder)))


def _look(lab: VirtualLab, folder: Path) -> dict[str, object]:
    app = QApplication([])
    live = live_over_lsl()
    quality = QualityService(live, Monitor(lsl.local_clock)).start()
    bridge = SessionBridge(lambda name: ControlClient(name, folder))
    window = Window(live, quality, bridge, simulated=True)
    window.resize(1600, 1000)
    window.show()
    window.run()
    treadmill = ControlClient("bertec", folder)
    next_beat = [0.0]

    def spin(what: Callable[[], bool], timeout_s: float) -> bool:
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            app.processEvents()
            if time.monotonic() > next_beat[0]:
                next_beat[0] = time.monotonic() + 0.1
                _ask(treadmill, "heartbeat")
            if what():
                return True
            time.sleep(0.01)
        return False

    def left() -> str:
        return window.treadmill.values["left"].text()

    def light() -> str:
        row = window.streams.rows.get("semg")
        return row.light.level if row else "none"

    shown: dict[str, object] = {"platform": app.platformName()}
    spin(lambda: left() == "+0.00" and light() == "ok", 60.0)
    shown["before"] = [left(), light(), window.banner.badge.isVisible()]
    _ask(treadmill, "arm")
    belts = {"left_mps": 1.0, "right_mps": 1.0, "accel_mps2": 0.5}
    spin(lambda: _ask(treadmill, "belts", **belts), 5.0)
    spin(lambda: left().startswith(("+0.99", "+1.00")), 15.0)
    shown["walking"] = left()
    spin(lambda: False, 6.0)
    client = lab.client()
    fault = {"device": "noraxon", "fault": "electrode_off", "channel": CHANNEL}
    client.append("fault", {**fault, "at": client.world_now() + 0.5, "for": 60.0})
    spin(lambda: light() == "red", 25.0)
    row = window.streams.rows["semg"]
    shown["unplugged"] = [light(), row.light.advice]
    save_screenshot(window, folder / "window.png")
    _ask(treadmill, "stop")
    spin(lambda: left() == "+0.00", 10.0)
    shown["stopped"] = left()
    window.close()
    quality.close()
    live.close()
    treadmill.close()
    client.close()
    return shown


def _ask(client: ControlClient, verb: str, **arguments: object) -> bool:
    try:
        client.request("command", 1.0, verb=verb, arguments=arguments)
    except ControlError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
