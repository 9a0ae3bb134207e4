"""The one big panel: state, trial, time; readable from across the room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from gui import theme
from gui.models.session import SessionView
from gui.widgets.fit_label import FitLabel
from gui.widgets.virtual_badge import VirtualBadge
from protocols.states import State

MARKS = {
    State.RECORDING: "●",
    State.PAUSED: "▮▮",
    State.FINISHED: "✓",
    State.FAILED: "✕",
    State.ABORTED: "✕",
}
NO_ANSWER = "✕ NO ANSWER"


class Banner(QFrame):
    """Shows a `SessionView`; its badge, once marked, stays for good."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.state = FitLabel(42, 20, weight=800)
        self.trial = FitLabel(21, 13)
        self.step = FitLabel(13, 11, weight=400)
        self.elapsed = QLabel()
        self.remaining = QLabel()
        self.badge = VirtualBadge()
        self.elapsed.setStyleSheet(
            f"font-family: {theme.MONO}; font-size: 40px; font-weight: 600;"
        )
        self.remaining.setStyleSheet("font-size: 19px; font-weight: 600;")
        for label in (self.elapsed, self.remaining):
            label.setAlignment(
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 6, 16, 6)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.state, 0, 0, 1, 2)
        grid.addWidget(self.elapsed, 0, 2)
        grid.addWidget(self.badge, 1, 0, 2, 1)
        grid.addWidget(self.trial, 1, 1)
        grid.addWidget(self.remaining, 1, 2)
        grid.addWidget(self.step, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.show_view(SessionView())

    def show_view(self, view: SessionView) -> None:
        """Show one snapshot."""
        self.state.say(_state(view), _colour(view))
        self.trial.say(_what(view))
        self.step.say(_under(view), theme.MUTED)
        self.elapsed.setText("" if view.elapsed_s is None else clock(view.elapsed_s))
        left = view.remaining_s
        self.remaining.setText("" if left is None else f"{left:.0f} s left")
        if view.simulated:
            self.badge.mark()


def clock(seconds: float) -> str:
    """Format a duration: ``01:23.4``."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes):02d}:{rest:04.1f}"


def _state(view: SessionView) -> str:
    if view.lost and not view.over:
        return NO_ANSWER
    state = State.RECORDING if view.recording else view.state
    mark = MARKS.get(State(state), "") if state in set(State) else ""
    return f"{mark} {view.state.replace('_', ' ').upper()}".strip()


def _what(view: SessionView) -> str:
    what = view.trial or view.step
    parts = (view.participant, what)
    said = "   ".join(part for part in parts if part)
    return said or ("" if view.reachable else "No session is running")


def _under(view: SessionView) -> str:
    step = "" if view.step in (view.trial, "") or not view.trial else view.step
    size = "" if view.n_bytes is None else f"{view.n_bytes / 1e6:.1f} MB"
    shown = size if view.recording else ""
    parts = (view.progress, step, view.protocol, view.session, shown)
    return "  ·  ".join(part for part in parts if part)


def _colour(view: SessionView) -> str:
    if view.recording:
        return theme.RECORDING
    if view.over:
        return theme.COLOURS["ok" if view.state == State.FINISHED else "red"]
    if view.lost:
        return theme.COLOURS["red"]
    if not view.reachable:
        return theme.MUTED
    if view.state in (State.PAUSED, State.ABORTING, State.STOPPING):
        return theme.WARN
    return theme.TEXT
