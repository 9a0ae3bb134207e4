"""What the terminal shows while a session runs, and how it asks."""

import _thread
import queue
import threading
from collections.abc import Callable

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.prompt import Prompt

from acquire.commands.console import stderr
from protocols.errors import NotAllowedError
from protocols.states import Question, Snapshot


class SessionProgress:
    """One live line of progress; a line that stays for each state of the runner.

    `ask`, if set, takes the operator's answers from the terminal. They are waited for
    on a thread of their own: whoever shows must go on, or the treadmill's dead man
    stops the belts. A terminal that ends interrupts the main thread.
    """

    def __init__(self) -> None:
        self.ask: Callable[[int, str], None] | None = None
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=stderr,
            transient=True,
        )
        self._questions: queue.Queue[Question] = queue.Queue()
        self._shown: Question | None = None
        self._asker: threading.Thread | None = None
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> "SessionProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Show what is going on now."""
        self._progress.update(self._task, description=text)
        if not stderr.is_terminal:
            stderr.print(text, highlight=False, soft_wrap=True)

    def show(self, snapshot: Snapshot) -> None:
        """Show the runner's state; put its question to the operator."""
        state = str(snapshot.state).replace("_", " ")
        trial = f"  {snapshot.trial.name}" if snapshot.trial else ""
        count = f"{snapshot.n_done}/{snapshot.n_trials}"
        message = f"  {snapshot.message}" if snapshot.message else ""
        self.say(f"{count}  {state}{trial}{message}")
        self._shown = snapshot.question
        if snapshot.question and self.ask:
            self._questions.put(snapshot.question)
            if self._asker is None:
                self._asker = threading.Thread(target=self._ask_on, daemon=True)
                self._asker.start()

    def _ask_on(self) -> None:
        while True:
            try:
                self._put(self._questions.get())
            except NotAllowedError as error:  # no answer, or the run went on without
                stderr.print(str(error), highlight=False)
                self._ask_again()
            except Exception as error:
                stderr.print(f"no answers from this terminal: {error!r}")
                _thread.interrupt_main()
                return

    def _ask_again(self) -> None:
        """Put the last question again, if it still waits."""
        if self._shown is not None and self._questions.empty():
            self._questions.put(self._shown)

    def _put(self, question: Question) -> None:
        self._progress.stop()
        answer = Prompt.ask(
            question.text,
            choices=list(question.answers) or None,
            default=question.default,
            console=stderr,
        )
        self._progress.start()
        if self.ask:
            self.ask(question.id, answer)
