"""The list of streams: shape, words and colour, rate, losses, trigger, advice."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.models.light import Light, summary
from gui.widgets.panel import Panel
from gui.widgets.style import restyle

WORDS = {"ok": "good", "amber": "look", "red": "fault", "off": "idle"}


class StreamRow(QWidget):
    """One stream."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.light: Light | None = None
        self.shape, self.name, self.rate = QLabel(), QLabel(), QLabel()
        self.detail, self.trigger, self.advice = QLabel(), QLabel(), QLabel()
        self.name.setStyleSheet("font-weight: 600; font-size: 13px;")
        self.rate.setStyleSheet(f"font-family: {theme.MONO}; font-size: 12px;")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for label in (self.rate, self.trigger):
            label.setAlignment(right)
        for label in (self.detail, self.trigger):
            label.setStyleSheet(f"color: {theme.MUTED}; font-size: 11px;")
        self.advice.setWordWrap(True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 1, 0, 1)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.setColumnMinimumWidth(0, 26)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.shape, 0, 0, 2, 1)
        grid.addWidget(self.name, 0, 1)
        grid.addWidget(self.rate, 0, 2)
        grid.addWidget(self.detail, 1, 1)
        grid.addWidget(self.trigger, 1, 2)
        grid.addWidget(self.advice, 2, 1, 1, 2)

    def show_light(self, light: Light) -> None:
        """Show one stream's state; does nothing when it is the same."""
        if light == self.light:
            return
        self.light = light
        colour = theme.COLOURS[light.level]
        self.shape.setText(theme.SHAPES[light.level])
        restyle(self.shape, f"color: {colour}; font-size: 24px;")
        self.shape.setToolTip(WORDS[light.level])
        self.name.setText(light.name)
        self.rate.setText(light.rate)
        self.detail.setText(light.detail)
        self.trigger.setText(light.trigger)
        self.advice.setText(light.advice)
        self.advice.setVisible(bool(light.advice))
        restyle(self.advice, f"color: {colour}; font-size: 11px;")
        self.setAccessibleName(f"{light.name}: {WORDS[light.level]}. {light.advice}")


class StreamLights(Panel):
    """A row per stream, worst-of in the header."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Streams", parent)
        self.summary = QLabel()
        self.header.addWidget(self.summary)
        self.rows: dict[str, StreamRow] = {}
        rows = QWidget()
        rows.setObjectName("rows")
        outer = QVBoxLayout(rows)
        outer.setContentsMargins(0, 0, 4, 0)
        self._column = QVBoxLayout()
        self._column.setSpacing(1)
        outer.addLayout(self._column)
        outer.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setMinimumHeight(120)
        area.setWidget(rows)
        self.body.addWidget(area, 1)

    def show_lights(self, lights: Sequence[Light]) -> None:
        """Show every stream, in order."""
        for light in lights:
            row = self.rows.get(light.name)
            if row is None:
                row = StreamRow()
                self.rows[light.name] = row
                self._column.addWidget(row)
            row.show_light(light)
        level, text = summary(lights)
        self.summary.setText(f"{theme.SHAPES[level]} {text}")
        restyle(
            self.summary,
            f"color: {theme.COLOURS[level]}; font-size: 22px; font-weight: 800;",
        )
