"""Lets a run begin when nothing speaks against it, or for a reason in words."""

import threading
from collections.abc import Callable, Iterable, Mapping

from acquire.findings import Finding
from acquire.session_plan import SessionError
from protocols.states import Question

GATE_QUESTION = 0  #: its id; those of a run count from 1


class StartGate:
    """Stands before a run that a window starts. Thread-safe.

    `check` tells what speaks against it now; errors refuse the start, and `question`
    then asks for a reason. Its answer begins all the same, and is published; so does
    another `start`, without a reason, once nothing is found any more.
    """

    def __init__(
        self,
        check: Callable[[], Iterable[Finding]],
        begin: Callable[[], None],
        publish: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self._check, self._begin, self._publish = check, begin, publish
        self._lock = threading.Lock()
        self.question: Question | None = None  #: asked now

    def start(self, reason: str = "") -> None:
        """Begin, unless the check finds an error and no reason is given."""
        with self._lock:
            errors = [
                f"{found.where}: {found.message}"
                for found in self._check()
                if found.severity == "error"
            ]
            said, reason = "; ".join(errors), reason.strip()
            if errors and not reason:
                text = f"Not ready. {said}. Why start all the same?"
                self.question = Question(GATE_QUESTION, text)
                raise SessionError(f"not ready: {said}")
            if errors:
                self._publish("start_override", {"reason": reason, "although": errors})
            self._begin()
            self.question = None

    def answer(self, reason: str) -> None:
        """Begin for this reason, which cannot be empty."""
        if self.question is None:
            raise SessionError(f"question {GATE_QUESTION} is not being asked")
        refusal = self.question.refusal(reason)
        if refusal:
            raise SessionError(refusal)
        self.start(reason)
