"""The question asked now: a button per answer, or a line for a number or words."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from gui import theme
from gui.models import answers
from gui.models.actions import ANSWER_SHORTCUT
from gui.models.session import SessionView
from gui.widgets.entry import Entry
from gui.widgets.fit_label import FitLabel
from gui.widgets.style import restyle
from protocols.states import Question

NOTHING_ASKED = "nothing is asked now"
ASKING = f"QFrame#panel {{ background: #10324a; border: 2px solid {theme.LEFT}; }}"
ALARM = f"QFrame#panel {{ background: #3a2208; border: 2px solid {theme.WARN}; }}"


class PromptBar(QFrame):
    """Shows the first question, or what goes on where nothing is asked.

    It keeps its height, so that a question does not move the plots. No answer has the
    focus by itself: Enter typed for something else answers nothing; F2 goes there.
    Emits `answered` with the question's id and an answer that it takes.
    """

    answered = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.question: Question | None = None
        self.text = FitLabel(18, 11, n_lines=2)
        self.buttons: list[QPushButton] = []
        self.entry: Entry | None = None
        self.hint = QLabel()
        self._answers = QHBoxLayout()
        self._answers.setSpacing(8)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 12, 6)
        layout.setSpacing(12)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.hint)
        layout.addLayout(self._answers)
        shortcut = QShortcut(QKeySequence(ANSWER_SHORTCUT), self)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.activated.connect(self._go_to_answer)
        self.show_view(SessionView())

    def show_view(self, view: SessionView) -> None:
        """Show the first question; later ones follow when it is answered."""
        question = view.questions[0] if view.questions else None
        if question is None:
            colour = theme.TEXT if view.lost else theme.MUTED
            self.text.say(view.message or NOTHING_ASKED, colour)
            restyle(self, ALARM if view.lost and not view.over else "")
        if question == self.question:
            return
        self._clear()
        self.question = question
        if question is not None:
            self._show_question(question)

    def refuse(self, reason: str) -> None:
        """Let the operator answer again: the last answer was refused."""
        self._enable(True)
        if self.question is not None:
            self._hint(f"✕ {reason}", theme.COLOURS["red"])

    # ---- one question ----

    def _show_question(self, question: Question) -> None:
        restyle(self, ASKING)
        self.text.say(f"?  {question.text}")
        for choice in question.answers:
            self._add_button(choice, primary=choice == question.default)
        if not question.answers:
            self._add_entry(question)

    def _add_button(self, choice: str, *, primary: bool) -> None:
        button = QPushButton(choice)
        button.setObjectName("primary" if primary else "")
        button.setMinimumHeight(38)
        button.clicked.connect(lambda: self._answer(choice))
        self.buttons.append(button)
        self._answers.addWidget(button)

    def _add_entry(self, question: Question) -> None:
        self.entry = entry = Entry()
        entry.setText(question.suggestion)
        entry.setFixedWidth(260 if question.number is None else 90)
        entry.setAccessibleName(question.text)
        entry.returnPressed.connect(self._answer_typed)
        entry.textEdited.connect(lambda _text: self._hint_range())
        self._answers.addWidget(entry)
        button = QPushButton("OK")
        button.setObjectName("primary")
        button.setMinimumHeight(38)
        button.clicked.connect(self._answer_typed)
        self.buttons.append(button)
        self._answers.addWidget(button)
        self._hint_range()

    def _answer_typed(self) -> None:
        if self.question is None or self.entry is None:
            return
        answer, refusal = answers.typed(self.question, self.entry.text())
        if refusal:
            self._hint(f"✕ {refusal}", theme.COLOURS["red"])
        else:
            self._answer(answer)

    def _answer(self, value: str) -> None:
        if self.question is not None:
            self._enable(False)
            self.answered.emit(self.question.id, value)

    def _go_to_answer(self) -> None:
        target = self.entry or (self.buttons[0] if self.buttons else None)
        if target is not None:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if self.entry is not None:
            self.entry.selectAll()

    def _hint_range(self) -> None:
        if self.question is not None:
            self._hint(answers.hint(self.question), theme.MUTED)

    def _hint(self, text: str, colour: str) -> None:
        self.hint.setText(text)
        restyle(self.hint, f"color: {colour}; font-size: 13px; font-weight: 600;")
        self.hint.setVisible(bool(text))

    def _enable(self, enabled: bool) -> None:
        for button in self.buttons:
            button.setEnabled(enabled)
        if self.entry is not None:
            self.entry.setEnabled(enabled)

    def _clear(self) -> None:
        self.buttons.clear()
        self.entry = None
        self._hint("", theme.MUTED)
        while (item := self._answers.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
