"""The operator window: arranges the widgets and gives them their turns."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QGridLayout, QSplitter, QVBoxLayout, QWidget

from acquire.live import LiveStreams
from acquire.quality.service import QualityService
from gui.bridge import SessionBridge
from gui.models import lanes
from gui.models.attachment import attached, greeting
from gui.models.faults import FaultsSaid
from gui.models.light import EXPECTED, lights
from gui.models.said import words_of
from gui.models.session import SessionView
from gui.models.treadmill import newest
from gui.theme import STYLE
from gui.widgets.amode_panel import AModePanel
from gui.widgets.banner import Banner
from gui.widgets.controls import Controls
from gui.widgets.marker_panel import MarkerPanel
from gui.widgets.messages import Messages
from gui.widgets.prompts import PromptBar
from gui.widgets.stream_lights import StreamLights
from gui.widgets.sweep_panel import SweepPanel
from gui.widgets.treadmill_panel import TreadmillPanel

TICK_MS = 40
EMG_NUMBERS = (("semg.baseline_rms", "base", "µV"), ("semg.snr", "SNR", "dB"))
FORCE_NUMBERS = (("force.zero_offset", "zero", "N"),)


class Window(QWidget):
    """Reads live buffers and verdicts on one timer; hears the session by signals."""

    def __init__(
        self,
        live: LiveStreams,
        quality: QualityService,
        bridge: SessionBridge,
        *,
        expected: Sequence[str] = EXPECTED,
        simulated: bool = False,
        title: str = "Kinemuse",
    ) -> None:
        super().__init__()
        self._live, self._quality, self._bridge = live, quality, bridge
        self._expected = tuple(expected)
        self._session = SessionView()
        self._said_texts: dict[str, int] = {}
        self._faults = FaultsSaid()
        self._n_ticks = 0
        self.setObjectName("window")
        self.setWindowTitle(title)
        self.setStyleSheet(STYLE)
        self._make_widgets()
        self._arrange()
        for each in self.findChildren(QWidget):  # a menu would swallow Esc: abort
            each.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        if simulated:
            self.banner.badge.mark()
        self.controls.asked.connect(lambda verb, given: bridge.send(verb, **given))
        self.prompts.answered.connect(self._answer)
        self._bridge.viewed.connect(self.show_session)
        self._bridge.refused.connect(self._refused)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    def run(self) -> None:
        """Start the timer and the polling of the session."""
        self._bridge.start()
        self._timer.start()

    def tick(self) -> None:
        """One turn: sweeps every time, the rest in rotation; hidden panels never."""
        self._n_ticks += 1
        turn = self._n_ticks
        for panel in (self.emg, self.forces):
            if panel.isVisible():
                panel.tick()
        if turn % 2 == 0 and self.markers.isVisible():
            self.markers.tick()
        if turn % 3 == 0 and self.amode.isVisible():
            self.amode.tick()
        if turn % 5 == 1:
            self.controls.tick()
            known = self._session.belts_known
            self.treadmill.show_view(newest(self._live, session_knows=known))
        if turn % 8 == 2:
            self._show_quality()

    def show_session(self, told: SessionView) -> None:
        """Show a snapshot of the session, or the last one where nobody answers."""
        before, session = self._session, attached(self._session, told)
        self._session = session
        self.messages.say(greeting(before, session))
        if session.message != before.message:
            self.messages.say(session.message)
        for problem in session.problems:
            if problem not in before.problems:
                self.messages.say(problem, "warning")
        self.banner.show_view(session)
        self.controls.show_view(session)
        self.prompts.show_view(session)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt)
        self._timer.stop()
        self._bridge.close()
        self.amode.release()
        super().closeEvent(event)

    # ---- turns ----

    def _show_quality(self) -> None:
        stats, verdicts = self._live.stats(), self._quality.verdicts
        closed = self._session.closed
        self.streams.show_lights(lights(stats, verdicts, self._expected, closed=closed))
        self.emg.show_verdict(verdicts.get("semg"))
        self.forces.show_verdict(verdicts.get("vicon-forces"))
        self.amode.show_verdict(verdicts.get("amode"))
        if any(each.simulated for each in stats.values()):
            self.banner.badge.mark()
        for fault in self._faults.news(() if closed else verdicts.values()):
            self.messages.say(fault, "error")
        self._say_texts(name for name, each in stats.items() if each.is_text)

    def _say_texts(self, names: Iterable[str]) -> None:
        """Say new events of the session and new notices of devices."""
        for name in names:
            for number, _, text in self._live.texts(
                name, self._said_texts.get(name, 0)
            ):
                self._said_texts[name] = number
                self.messages.say(*words_of(text))

    # ---- commands ----

    def _answer(self, prompt_id: int, value: str) -> None:
        self._bridge.send("answer", prompt_id=prompt_id, value=value)

    def _refused(self, verb: str, reason: str) -> None:
        self.messages.say(f"{verb}: {reason}", "error")
        if verb == "answer":
            self.prompts.refuse(reason)

    # ---- building ----

    def _make_widgets(self) -> None:
        live = self._live
        self.banner, self.controls = Banner(), Controls()
        self.prompts = PromptBar()
        self.streams, self.treadmill = StreamLights(), TreadmillPanel()
        self.messages = Messages()
        self.emg = SweepPanel(
            "sEMG", live, "semg", lanes.emg_lanes,
            scales=lanes.EMG_SCALES_UV, scale=500.0, unit="µV", span_s=5.0,
            numbers=EMG_NUMBERS,
        )  # fmt: skip
        self.forces = SweepPanel(
            "Forces on the plates", live, "vicon-forces", lanes.force_lanes,
            scales=lanes.FORCE_SCALES_N, scale=1200.0, unit="N", span_s=5.0,
            numbers=FORCE_NUMBERS,
        )  # fmt: skip
        self.markers, self.amode = MarkerPanel(live), AModePanel(live)

    def _arrange(self) -> None:
        top = QGridLayout()
        top.setSpacing(8)
        top.addWidget(self.banner, 0, 0)
        top.addWidget(self.prompts, 1, 0)
        top.addWidget(self.controls, 0, 1, 2, 1)
        top.setColumnStretch(0, 1)
        left = _splitter(Qt.Orientation.Vertical, self.streams, self.messages)
        left.setSizes([520, 230])
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 1)
        column = QWidget()
        stacked = QVBoxLayout(column)
        stacked.setContentsMargins(0, 0, 0, 0)
        stacked.setSpacing(8)
        stacked.addWidget(self.treadmill)
        stacked.addWidget(left, 1)
        right = _splitter(
            Qt.Orientation.Vertical, self.forces, self.markers, self.amode
        )
        right.setSizes([330, 265, 275])
        body = _splitter(Qt.Orientation.Horizontal, column, self.emg, right)
        body.setSizes([330, 660, 594])
        body.setStretchFactor(0, 0)
        body.setStretchFactor(1, 3)
        body.setStretchFactor(2, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(body, 1)


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(8)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
