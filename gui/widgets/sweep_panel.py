"""Sweeps of one stream: sEMG or forces, with a scale the operator chooses."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from acquire.live import LiveStreams
from acquire.quality.monitor import StreamVerdict
from acquire.storage.stream_header import StreamHeader
from gui.models.cursor import Cursor, News
from gui.models.lanes import LaneSpec
from gui.models.notes import note
from gui.models.sweep import skipped_before
from gui.plots.sweep_view import SweepView
from gui.widgets.panel import Panel
from gui.widgets.stepper import Stepper

LONGEST_S = 10.0  #: a longer loss by the counter is taken for a restart
LaneMaker = Callable[[StreamHeader, float], list[LaneSpec]]


class SweepPanel(Panel):
    """Shows what is new at every `tick`; builds its lanes when the stream appears."""

    def __init__(
        self,
        title: str,
        live: LiveStreams,
        stream: str,
        lanes: LaneMaker,
        *,
        scales: Sequence[float],
        scale: float,
        unit: str,
        span_s: float,
        numbers: Sequence[tuple[str, str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        self._cursor, self._make_lanes = Cursor(live, stream), lanes
        self._span_s, self._numbers = span_s, tuple(numbers)
        self._columns: list[int] = []
        self._specs: list[LaneSpec] = []
        self._counter: float | None = None
        self._header: StreamHeader | None = None
        self.view: SweepView | None = None
        self.waiting = QLabel(f"waiting for {stream}")
        self.waiting.setObjectName("muted")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(self.waiting, 1)
        span = QLabel(f"{span_s:g} s")
        span.setObjectName("muted")
        self.header.addWidget(span)
        sign = "±" if unit == "µV" else ""
        self._scales = tuple(scales)
        texts = [f"{sign}{each:g} {unit}" for each in scales]
        self.scale = Stepper(texts, self._scales.index(scale), "range of the lanes")
        self.scale.stepped.connect(self._rescale)
        self.header.addWidget(self.scale)

    def tick(self) -> None:
        """Draw what arrived since the last tick."""
        news = self._cursor.news()
        if news is None:
            return
        if news.restarted or self.view is None:
            self._build(news.header)
        if self.view is not None and len(news.rows.stamps):
            samples = news.rows.samples[:, self._columns].astype(np.float64)
            self.view.feed(samples, self._skipped(news))

    def show_verdict(self, verdict: StreamVerdict | None) -> None:
        """Show every lane's light and numbers."""
        if self.view is not None:
            notes = [note(verdict, spec.subject, self._numbers) for spec in self._specs]
            self.view.set_notes(notes)

    def _build(self, header: StreamHeader) -> None:
        self._header, self._counter = header, None
        self._specs = self._make_lanes(header, self._scales[self.scale.index])
        self._columns = [spec.column for spec in self._specs]
        self.waiting.setVisible(False)
        if self.view is not None:
            self.body.removeWidget(self.view)
            self.view.deleteLater()
        self.view = SweepView(self._specs, header.rate_hz, self._span_s)
        self.body.addWidget(self.view, 1)

    def _skipped(
        self, news: News
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
        column = news.header.counter_column
        if column is None:
            return None
        counter = news.rows.samples[:, column].astype(np.float64)
        modulus, most = news.header.counter.modulus, LONGEST_S * news.header.rate_hz
        skipped = skipped_before(counter, modulus, self._counter, most)
        self._counter = float(counter[-1])
        return skipped

    def _rescale(self, index: int) -> None:
        if self.view is None or self._header is None:
            return
        self._specs = self._make_lanes(self._header, self._scales[index])
        self.view.set_ranges([(spec.low, spec.high) for spec in self._specs])
