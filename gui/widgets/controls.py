"""What the operator can do: buttons and keys over the action table, and words."""

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QSizePolicy, QWidget

from gui.models.actions import (
    ABORT,
    ADVERSE_EVENT,
    NOTE,
    PAUSE,
    REPEAT,
    RESUME,
    SKIP,
    START,
    ActionInfo,
)
from gui.models.confirming import Confirming
from gui.models.session import SessionView
from gui.widgets.say_line import SayLine
from gui.widgets.style import restyle

CONFIRMED: Mapping[str, ActionInfo] = {SKIP.verb: SKIP, REPEAT.verb: REPEAT}
PRESSED = "button pressed; words follow"
WIDTH = 520
SURE = "background: #5a4210; border: 2px solid #e69f00;"


class Controls(QFrame):
    """Emits `asked` with a verb and its arguments, and holds no rules of its own.

    Abort is always enabled and asks nothing back. An adverse event stops the belts at
    the press, and is given its words afterwards. Skipping and repeating take a second
    press, or Enter behind a reason, within a few seconds (see `tick`).
    """

    asked = Signal(str, object)

    def __init__(
        self,
        parent: QWidget | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self._view = SessionView()
        self._confirming = Confirming(now)
        self.start = self._button(START, "primary")
        self.pause = self._button(PAUSE, "")
        self.skip = self._button(SKIP, "")
        self.repeat = self._button(REPEAT, "")
        self.adverse_event = self._button(ADVERSE_EVENT, "danger")
        self.abort = self._button(ABORT, "abort")
        self.line = SayLine()
        self._arrange()
        self.start.clicked.connect(lambda: self._ask(START.verb))
        self.pause.clicked.connect(lambda: self._ask(self._pause_now().verb))
        self.abort.clicked.connect(lambda: self._ask(ABORT.verb))
        self.skip.clicked.connect(lambda: self._press(SKIP))
        self.repeat.clicked.connect(lambda: self._press(REPEAT))
        self.adverse_event.clicked.connect(self._stop_for_adverse_event)
        self.line.said.connect(self._said)
        self.line.typed.connect(self._confirming.touch)
        self.line.declined.connect(self._leave)
        for action, act in (
            (START, self.start.click),
            (PAUSE, self.pause.click),
            (SKIP, self.skip.click),
            (REPEAT, self.repeat.click),
            (ADVERSE_EVENT, self.adverse_event.click),
            (ABORT, self.abort.click),
            (NOTE, self.line.entry.setFocus),
        ):
            self._on_key(action.shortcut, act)
        self.show_view(self._view)

    def show_view(self, view: SessionView) -> None:
        """Enable what the session allows now; the tool tip says why not."""
        self._view = view
        waiting = self._confirming
        if waiting.verb and waiting.about != view.about(waiting.verb):
            self._leave()  # it would be about something else
        pause = self._pause_now()
        for button, action in (
            (self.start, START),
            (self.pause, pause),
            (self.skip, SKIP),
            (self.repeat, REPEAT),
            (self.adverse_event, ADVERSE_EVENT),
        ):
            refusal = view.refusal(action.verb)
            button.setEnabled(not refusal)
            button.setToolTip(
                f"{action.tip}\nNot now: {refusal}" if refusal else action.tip
            )
        self.pause.setText(_caption(pause))

    def tick(self) -> None:
        """Forget a first press that no second one followed."""
        if self._confirming.lapsed(typing=bool(self.line.words)):
            self._leave()

    # ---- what was pressed and said ----

    def _ask(self, verb: str, **arguments: object) -> None:
        self.asked.emit(verb, arguments)

    def _pause_now(self) -> ActionInfo:
        return RESUME if self._view.paused else PAUSE

    def _press(self, action: ActionInfo) -> None:
        about = self._view.about(action.verb)
        words = self.line.words if self.line.purpose == action.verb else ""
        if self._confirming.press(action.verb, about):
            self._leave()
            self._ask(action.verb, **({"reason": words} if words else {}))
            return
        self._show_waiting()
        what = f"{action.text} {about}".rstrip()
        caption = f"{what}? Yes: {action.shortcut} again, or Enter"
        self.line.ask(action.verb, caption, "Reason, if you like", "No")

    def _stop_for_adverse_event(self) -> None:
        self._confirming.clear()
        self._show_waiting()
        self._ask(ADVERSE_EVENT.verb, text=PRESSED)
        caption = "Adverse event: belts are told to stop. What happened?"
        self.line.ask(ADVERSE_EVENT.verb, caption, "In words, then Enter", "Later")

    def _said(self, purpose: str, words: str) -> None:
        if purpose in CONFIRMED:
            self._press(CONFIRMED[purpose])
        elif words and not self._view.reachable:
            self.line.complain("no session answers: not sent")
        elif words:
            if purpose == NOTE.verb:
                self.line.entry.clear()
            else:
                self._leave()
            self._ask(purpose, text=words)

    def _leave(self) -> None:
        self._confirming.clear()
        self._show_waiting()
        self.line.rest()

    def _show_waiting(self) -> None:
        for button, action in ((self.skip, SKIP), (self.repeat, REPEAT)):
            sure = action.verb == self._confirming.verb
            button.setText(f"Sure?  [{action.shortcut}]" if sure else _caption(action))
            restyle(button, SURE if sure else "")

    # ---- building ----

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        both_rows = QSizePolicy(
            QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Expanding
        )
        self.abort.setSizePolicy(both_rows)
        self.adverse_event.setSizePolicy(both_rows)
        for row, column, button in (
            (0, 0, self.start),
            (0, 1, self.pause),
            (1, 0, self.skip),
            (1, 1, self.repeat),
        ):
            button.setMinimumHeight(40)
            grid.addWidget(button, row, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.abort, 0, 2, 2, 1)
        grid.addWidget(self.line, 2, 0, 1, 2)
        grid.addWidget(self.adverse_event, 2, 2)
        self.abort.setMinimumWidth(190)
        self.setFixedWidth(WIDTH)

    def _button(self, action: ActionInfo, name: str) -> QPushButton:
        button = QPushButton(_caption(action))
        button.setObjectName(name)
        button.setToolTip(action.tip)
        button.setAccessibleName(action.text)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAutoDefault(False)
        return button

    def _on_key(self, keys: str, act: Callable[[], None]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(act)


def _caption(action: ActionInfo) -> str:
    return f"{action.text}  [{action.shortcut}]"
