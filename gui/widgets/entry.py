"""A line to type in that never takes the abort key."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget


class Entry(QLineEdit):
    """Has no context menu: an open popup would swallow Esc, which is abort."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
