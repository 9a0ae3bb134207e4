"""The one big line: state, trial, time; readable from across the room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.models.session import OVER, SessionView
from gui.widgets.style import restyle
from gui.widgets.virtual_badge import VirtualBadge

DOTS = {"recording": "●", "paused": "▮▮", "failed": "✕", "aborted": "✕"}


class Banner(QFrame):
    """Shows a `SessionView`; `mark_virtual` stays for good."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.state = QLabel()
        self.trial = QLabel()
        self.step = QLabel()
        self.step.setObjectName("muted")
        self.elapsed = QLabel()
        self.remaining = QLabel()
        self.remaining.setObjectName("muted")
        self.badge = VirtualBadge()
        self.state.setMinimumWidth(230)
        for label in (self.trial, self.step):
            label.setMinimumWidth(140)  # long names are cut, they do not widen it
        self.trial.setStyleSheet("font-size: 19px; font-weight: 600;")
        self.step.setStyleSheet("font-size: 13px;")
        self.elapsed.setStyleSheet(
            f"font-family: {theme.MONO}; font-size: 30px; font-weight: 600;"
        )
        for label in (self.elapsed, self.remaining):
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 8)
        layout.setSpacing(22)
        layout.addWidget(self.state)
        layout.addLayout(_stacked(self.trial, self.step), 1)
        layout.addWidget(self.badge)
        layout.addLayout(_stacked(self.elapsed, self.remaining))
        self.show_view(SessionView())

    def show_view(self, view: SessionView) -> None:
        """Show one snapshot."""
        colour = _colour(view)
        mark = DOTS.get("recording" if view.recording else view.state, "")
        words = view.state.replace("_", " ").upper()
        self.state.setText(f"{mark} {words}".strip())
        restyle(
            self.state,
            f"font-size: 30px; font-weight: 800; color: {colour}; letter-spacing: 1px;",
        )
        self.trial.setText(_what(view))
        self.step.setText(_under(view))
        self.elapsed.setText("" if view.elapsed_s is None else clock(view.elapsed_s))
        left = view.remaining_s
        self.remaining.setText("" if left is None else f"{left:.0f} s left")
        if view.simulated:
            self.badge.mark()


def clock(seconds: float) -> str:
    """Format a duration: ``01:23.4``."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes):02d}:{rest:04.1f}"


def _what(view: SessionView) -> str:
    if view.trial:
        parts = (view.participant, view.trial)
        return "   ".join(part for part in parts if part)
    return view.participant or ("" if view.reachable else "No session is running")


def _under(view: SessionView) -> str:
    size = "" if view.n_bytes is None else f"{view.n_bytes / 1e6:.1f} MB"
    shown = size if view.recording else ""
    why = view.message if view.state in OVER else ""
    parts = (view.protocol, view.step, view.progress, shown, why)
    under = "  ·  ".join(part for part in parts if part)
    return under or view.message


def _colour(view: SessionView) -> str:
    if view.recording:
        return theme.RECORDING
    if not view.reachable:
        return theme.MUTED
    if view.state == "paused" or view.state in ("aborting", "stopping"):
        return theme.WARN
    if view.state in OVER:
        return theme.COLOURS["ok" if view.state == "finished" else "red"]
    return theme.TEXT


def _stacked(upper: QLabel, lower: QLabel) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(0)
    column.addWidget(upper)
    column.addWidget(lower)
    return column
