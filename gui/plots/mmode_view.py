"""M-mode pictures and A-lines of the ultrasound probes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.models.mmode import MMode

pg: Any = pyqtgraph  # it is untyped

SPAN_S = 10.0
LINE_SHARE = 0.28  #: width of the A-line beside its picture


class MModeView(QWidget):
    """One picture per probe: depth downwards, time swept, newest A-line beside it."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        rate_hz: float,
        depth_mm: float,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.names = tuple(names)
        self.model = MMode(len(names), max(2, round(SPAN_S * rate_hz)))
        self._depth_mm = depth_mm
        self._canvas = pg.GraphicsLayoutWidget()
        self._canvas.setBackground(theme.PANEL)
        self._canvas.ci.setContentsMargins(0, 7, 0, 2)  # the first depth is not cut
        self._canvas.ci.setSpacing(6)
        self._images: list[Any] = []
        self._curves: list[Any] = []
        self._bars: list[Any] = []
        for column in range(len(self.names)):
            self._add_probe(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._canvas)

    def feed(self, frames: NDArray[np.float64]) -> None:
        """Add frames (n, n_probes, n_samples) of raw counts and draw the newest."""
        if not self.model.add(frames):
            return
        n_frames = self.model.image.shape[1]
        lines = self.model.relative_lines()
        depths = np.linspace(0, self._depth_mm, lines.shape[1])
        for row, (image, curve) in enumerate(
            zip(self._images, self._curves, strict=True)
        ):
            image.setImage(self.model.image[row].T, autoLevels=False)
            curve.setData(lines[row] * LINE_SHARE + 1.02, depths)
            self._bars[row].setValue((self.model.column + 1) / n_frames)

    def close_canvas(self) -> None:
        """Release the scene before the widget goes."""
        self._canvas.close()

    def _add_probe(self, column: int) -> None:
        # a bare ViewBox: a PlotItem would bring a dozen menus that nobody frees
        box = pg.ViewBox(enableMenu=False, enableMouse=False, invertY=True)
        box.setRange(
            xRange=(0, 1.05 + LINE_SHARE), yRange=(0, self._depth_mm), padding=0
        )
        box.disableAutoRange()
        axis = pg.AxisItem("left", linkView=box)
        axis.setTextPen(theme.MUTED)
        axis.setPen(theme.GRID)
        axis.setWidth(26)
        axis.setTickSpacing(10, 10)
        axis.setStyle(tickLength=-3)
        self._canvas.addItem(axis, row=0, col=2 * column)
        self._canvas.addItem(box, row=0, col=2 * column + 1)
        image = pg.ImageItem(axisOrder="row-major")
        image.setLookupTable(pg.colormap.get("viridis").getLookupTable(nPts=256))
        image.setImage(self.model.image[column].T, levels=(0, 255))
        image.setRect(0, 0, 1, self._depth_mm)
        curve = pg.PlotCurveItem(
            pen=pg.mkPen(theme.TEXT, width=1), antialias=False, skipFiniteCheck=True
        )
        bar = pg.InfiniteLine(pos=0, angle=90, pen=pg.mkPen(theme.TEXT, width=1))
        for item in (image, curve, bar):
            box.addItem(item)
        self._images.append(image)
        self._curves.append(curve)
        self._bars.append(bar)
