"""The participant's markers as a stick figure."""

from PySide6.QtWidgets import QLabel, QWidget

from acquire.live import LiveStreams
from acquire.quality.markers import markers
from gui import theme
from gui.models.skeleton import figure
from gui.plots.figure_view import FigureView
from gui.widgets.panel import Panel
from gui.widgets.style import restyle

RECENT_S = 1.0


class MarkerPanel(Panel):
    """Shows the newest frame at every `tick`; names what is hidden."""

    def __init__(
        self,
        live: LiveStreams,
        stream: str = "vicon-markers",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Markers", parent)
        self._live, self._stream = live, stream
        self._generation = -1
        self._columns: dict[str, tuple[int, ...]] = {}
        self.hidden = QLabel()
        self.header.addWidget(self.hidden)
        self.view = FigureView()
        self.body.addWidget(self.view, 1)

    def tick(self) -> None:
        """Show the newest frame."""
        header = self._live.facts(self._stream)
        rows = self._live.latest(self._stream, RECENT_S)
        if header is None or rows is None or not len(rows.stamps):
            return
        generation = self._live.generation(self._stream)
        if generation != self._generation:
            at = {label: column for column, label in enumerate(header.labels)}
            self._columns = {
                name: tuple(at[label] for label in axes)
                for name, axes in markers(header.labels).items()
            }
            self._generation = generation
        now = figure(self._columns, rows.samples)
        self.view.show_figure(now)
        if now is not None:
            self._name_hidden(now.hidden)

    def _name_hidden(self, names: tuple[str, ...]) -> None:
        level = "amber" if names else "ok"
        text = f"hidden: {' '.join(names[:5])}" if names else "all markers seen"
        more = f" +{len(names) - 5}" if len(names) > 5 else ""
        self.hidden.setText(f"{theme.SHAPES[level]} {text}{more}")
        restyle(self.hidden, f"color: {theme.COLOURS[level]}; font-size: 11px;")
