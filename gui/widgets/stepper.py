"""Steps through a few values with two buttons."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget


class Stepper(QWidget):
    """Shows one of `texts` and emits `stepped` with its index when that changes.

    Not a combo box: an open list would swallow Esc, which is abort.
    """

    stepped = Signal(int)

    def __init__(
        self, texts: Sequence[str], index: int, what: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._texts, self.index = tuple(texts), index
        self.less = _button("-", f"{what}: smaller")
        self.more = _button("+", f"{what}: larger")
        self.value = QLabel()
        self.value.setObjectName("muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.less, self.value, self.more):
            layout.addWidget(widget)
        self.less.clicked.connect(lambda: self.step_to(self.index - 1))
        self.more.clicked.connect(lambda: self.step_to(self.index + 1))
        self._show()

    def step_to(self, index: int) -> None:
        """Show another value, if there is one."""
        if 0 <= index < len(self._texts) and index != self.index:
            self.index = index
            self._show()
            self.stepped.emit(index)

    def _show(self) -> None:
        self.value.setText(self._texts[self.index])
        self.less.setEnabled(self.index > 0)
        self.more.setEnabled(self.index < len(self._texts) - 1)


def _button(sign: str, what: str) -> QPushButton:
    button = QPushButton(sign)
    button.setFixedSize(22, 20)
    button.setStyleSheet("padding: 0; border-radius: 4px; font-size: 13px;")
    button.setToolTip(what)
    button.setAccessibleName(what)
    return button
