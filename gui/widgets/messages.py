"""What was said, newest last, with the time."""

import time
from collections.abc import Callable
from html import escape

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui import theme
from gui.widgets.panel import Panel

MAX_LINES = 500
COLOURS = {"info": theme.TEXT, "warning": theme.WARN, "error": theme.COLOURS["red"]}


class Messages(Panel):
    """Appends lines, each with shape, colour and time."""

    def __init__(
        self,
        parent: QWidget | None = None,
        wall: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        super().__init__("Messages", parent)
        self._wall = wall
        self._last = ""
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(MAX_LINES)
        self.log.setMinimumHeight(50)
        self.body.addWidget(self.log, 1)

    def say(self, text: str, severity: str = "info") -> None:
        """Add a line, unless it repeats the last one."""
        if not text or text == self._last:
            return
        self._last = text
        shape = {"warning": "▲ ", "error": "✕ "}.get(severity, "")
        self.log.appendHtml(
            f"<span style='color:{theme.MUTED}'>{self._wall()}</span> "
            f"<span style='color:{COLOURS.get(severity, theme.TEXT)}'>"
            f"{shape}{escape(text)}</span>"
        )
        if not self.log.underMouse():  # nobody is reading further up
            bar = self.log.verticalScrollBar()
            bar.setValue(bar.maximum())
