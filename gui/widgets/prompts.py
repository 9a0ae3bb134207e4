"""The question asked now, with a button per answer."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from gui import theme
from gui.models.session import Prompt

HEIGHT = 56


class PromptBar(QFrame):
    """Hidden while nothing is asked; emits `answered` with id and value.

    It keeps its place when hidden, so that a question does not move the plots.
    No answer has the focus by itself: Enter typed for something else answers nothing.
    """

    answered = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setStyleSheet(
            f"QFrame#panel {{ background: #10324a; border: 2px solid {theme.LEFT}; }}"
        )
        self.prompt: Prompt | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setStyleSheet("font-size: 17px; font-weight: 600;")
        self.buttons: list[QPushButton] = []
        self._answers = QHBoxLayout()
        self._answers.setSpacing(8)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 12, 8)
        layout.addWidget(self.text, 1)
        layout.addLayout(self._answers)
        self.setMinimumHeight(HEIGHT)
        keeps_its_place = self.sizePolicy()
        keeps_its_place.setRetainSizeWhenHidden(True)
        self.setSizePolicy(keeps_its_place)
        self.setVisible(False)

    def show_prompts(self, prompts: tuple[Prompt, ...]) -> None:
        """Show the first question; later ones follow when it is answered."""
        prompt = prompts[0] if prompts else None
        if prompt == self.prompt:
            return
        self.prompt = prompt
        self._clear()
        self.setVisible(prompt is not None)
        if prompt is None:
            return
        self.text.setText(f"?  {prompt.text}")
        for row, choice in enumerate(prompt.choices):
            button = QPushButton(choice)
            button.setObjectName("" if row else "primary")
            button.setMinimumHeight(38)
            button.clicked.connect(lambda _=False, value=choice: self._answer(value))
            self.buttons.append(button)
            self._answers.addWidget(button)
        if not prompt.choices:
            self._ask_for_text()

    def _ask_for_text(self) -> None:
        line = QLineEdit()
        line.setMinimumWidth(220)
        line.returnPressed.connect(lambda: self._answer(line.text().strip()))
        self._answers.addWidget(line)

    def _answer(self, value: str) -> None:
        if self.prompt is not None and value:
            for button in self.buttons:
                button.setEnabled(False)
            self.answered.emit(self.prompt.prompt_id, value)

    def enable(self) -> None:
        """Let the operator answer again: the last answer was refused."""
        for button in self.buttons:
            button.setEnabled(True)

    def _clear(self) -> None:
        self.buttons.clear()
        while (item := self._answers.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
