"""A sweep display: lanes of signals drawn once, column by column, behind a bar.

Only columns that changed are painted, into a pixmap that the widget copies to the
screen; thirteen channels at 2 kHz cost about as much as a text label.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.models.lanes import LaneSpec
from gui.models.notes import Note
from gui.models.sweep import Sweep

GUTTER_LEFT = 70
GUTTER_RIGHT = 104
BAR = 10  #: px erased ahead of the newest column


class SweepView(QWidget):
    """Lanes over `span_s` seconds; `feed` adds samples, `set_notes` the margin."""

    def __init__(
        self,
        lanes: Sequence[LaneSpec],
        rate_hz: float,
        span_s: float,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.lanes = tuple(lanes)
        self.rate_hz, self.span_s = rate_hz, span_s
        self.notes = tuple(Note() for _ in lanes)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._pixmap = QPixmap()
        self.sweep = self._new_sweep()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(560, 26 * len(self.lanes))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(320, 16 * len(self.lanes))

    def set_ranges(self, ranges: Sequence[tuple[float, float]]) -> None:
        """Change the range of every lane and draw anew."""
        self.lanes = tuple(
            replace(lane, low=low, high=high)
            for lane, (low, high) in zip(self.lanes, ranges, strict=True)
        )
        self._redraw()

    def set_notes(self, notes: Sequence[Note]) -> None:
        """Change what stands beside the lanes; repaints the margin when it differs."""
        if tuple(notes) != self.notes:
            self.notes = tuple(notes)
            self.update(self.width() - GUTTER_RIGHT, 0, GUTTER_RIGHT, self.height())
            self.update(0, 0, GUTTER_LEFT, self.height())

    def feed(
        self, samples: NDArray[np.float64], skipped: NDArray[np.float64] | None = None
    ) -> None:
        """Add rows (n, n_lanes); `skipped` (n,) counts samples lost before each."""
        changed = self.sweep.add(samples, skipped)
        if not changed.size or self._pixmap.isNull():
            return
        n_bins = self.sweep.n_bins
        self._draw(changed % n_bins)
        first, last = int(changed[0]) % n_bins, int(changed[-1]) % n_bins
        if changed.size >= n_bins or first > last:
            self.update(self._plot_rect())
        else:
            left = GUTTER_LEFT + first - 1
            self.update(left, 0, last - first + BAR + 3, self.height())
            overhang = last + BAR + 2 - n_bins
            if overhang > 0:
                self.update(GUTTER_LEFT, 0, overhang, self.height())

    def clear(self) -> None:
        """Forget the past: the stream started again."""
        self.sweep.clear()
        self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt)
        super().resizeEvent(event)
        self.sweep = self._new_sweep()
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt)
        painter = QPainter(self)
        exposed = event.rect()
        plot = self._plot_rect()
        if not self._pixmap.isNull():
            source = exposed.intersected(plot)
            ratio = self._pixmap.devicePixelRatio()
            inside = source.translated(-plot.left(), -plot.top())
            scaled = QRect(
                round(inside.left() * ratio),
                round(inside.top() * ratio),
                round(inside.width() * ratio),
                round(inside.height() * ratio),
            )
            painter.drawPixmap(source, self._pixmap, scaled)
        if exposed.left() < plot.left():
            self._paint_labels(painter)
        if exposed.right() > plot.right():
            self._paint_notes(painter)
        painter.end()

    # ---- geometry ----

    def _plot_rect(self) -> QRect:
        width = max(2, self.width() - GUTTER_LEFT - GUTTER_RIGHT)
        return QRect(GUTTER_LEFT, 0, width, self.height())

    def _new_sweep(self) -> Sweep:
        n_bins = self._plot_rect().width()
        return Sweep(len(self.lanes), n_bins, self.rate_hz, self.span_s)

    def _bands(self) -> list[tuple[float, float]]:
        """Top and height of every lane in px."""
        total = sum(lane.weight for lane in self.lanes) or 1.0
        bands, top = [], 0.0
        for lane in self.lanes:
            height = self.height() * lane.weight / total
            bands.append((top, height))
            top += height
        return bands

    # ---- drawing ----

    def _redraw(self) -> None:
        rect = self._plot_rect()
        ratio = self.devicePixelRatioF()
        self._pixmap = QPixmap(
            max(1, round(rect.width() * ratio)), max(1, round(rect.height() * ratio))
        )
        self._pixmap.setDevicePixelRatio(ratio)
        self._pixmap.fill(QColor(theme.PANEL))
        self._draw(np.arange(self.sweep.n_bins))
        self.update()

    def _draw(self, columns: NDArray[np.int64]) -> None:
        """Paint some columns anew, and the bar with its empty room ahead."""
        painter = QPainter(self._pixmap)
        n_bins, height = self.sweep.n_bins, self.height()
        bar = (self.sweep.head + 1) % n_bins
        ahead = (bar + np.arange(BAR)) % n_bins
        for start, width in _stretches(np.concatenate([columns, ahead])):
            painter.fillRect(start, 0, width, height, QColor(theme.PANEL))
            self._draw_grid(painter, start, width)
        shown = columns[~np.isin(columns, ahead)]
        for row, (top, tall) in enumerate(self._bands()):
            painter.setPen(_pen(self.lanes[row].colour))
            painter.drawLines(self._lane_lines(row, shown, top, tall))
        if self.sweep.head >= 0:
            painter.setPen(_pen(theme.MUTED))
            painter.drawLine(bar, 0, bar, height)
        painter.end()

    def _draw_grid(self, painter: QPainter, start: int, width: int) -> None:
        painter.setPen(_pen(theme.GRID))
        for lane, (top, tall) in zip(self.lanes, self._bands(), strict=True):
            painter.drawLine(start, round(top), start + width - 1, round(top))
            if lane.low < 0 < lane.high:
                zero = round(top + tall * lane.high / (lane.high - lane.low))
                painter.drawLine(start, zero, start + width - 1, zero)
        per_second = self.sweep.n_bins / self.span_s
        for second in range(1, math.ceil(self.span_s)):
            x = round(second * per_second)
            if start <= x < start + width:
                painter.drawLine(x, 0, x, self.height())

    def _lane_lines(
        self, row: int, columns: NDArray[np.int64], top: float, tall: float
    ) -> list[QLineF]:
        """Vertical strokes from least to greatest, joined to the column before."""
        lane, sweep = self.lanes[row], self.sweep
        low, high = sweep.low[row, columns], sweep.high[row, columns]
        before = (columns - 1) % sweep.n_bins
        joined = columns > 0
        with np.errstate(invalid="ignore"):
            high_to = np.fmax(high, np.where(joined, sweep.low[row, before], np.nan))
            low_to = np.fmin(low, np.where(joined, sweep.high[row, before], np.nan))
        scale = (tall - 3) / (lane.high - lane.low)
        y_top = np.clip(
            top + 1 + (lane.high - high_to) * scale, top + 1, top + tall - 2
        )
        y_low = np.clip(top + 1 + (lane.high - low_to) * scale, top + 1, top + tall - 2)
        known = np.isfinite(low) & np.isfinite(high)
        return [
            QLineF(x, a, x, b)
            for x, a, b in zip(
                columns[known].tolist(), y_top[known], y_low[known], strict=True
            )
        ]

    def _paint_labels(self, painter: QPainter) -> None:
        painter.fillRect(0, 0, GUTTER_LEFT, self.height(), QColor(theme.PANEL))
        for lane, note, (top, tall) in zip(
            self.lanes, self.notes, self._bands(), strict=True
        ):
            box = QRect(0, round(top), GUTTER_LEFT - 6, round(tall))
            painter.setFont(_font(9, bold=True))
            painter.setPen(QColor(theme.COLOURS[note.level]))
            shape = "" if note.level == "off" else theme.SHAPES[note.level]
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
            painter.drawText(box, flags | Qt.AlignmentFlag.AlignLeft, shape)
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(box, flags | Qt.AlignmentFlag.AlignRight, lane.label)

    def _paint_notes(self, painter: QPainter) -> None:
        left = self.width() - GUTTER_RIGHT
        painter.fillRect(left, 0, GUTTER_RIGHT, self.height(), QColor(theme.PANEL))
        for note, (top, tall) in zip(self.notes, self._bands(), strict=True):
            box = QRect(left + 8, round(top), GUTTER_RIGHT - 10, round(tall))
            colour = theme.MUTED if note.level in ("ok", "off") else theme.TEXT
            painter.setPen(QColor(colour))
            painter.setFont(_font(8))
            text = "\n".join(filter(None, (note.first, note.second)))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(box, flags, text)


def _pen(colour: str) -> QPen:
    pen = QPen(QColor(colour), 1)
    pen.setCosmetic(True)
    return pen


def _font(points: int, *, bold: bool = False) -> QFont:
    font = QFont("DejaVu Sans", points)
    font.setBold(bold)
    return font


def _stretches(columns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Join neighbouring columns: start and width of every stretch."""
    unique = np.unique(columns)
    breaks = np.flatnonzero(np.diff(unique) != 1)
    starts = np.concatenate([[0], breaks + 1])
    ends = np.concatenate([breaks, [len(unique) - 1]])
    return [
        (int(unique[a]), int(unique[b] - unique[a] + 1))
        for a, b in zip(starts, ends, strict=True)
    ]
