"""The one line for words: a note, what happened, or why something is skipped."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from gui import theme
from gui.models.actions import NOTE
from gui.widgets.entry import Entry
from gui.widgets.fit_label import FitLabel
from gui.widgets.style import restyle

NOTE_CAPTION = f"{NOTE.text} for the record  [{NOTE.shortcut}], then Enter"


class SayLine(QWidget):
    """Takes notes until `ask` gives it another purpose; `rest` gives it back.

    A half-written note waits meanwhile. Emits `said` with purpose and words on Enter,
    `typed` with every key, and `declined` when the operator wants none of it.
    """

    said = Signal(str, str)
    typed = Signal()
    declined = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.purpose = NOTE.verb
        self._draft = ""
        self.caption = FitLabel(13, 10, n_lines=2)
        self.entry = Entry()
        self.leave = QPushButton()
        self.leave.setMinimumHeight(30)
        self.leave.setStyleSheet("padding: 4px 10px; font-size: 13px;")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.caption, 0, 0, 1, 2)
        grid.addWidget(self.entry, 1, 0)
        grid.addWidget(self.leave, 1, 1)
        grid.setColumnStretch(0, 1)
        self.entry.returnPressed.connect(self._say)
        self.entry.textEdited.connect(self._typed)
        self.leave.clicked.connect(self.declined)
        self.rest()

    @property
    def words(self) -> str:
        return self.entry.text().strip()

    def ask(self, purpose: str, caption: str, words: str, leave: str) -> None:
        """Take words for something else, and put the cursor there.

        `words` says what is to be typed, `leave` is on the button that declines.
        """
        if self.purpose == NOTE.verb:
            self._draft = self.entry.text()
        if purpose != self.purpose:
            self.entry.clear()
        self._become(purpose, f"▲ {caption}", theme.WARN)
        self.entry.setPlaceholderText(words)
        self.leave.setText(leave)
        self.leave.setVisible(True)
        self.entry.setFocus()

    def rest(self) -> None:
        """Take notes again."""
        self._become(NOTE.verb, NOTE_CAPTION, theme.MUTED)
        self.entry.setPlaceholderText("")
        self.leave.setVisible(False)
        self.entry.setText(self._draft)
        self._draft = ""

    def complain(self, why: str) -> None:
        """Say why the words were not taken; they stay to be sent again."""
        self.caption.say(f"✕ {why}", theme.COLOURS["red"])

    def _typed(self) -> None:
        if self.purpose == NOTE.verb:
            self.caption.say(NOTE_CAPTION, theme.MUTED)
        self.typed.emit()

    def _become(self, purpose: str, caption: str, colour: str) -> None:
        self.purpose = purpose
        self.caption.say(caption, colour)
        self.entry.setAccessibleName(caption)
        edge = theme.EDGE if purpose == NOTE.verb else theme.WARN
        restyle(self.entry, f"border: 2px solid {edge};")

    def _say(self) -> None:
        self.said.emit(self.purpose, self.words)
