"""A label that shrinks its letters to what fits, rather than be cut."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui import theme
from gui.widgets.style import restyle

ELLIPSIS = "…"


class FitLabel(QLabel):
    """Shows `say(text)` between `largest_px` and `smallest_px`, within its own size.

    What does not fit even then ends in an ellipsis, and is whole in the tool tip. It
    asks for no width of its own.
    """

    def __init__(
        self,
        largest_px: int,
        smallest_px: int,
        *,
        weight: int = 600,
        n_lines: int = 1,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.said = ""  #: the whole text
        self._sizes = range(largest_px, smallest_px - 1, -1)
        self._weight, self._colour = weight, theme.TEXT
        self.setWordWrap(n_lines > 1)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(round(largest_px * 1.25 * n_lines))
        self._fit()

    def say(self, text: str, colour: str = theme.TEXT) -> None:
        """Show a text in a colour."""
        if (text, colour) != (self.said, self._colour):
            self.said, self._colour = text, colour
            self._fit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(0, self.minimumHeight())

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt)
        return QSize(0, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt)
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        sizes = (pixels for pixels in self._sizes if self._fits(self.said, pixels))
        pixels = next(sizes, self._sizes[-1])
        shown = self._shortened(pixels)
        self.setText(shown)
        self.setToolTip("" if shown == self.said else self.said)
        restyle(
            self,
            f"font-size: {pixels}px; font-weight: {self._weight};"
            f"color: {self._colour};",
        )

    def _shortened(self, pixels: int) -> str:
        """Return as much of the text as fits, found by halving."""
        if self._fits(self.said, pixels):
            return self.said
        fits, too_long = 0, len(self.said)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if self._fits(self.said[:middle] + ELLIPSIS, pixels):
                fits = middle
            else:
                too_long = middle
        return self.said[:fits].rstrip() + ELLIPSIS

    def _fits(self, text: str, pixels: int) -> bool:
        font = self.font()
        font.setPixelSize(pixels)
        font.setWeight(font.Weight(self._weight))
        wrap = Qt.TextFlag.TextWordWrap if self.wordWrap() else Qt.TextFlag(0)
        room = QRect(0, 0, self.width(), self.height())
        needed = QFontMetrics(font).boundingRect(room, int(wrap.value), text)
        return needed.width() <= room.width() and needed.height() <= room.height()
