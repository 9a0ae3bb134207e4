"""Belts and deck as read back, or the plain statement that nobody knows."""

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui import theme
from gui.models.treadmill import ADVICE, UNKNOWN, TreadmillView
from gui.widgets.panel import Panel
from gui.widgets.style import restyle

BIG = f"font-family: {theme.MONO}; font-size: 26px; font-weight: 600;"


class TreadmillPanel(Panel):
    """Shows a `TreadmillView`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Treadmill", parent)
        self.state = QLabel()
        self.header.addWidget(self.state)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.warning.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.warning.setStyleSheet(
            f"background: {theme.FAULT}; color: #14090a; border-radius: 6px;"
            "padding: 8px; font-size: 15px; font-weight: 800;"
        )
        self.body.addWidget(self.warning)
        self.values = {key: QLabel() for key in ("left", "right", "incline")}
        self.asked = {key: QLabel() for key in ("left", "right", "incline")}
        self.facing = QLabel()
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(0)
        titles = {
            "left": "Left belt m/s",
            "right": "Right belt m/s",
            "incline": "Deck °",
        }
        for column, (key, title) in enumerate(titles.items()):
            head = QLabel(title)
            head.setObjectName("muted")
            self.asked[key].setObjectName("muted")
            self.values[key].setStyleSheet(BIG)
            grid.addWidget(head, 0, column)
            grid.addWidget(self.values[key], 1, column)
            grid.addWidget(self.asked[key], 2, column)
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self.facing)
        self.show_view(TreadmillView(known=False, why="no treadmill stream"))

    def show_view(self, view: TreadmillView) -> None:
        """Show what is known; numbers are greyed when they are not to be trusted."""
        self.warning.setVisible(not view.known)
        self.warning.setText(f"✕ {UNKNOWN}\n{ADVICE}\n({view.why})")
        word = view.state.replace("_", " ") if view.known else "unknown"
        self.state.setText(word.upper())
        colour = theme.MUTED if view.known else theme.COLOURS["red"]
        if view.known and view.moving:
            colour = theme.LEFT
        if view.state in ("unexpected_stop", "adopted"):
            colour = theme.WARN
        restyle(self.state, f"color: {colour}; font-size: 16px; font-weight: 800;")
        for key, value, wanted in (
            ("left", view.left_mps, view.left_set_mps),
            ("right", view.right_mps, view.right_set_mps),
            ("incline", view.incline_deg, view.incline_set_deg),
        ):
            self.values[key].setText(_number(value))
            shade = theme.TEXT if view.known else "#5d6873"
            restyle(self.values[key], f"{BIG} color: {shade};")
            self.asked[key].setText(f"set {_number(wanted)}")
        facing = {True: "REVERSED (toward -x)", False: "forward (toward +x)"}
        side = "not known" if view.reversed is None else facing[view.reversed]
        self.facing.setText(f"Participant faces {side}")


def _number(value: float) -> str:
    return f"{value:+.2f}" if math.isfinite(value) else "-"
