"""Starts the operator window: live buffers, quality, session bridge, Qt."""

import logging
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import PySide6
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel

from acquire.control import ControlClient
from acquire.live.lsl import live_over_lsl
from acquire.lsl import configure, local_clock
from acquire.quality.monitor import Monitor
from acquire.quality.service import QualityService
from acquire.rig import VIRTUAL_LAB, load_rig
from gui.bridge import SessionBridge
from gui.models.light import EXPECTED
from gui.refcount_guard import QtBindingError, check_binding
from gui.screenshot import save_screenshot
from gui.window import Window

logger = logging.getLogger("kinemuse.gui")

SIZE = (1600, 1000)
GRAVITY_MPS2 = 9.81


def main(
    rig_path: str | Path | None = None,
    dataset: Path | None = None,
    *,
    runtime_dir: Path,
    body_mass_kg: float | None = None,
    screenshot: Path | None = None,
    seconds: float | None = None,
) -> int:
    """Open the window and return when it is closed: 0, or 1 when it cannot open.

    Parameters
    ----------
    rig_path
        Name of a shipped rig or path of a rig file; the virtual lab by default.
    dataset
        Named in the title; the session writes it, not the window.
    runtime_dir
        Where the session and the recorder leave their ports and tokens.
    body_mass_kg
        Of the participant; lets the force quality check mean force.
    screenshot, seconds
        Close by itself after `seconds`, and save a picture before that.
    """
    rig = load_rig(rig_path or VIRTUAL_LAB)
    configure(rig.lsl.session_id, rig.lsl.scope)
    if body_mass_kg is None and rig.lab is not None:
        body_mass_kg = rig.lab.person.mass_kg
    expected = (*rig.streams, "kinemuse-events") if rig.streams else EXPECTED
    context = {}
    if body_mass_kg is not None:
        context["body_weight_n"] = body_mass_kg * GRAVITY_MPS2
    title = " - ".join(filter(None, ("Kinemuse", rig.name, str(dataset or ""))))
    return show(
        runtime_dir=runtime_dir,
        expected=expected,
        simulated=rig.simulated,
        treadmill=rig.treadmill,
        title=title,
        context=context,
        screenshot=screenshot,
        seconds=seconds,
    )


def show(
    *,
    runtime_dir: Path,
    expected: Sequence[str] = EXPECTED,
    simulated: bool = False,
    treadmill: str | None = None,
    title: str = "Kinemuse",
    context: Mapping[str, float] | None = None,
    screenshot: Path | None = None,
    seconds: float | None = None,
) -> int:
    """Open the window on the LSL session this process is configured for."""
    app = _application()
    probe = QLabel()
    try:
        check_binding(lambda: probe.setText(""), PySide6.__version__)
    except QtBindingError as error:
        logger.critical("%s", error)
        return 1
    live = live_over_lsl()
    known = dict(context or {})
    quality = QualityService(live, Monitor(local_clock), context=lambda: known).start()
    bridge = SessionBridge(
        lambda name: ControlClient(name, runtime_dir), treadmill=treadmill
    )
    window = Window(
        live, quality, bridge, expected=expected, simulated=simulated, title=title
    )
    window.resize(*_fitting(app))
    window.show()
    window.run()
    try:
        return _run(app, window, screenshot, seconds)
    finally:
        quality.close()
        live.close()


def _run(
    app: QApplication, window: Window, screenshot: Path | None, seconds: float | None
) -> int:
    """Run until the window closes, the time is up, or Ctrl-C."""

    def finish() -> None:
        if screenshot is not None:
            save_screenshot(window, screenshot)
        window.close()

    if seconds is not None:
        QTimer.singleShot(round(seconds * 1000), finish)
    before = signal.signal(signal.SIGINT, lambda *_: window.close())
    try:
        return app.exec()
    finally:
        signal.signal(signal.SIGINT, before)
        window.close()


def _application() -> QApplication:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["kinemuse"])
    app.setApplicationName("Kinemuse")
    return app


def _fitting(app: QApplication) -> tuple[int, int]:
    """Return the wanted size, or what the screen has room for."""
    screen = app.primaryScreen()
    if screen is None:
        return SIZE
    room = screen.availableGeometry()
    return min(SIZE[0], room.width()), min(SIZE[1], room.height())
