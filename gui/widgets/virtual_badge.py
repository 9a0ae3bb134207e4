"""VIRTUAL LAB: says for good that what is shown does not come from instruments."""

from PySide6.QtWidgets import QLabel, QWidget

from gui import theme


class VirtualBadge(QLabel):
    """Hidden until `mark`; nothing hides it again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("VIRTUAL LAB", parent)
        self.setStyleSheet(
            f"background: {theme.VIRTUAL}; color: #1b0f17; border-radius: 6px;"
            "padding: 4px 12px; font-size: 18px; font-weight: 800; letter-spacing: 2px;"
        )
        self.setToolTip("The instruments are simulated: no person is on the treadmill")
        self.setVisible(False)

    def mark(self) -> None:
        """Show it from now on."""
        self.setVisible(True)
