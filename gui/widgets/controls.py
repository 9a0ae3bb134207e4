"""Start, pause, abort: buttons and shortcuts over the action table."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from gui.models.actions import ABORT, PAUSE, RESUME, START, ActionInfo
from gui.models.session import SessionView


class Controls(QFrame):
    """Emits `asked` with a verb. Abort is always enabled and asks nothing back."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._view = SessionView()
        self.start = self._button(START, "primary")
        self.pause = self._button(PAUSE, "")
        self.abort = self._button(ABORT, "abort")
        self.abort.setMinimumWidth(170)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(10)
        for button in (self.start, self.pause, self.abort):
            layout.addWidget(button)
            button.setMinimumHeight(46)
        self.start.clicked.connect(lambda: self.asked.emit(START.verb))
        self.pause.clicked.connect(lambda: self.asked.emit(self._pause_now().verb))
        self.abort.clicked.connect(lambda: self.asked.emit(ABORT.verb))
        self._shortcuts = [
            self._shortcut(START.shortcut, self.start),
            self._shortcut(PAUSE.shortcut, self.pause),
            self._shortcut(ABORT.shortcut, self.abort),
        ]
        self.show_view(self._view)

    def show_view(self, view: SessionView) -> None:
        """Enable what the session allows now."""
        self._view = view
        now = self._pause_now()
        self.start.setEnabled(START.allowed(view))
        self.pause.setEnabled(now.allowed(view))
        self.pause.setText(_caption(now))
        self.pause.setToolTip(now.tip)

    def _pause_now(self) -> ActionInfo:
        return RESUME if self._view.paused else PAUSE

    def _button(self, action: ActionInfo, name: str) -> QPushButton:
        button = QPushButton(_caption(action))
        button.setObjectName(name)
        button.setToolTip(action.tip)
        button.setAccessibleName(action.text)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAutoDefault(False)
        return button

    def _shortcut(self, keys: str, button: QPushButton) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(button.click)
        return shortcut


def _caption(action: ActionInfo) -> str:
    return f"{action.text}  [{action.shortcut}]"
