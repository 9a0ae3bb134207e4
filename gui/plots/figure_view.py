"""The stick figure from the side and from the front, at fixed scale."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.models.skeleton import Figure, centre_m

HEIGHT_M = 1.25  #: what a view shows above the floor
BELOW_M = 0.12


class FigureView(QWidget):
    """Sagittal (x, z) left, frontal (y, z) right; left side blue, right yellow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figure: Figure | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(480, 250)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(240, 140)

    def show_figure(self, figure: Figure | None) -> None:
        """Show marker positions; None clears the view."""
        self.figure = figure
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 (Qt)
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.PANEL))
        half = self.width() // 2
        boxes = (QRect(0, 0, half, self.height()), QRect(half, 0, half, self.height()))
        centre = centre_m(self.figure) if self.figure else (0.0, 0.0)
        for box, axis, title, sign in zip(
            boxes, (0, 1), ("side", "front"), (1.0, -1.0), strict=True
        ):
            self._paint_view(painter, box, axis, title, sign, centre[axis])
        painter.end()

    def _paint_view(
        self,
        painter: QPainter,
        box: QRect,
        axis: int,
        title: str,
        sign: float,
        centre: float,
    ) -> None:
        scale = box.height() / (HEIGHT_M + BELOW_M)
        floor_y = box.top() + HEIGHT_M * scale
        painter.setClipRect(box)
        painter.setPen(QPen(QColor(theme.GRID), 1))
        for tenth in range(0, int(HEIGHT_M * 10) + 1, 2):
            y = floor_y - tenth / 10 * scale
            painter.drawLine(QLineF(box.left() + 4, y, box.right() - 4, y))
        painter.setPen(QPen(QColor(theme.MUTED), 1))
        painter.drawLine(QLineF(box.left() + 4, floor_y, box.right() - 4, floor_y))
        painter.setFont(QFont("DejaVu Sans", 8))
        painter.drawText(box.adjusted(8, 4, -4, 0), Qt.AlignmentFlag.AlignLeft, title)
        if self.figure is not None:
            middle = box.center().x()
            at = np.empty((len(self.figure.names), 2))
            at[:, 0] = middle + sign * (self.figure.positions[:, axis] - centre) * scale
            at[:, 1] = floor_y - self.figure.positions[:, 2] * scale
            self._paint_figure(painter, self.figure, at)
        painter.setClipping(False)

    def _paint_figure(
        self, painter: QPainter, figure: Figure, at: NDArray[np.float64]
    ) -> None:
        for a, b in figure.segments():
            sides = {figure.names[a][0], figure.names[b][0]}
            colour = theme.MUTED if len(sides) == 2 else _side(sides.pop())
            painter.setPen(QPen(QColor(colour), 1))
            painter.drawLine(QLineF(QPointF(*at[a]), QPointF(*at[b])))
        painter.setPen(Qt.PenStyle.NoPen)
        for name, seen, (x, y) in zip(figure.names, figure.seen, at, strict=True):
            if not np.isfinite(x + y):
                continue
            if seen:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(_side(name[0])))
                painter.drawRect(QRectF(x - 2.5, y - 2.5, 5, 5))
            else:
                painter.setPen(QPen(QColor(theme.COLOURS["red"]), 1))
                painter.drawLine(QLineF(x - 4, y - 4, x + 4, y + 4))
                painter.drawLine(QLineF(x - 4, y + 4, x + 4, y - 4))


def _side(letter: str) -> str:
    return {"L": theme.LEFT, "R": theme.RIGHT}.get(letter, theme.MUTED)
