"""A-mode ultrasound: a picture and the newest line of every probe."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from acquire.live import LiveStreams
from acquire.quality.amode import MM_PER_SAMPLE, probes
from acquire.quality.monitor import StreamVerdict
from acquire.storage.stream_header import StreamHeader
from gui import theme
from gui.models.cursor import Cursor
from gui.models.mmode import probe_names
from gui.models.notes import note
from gui.plots.mmode_view import MModeView
from gui.widgets.fit_label import FitLabel
from gui.widgets.panel import Panel

NUMBERS = (("amode.echo_snr", "", "dB"),)


class AModePanel(Panel):
    """Shows what is new at every `tick`; built when the stream appears."""

    def __init__(
        self, live: LiveStreams, stream: str = "amode", parent: QWidget | None = None
    ) -> None:
        super().__init__("A-mode ultrasound", parent)
        self._cursor = Cursor(live, stream)
        self._columns: dict[str, slice] = {}
        self._names: tuple[str, ...] = ()
        self.titles: list[FitLabel] = []
        self._titles = QHBoxLayout()
        self.body.addLayout(self._titles)
        self.view: MModeView | None = None
        self.waiting = QLabel(f"waiting for {stream}")
        self.waiting.setObjectName("muted")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(self.waiting, 1)
        self.scale = QLabel("SNR · depth mm · 10 s")
        self.scale.setObjectName("muted")
        self.header.addWidget(self.scale)

    def tick(self) -> None:
        """Draw the frames that arrived since the last tick."""
        news = self._cursor.news()
        if news is None:
            return
        if news.restarted or self.view is None:
            self._build(news.header)
        if self.view is not None and self._columns and len(news.rows.stamps):
            frames = np.stack(
                [news.rows.samples[:, at] for at in self._columns.values()], axis=1
            )
            self.view.feed(frames.astype(np.float64))

    def show_verdict(self, verdict: StreamVerdict | None) -> None:
        """Show every probe's light and numbers."""
        for title, name, column in zip(
            self.titles, self._names, self._columns, strict=True
        ):
            said = note(verdict, column, NUMBERS)
            text = f"{theme.SHAPES[said.level]} {name} {said.first} {said.second}"
            title.say(text.rstrip(), theme.COLOURS[said.level])

    def release(self) -> None:
        """Close the drawing scene."""
        if self.view is not None:
            self.view.close_canvas()

    def _build(self, header: StreamHeader) -> None:
        self._columns = probes(header.labels)
        if not self._columns:
            self.waiting.setText(f"{header.name} has no A-mode channels")
            return
        self._names = probe_names(header, tuple(self._columns))
        first = next(iter(self._columns.values()))
        depth_mm = (first.stop - first.start) * MM_PER_SAMPLE
        if self.view is not None:
            self.release()
            self.body.removeWidget(self.view)
            self.view.deleteLater()
        self._make_titles()
        self.waiting.setVisible(False)
        self.view = MModeView(
            self._names, rate_hz=header.rate_hz or 20.0, depth_mm=depth_mm
        )
        self.body.addWidget(self.view, 1)

    def _make_titles(self) -> None:
        for title in self.titles:
            title.deleteLater()
        self.titles = [FitLabel(12, 9) for _ in self._names]
        for title, name in zip(self.titles, self._names, strict=True):
            title.say(name)
            self._titles.addWidget(title, 1)
